import {
  searchQuestion,
  type Answer as Record_,
  type Hit,
  type Searched,
} from "@hypecast/contracts/oracle.ts";
import { asker, defineAnswer, type Answer, type Ask } from "../../questions/answer.ts";
import type { Store } from "../../store.ts";
import type { Looking } from "../answers/answering.ts";
import type { FoundWindow } from "../answers/windows.ts";
import { linesOf } from "./lines.ts";
import { search, type Alike, type Asked, type Before, type Meaning } from "./search.ts";
import type { Streams } from "./streams.ts";

const DAY_MS = 86_400_000;

/** What searching needs besides the store. */
export interface LookingParts {
  readonly store: Store;
  readonly streams: Streams;
  readonly meaning: Meaning | null;
  readonly alike: Alike | null;
}

/** A question may take so long: longer than a page waits, shorter than a person does. */
const WITHIN_MS = 15_000;
/** What a reader gets to see around a place. */
const BEFORE_MS = 20_000;
const AFTER_MS = 25_000;

/** The search as `ask.search` answers it. */
export const answerSearch = (parts: LookingParts): Answer =>
  defineAnswer(searchQuestion, (asked, ask) =>
    searchWith(parts, asked, ask, AbortSignal.timeout(WITHIN_MS), null),
  );

/** Asked once at the start, so that nobody waits while the model's tables are read and the code grows warm. */
const FIRST_QUESTIONS = [
  { language: "en", query: "when did chat laugh" },
  { language: "ru", query: "где чат смеялся" },
] as const;

/** Searches for nothing in particular. What fails here is said by the first real question. */
export async function warmUp(parts: LookingParts, ended: AbortSignal): Promise<void> {
  for (const question of FIRST_QUESTIONS) {
    const signal = AbortSignal.any([ended, AbortSignal.timeout(WITHIN_MS)]);
    const ask = asker(parts.store, signal, () => WITHIN_MS / 1000);
    await searchWith(parts, { ...question, within: null, mode: "hybrid", limit: 1 }, ask, signal, null).catch(
      () => {},
    );
  }
}

async function searchWith(
  { streams, meaning, alike }: LookingParts,
  asked: Asked,
  ask: Ask,
  signal: AbortSignal,
  before: Before | null,
): Promise<Searched> {
  return search(
    asked,
    {
      ask,
      meaning,
      alike,
      signal,
      extents: async (channelIds) => {
        const known = await streams(channelIds);
        return new Map(
          [...known].flatMap(([channelId, { startMs, lengthS }]) =>
            lengthS === null
              ? []
              : [[channelId, { fromMs: startMs, toMs: startMs + lengthS * 1000 }] as const],
          ),
        );
      },
    },
    before,
  );
}

/** The search as answers use it: by record, with the answer before, and all lines of a place. */
export function lookingWith(parts: LookingParts): Looking {
  const askUntil = (signal: AbortSignal): { ask: Ask; both: AbortSignal } => {
    const began = performance.now();
    const both = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]);
    return { ask: asker(parts.store, both, () => (WITHIN_MS - (performance.now() - began)) / 1000), both };
  };
  return {
    search({ record, before, limit }, signal) {
      const { ask, both } = askUntil(signal);
      return searchWith(
        parts,
        {
          query: record.question,
          within: record.within.length === 0 ? null : record.within,
          mode: "hybrid",
          limit,
          language: record.language,
        },
        ask,
        both,
        beforeOf(before),
      );
    },
    async windows(_record, hits, signal): Promise<FoundWindow[]> {
      const { ask } = askUntil(signal);
      const [lines, facts] = await Promise.all([
        linesOf(
          ask,
          hits.map(({ channelId, atMs, chatAtMs }) => ({
            channelId,
            fromMs: Math.min(atMs, chatAtMs) - BEFORE_MS,
            toMs: chatAtMs + AFTER_MS,
          })),
        ),
        parts.streams([...new Set(hits.map(({ channelId }) => channelId))]),
      ]);
      return hits.map((hit, i) => {
        const about = facts.get(hit.channelId);
        const speaking = new Set(hit.lines.map(({ id }) => id));
        return {
          hit,
          title: about?.title ?? "",
          // When a live channel's stream began stands in no record: its places are told by the time of day (UTC).
          zeroMs: about?.startMs ?? Math.floor(hit.startMs / DAY_MS) * DAY_MS,
          lines: (lines[i] ?? []).map(({ id, sentAtMs, text }) => ({
            id,
            atMs: sentAtMs,
            text,
            speaksOfIt: speaking.has(id),
          })),
        };
      });
    },
  };
}

/** What "the next one" goes on from: the place that the answer before gave first. */
function beforeOf(before: Record_ | null): Before | null {
  const hit: Hit | undefined = before?.hits[0];
  return before === null || hit === undefined
    ? null
    : { question: before.question, channelId: hit.channelId, atMs: hit.atMs };
}
