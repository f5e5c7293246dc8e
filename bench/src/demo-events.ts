import type { ChatLine, LineEmote } from "@hypecast/contracts/chat.ts";
import { emoteByName } from "@hypecast/demo/emotes.ts";
import { streamAt } from "@hypecast/demo/stream.ts";
import { PERIOD_MS } from "@hypecast/demo/world.ts";
import type { FoldInput } from "@hypecast/streamproc/processors/fold.ts";

/** When the demo's and the recordings' streams are said to begin: any whole hour does, the folds know no other time. */
export const BEGIN_MS = Date.UTC(2026, 0, 1);

export interface TimedInput {
  atMs: number;
  input: FoldInput;
}

export const lineInput = (line: ChatLine): TimedInput => ({
  atMs: line.sentAtMs,
  input: { type: "lines", lines: [line], emoteSet: "" },
});

/** Mulberry32: the same numbers in every run. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let hash = Math.imul(state ^ (state >>> 15), 1 | state);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The demo's events as a source would publish them; each line is kept with chance `keep`. */
export function* demoEvents(loops: number, keep: number): Generator<TimedInput> {
  const random = randomFrom(7);
  for (const { event, loop, atMs } of streamAt("pepel_lamp", 0, loops * PERIOD_MS)) {
    const sentAtMs = BEGIN_MS + atMs;
    if (event.type !== "message" && event.type !== "notice") continue;
    const common = {
      id: `${loop}-${event.n}`,
      channelId: "1",
      sentAtMs,
      userId: event.who.userId,
      login: event.who.login,
    };
    if (event.type === "message") {
      if (random() >= keep) continue;
      const emotes = emotesOf(event.text);
      yield lineInput({
        ...common,
        text: event.text,
        ...(emotes.length > 0 ? { emotes } : {}),
        ...(event.firstMessage ? { firstMessage: true } : {}),
      });
    } else {
      const count = Number(event.params["viewerCount"] ?? event.params["mass-gift-count"] ?? 1);
      yield {
        atMs: sentAtMs,
        input: { type: "notice", notice: { ...common, kind: event.kind, count } },
      };
    }
  }
}

function emotesOf(text: string): LineEmote[] {
  const emotes: LineEmote[] = [];
  let at = 0;
  for (const word of text.split(" ")) {
    const { length } = Array.from(word);
    const emote = emoteByName.get(word);
    if (emote !== undefined) emotes.push([`${emote.provider}:${emote.id}`, emote.name, at, at + length - 1]);
    at += length + 1;
  }
  return emotes;
}
