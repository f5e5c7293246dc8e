import { z } from "zod";
import { channelId, login } from "./event.ts";
import { chatLine } from "./chat.ts";
import type { Question } from "./question.ts";
import { CERTAINTIES } from "./vod-words.ts";

export const LONGEST_QUERY = 10_000;

/** Where to look: streams or live channels by the id under which they stand in the store, each whole or a part of it. */
export const within = z.array(
  z.object({ channelId, fromMs: z.int().nullable().default(null), toMs: z.int().nullable().default(null) }),
);

/** A chat line that proves it. */
export const evidence = chatLine
  .pick({ id: true, sentAtMs: true, userId: true, login: true, name: true, text: true, emotes: true })
  .extend({
    /** Lines of nearly the same text around it, this one included. */
    similar: z.int(),
    /** Words of it that the question asked for: code units from–to. */
    marks: z.array(z.tuple([z.int(), z.int()])),
  });
export type Evidence = z.infer<typeof evidence>;

/** A place. Times are event time; whoever shows it subtracts the stream's start. */
export const hit = z.object({
  rank: z.int(),
  channelId,
  /** When it happened: chat's onset minus the lag, or a moment's own onset. */
  atMs: z.int(),
  /** ± so much. */
  errorMs: z.int(),
  /** When chat began to speak of it. */
  chatAtMs: z.int(),
  /** What to play or cut: begins before `atMs`. */
  startMs: z.int(),
  endMs: z.int(),
  /** 0–1, comparable between questions: calibrated on questions with known answers. */
  score: z.number(),
  certainty: z.enum(CERTAINTIES),
  /** What the score was made of: `keyword`, `semantic`, `burst`, `moment` …, 0–1 each. */
  parts: z.record(z.string(), z.number()),
  chunkIds: z.array(z.string()),
  momentId: z.string().nullable(),
  lines: z.array(evidence),
  /** In the question's language. */
  why: z.string(),
  /** Facts of picture and sound there, as words. */
  screen: z.string(),
});
export type Hit = z.infer<typeof hit>;

/** What was understood of a question: shown, so that a person can say otherwise. */
export const understood = z.object({
  language: z.enum(["en", "ru", "other"]),
  /** What is searched for, after the rest was taken out. */
  text: z.string(),
  emotes: z.array(z.string()),
  people: z.array(z.string()),
  /** "the second time" 2, "the last time" −1; null: the best. */
  nth: z.int().nullable(),
  /** "near the end", "in the first hour": seconds from the start, negative from the end. */
  fromS: z.number().nullable(),
  toS: z.number().nullable(),
  /** `place`: where was this · `best`: the juiciest moments · `next`, `earlier`: goes on from the answer before. */
  kind: z.enum(["place", "best", "next", "earlier"]),
});
export type Understood = z.infer<typeof understood>;

export const SEARCH_MODES = ["hybrid", "keyword", "semantic"] as const;

export const searched = z.object({
  understood,
  /** Best first; also those below the threshold, which `found` does not count. */
  hits: z.array(hit),
  /** True when the best one reaches `needed`. */
  found: z.boolean(),
  best: z.number(),
  needed: z.number(),
  /** What was looked through. */
  chunks: z.int(),
  channels: z.int(),
  /** Chunks of the scope that have no vector of the present model yet: found by words alone. */
  withoutVector: z.int(),
  model: z.string(),
  tookMs: z.number(),
});
export type Searched = z.infer<typeof searched>;

/** KV bucket of answers; key: answer id. Whoever asks writes it as `asked`; the oracle takes it from there. */
export const ANSWERS_BUCKET = "answers";
export const answerId = z
  .string()
  .regex(/^[0-9a-z]{8,40}$/, "an answer id is 8 to 40 lower-case letters and digits");
export const ANSWER_STATES = ["asked", "searching", "reading", "done", "failed", "stopped"] as const;

export const FEEDBACK = ["right", "wrong", "earlier_5s", "later_5s", "none_of_these"] as const;
export const feedback = z.object({
  /** Rank of the hit that it is about; 0: the answer as a whole. */
  rank: z.int().min(0).max(50),
  verdict: z.enum(FEEDBACK),
  atMs: z.int(),
});

export const answer = z.object({
  id: answerId,
  revision: z.int(),
  state: z.enum(ANSWER_STATES),
  askedAtMs: z.int(),
  /** When whoever writes it last did: an unfinished answer that nobody touches is taken up again. */
  touchedAtMs: z.int(),
  /** Exactly as it was asked. */
  question: z.string().max(LONGEST_QUERY),
  /** Empty: everything that is stored. */
  within,
  /** As it was chosen on the page, to be chosen again: `stream`, `channel`, `all`. */
  scope: z.object({
    kind: z.enum(["stream", "channel", "all"]),
    stream: login.nullable(),
    channel: login.nullable(),
  }),
  language: z.enum(["en", "ru"]),
  /** The answer that this one goes on from. */
  after: answerId.nullable(),
  understood: understood.nullable(),
  /** Grows while it is written. */
  text: z.string(),
  found: z.boolean().nullable(),
  best: z.number().nullable(),
  needed: z.number().nullable(),
  hits: z.array(hit),
  /** The nearest places of an answer that found nothing. */
  nearest: z.array(hit),
  searched: z.object({ chunks: z.int(), channels: z.int(), withoutVector: z.int() }).nullable(),
  /** Who wrote it: a language model, or the lines themselves. */
  by: z.enum(["model", "extract"]).nullable(),
  /** Set when a model was asked; also when its answer was refused and the lines answer instead. */
  model: z
    .object({
      name: z.string(),
      promptVersion: z.string(),
      inputTokens: z.int(),
      outputTokens: z.int(),
      /** By the settings' prices; null: none are set. */
      costUsd: z.number().nullable(),
      /** Why its answer does not stand; null: it does. */
      refused: z.string().nullable(),
      repaired: z.boolean(),
    })
    .nullable(),
  tookMs: z.number().nullable(),
  error: z.string().nullable(),
  feedback: z.array(feedback),
});
export type Answer = z.infer<typeof answer>;

/** Asked on `ask.search`; the process `oracle` answers it. `within` null: everything that is stored. */
export const searchQuestion = {
  name: "search",
  ask: z.object({
    query: z.string().max(LONGEST_QUERY),
    within: within.nullable(),
    mode: z.enum(SEARCH_MODES),
    limit: z.int().min(1).max(50),
    language: z.enum(["en", "ru"]),
  }),
  answer: searched,
} as const satisfies Question;
