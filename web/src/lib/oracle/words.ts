import type { CERTAINTIES } from "@hypecast/contracts/vod-words.ts";
import type { Understood } from "@hypecast/contracts/oracle.ts";
import { m } from "../paraglide/messages.js";
import { number, timecode } from "../text/numbers.ts";
import { duration } from "../text/words.ts";
import type { Told } from "../vod/api.ts";

export const certaintyWord: Record<(typeof CERTAINTIES)[number], () => string> = {
  sure: m.certainty_sure,
  likely: m.certainty_likely,
  maybe: m.certainty_maybe,
};

/** "± 2 s", rounded up: a place is never told to be nearer than it is. */
export const errorWord = (errorMs: number): string =>
  m.plus_minus({ n: number(Math.max(1, Math.ceil(errorMs / 1000))) });

/** What is being done, or how it ended. */
export function stateWord(told: Told): string {
  switch (told.state) {
    case "asked":
      return m.oracle_asked();
    case "searching":
      return m.oracle_searching();
    case "reading":
      return m.oracle_reading();
    case "done":
      return told.found === false
        ? m.oracle_not_found()
        : m.oracle_places({ count: told.hits.length, n: number(told.hits.length) });
    case "failed":
      return m.oracle_failed();
    case "stopped":
      return m.oracle_stopped();
  }
}

/** What was looked through and how long it took. */
export function searchedWords(told: Told): string | null {
  if (told.searched === null) return null;
  const { chunks, channels, withoutVector } = told.searched;
  const parts: string[] = [
    channels > 1
      ? m.oracle_looked_through({
          count: channels,
          n: number(channels),
          chunks: number(chunks),
        })
      : m.oracle_looked({ count: chunks, n: number(chunks) }),
  ];
  if (withoutVector > 0) parts.push(m.oracle_by_words({ count: withoutVector, n: number(withoutVector) }));
  if (told.tookMs !== null) parts.push(duration(told.tookMs));
  return parts.join(" · ");
}

/** What was understood of the question beyond its words, each in a few: a person can see what to say otherwise. */
export function understoodWords(of: Understood | null): string[] {
  if (of === null) return [];
  const words: string[] = [];
  if (of.kind === "best") words.push(m.understood_best());
  if (of.kind === "next") words.push(m.understood_next());
  if (of.kind === "earlier") words.push(m.understood_earlier());
  if (of.nth !== null)
    words.push(of.nth === -1 ? m.understood_last() : m.understood_nth({ n: number(of.nth) }));
  const place = (seconds: number): string =>
    seconds < 0 ? m.understood_from_end({ time: timecode(-seconds) }) : timecode(seconds);
  if (of.fromS !== null && of.toS !== null)
    words.push(m.understood_between({ from: place(of.fromS), to: place(of.toS) }));
  else if (of.fromS !== null) words.push(m.understood_after({ time: place(of.fromS) }));
  else if (of.toS !== null) words.push(m.understood_before({ time: place(of.toS) }));
  words.push(...of.emotes, ...of.people.map((person) => `@${person}`));
  return words;
}

/** Who wrote the answer and what it cost; null: nobody has yet. */
export function byWords(told: Told): string | null {
  const { by, model } = told;
  if (by === null) return null;
  if (by === "extract" && model === null) return m.by_lines();
  if (model === null) return null;
  const cost = [
    model.name,
    m.tokens({ input: number(model.inputTokens), output: number(model.outputTokens) }),
    ...(model.costUsd === null ? [] : [`$${number(model.costUsd, model.costUsd < 0.1 ? 4 : 2)}`]),
    ...(model.repaired ? [m.model_repaired()] : []),
  ].join(" · ");
  return by === "model" ? cost : m.by_lines_after({ why: model.refused ?? "", cost });
}
