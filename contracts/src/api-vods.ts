import { z } from "zod";
import type { Route } from "./api.ts";
import { login } from "./event.ts";
import { answer, answerId, feedback, hit, LONGEST_QUERY, SEARCH_MODES, searched } from "./oracle.ts";
import { uploadId } from "./upload.ts";
import { vod, vodId, vodRequest } from "./vod.ts";
import { VOD_STATES } from "./vod-words.ts";
import { webhook, WEBHOOK_EVENTS, webhookId } from "./webhook.ts";

const none = z.object({});
const number = z.coerce.number().int();
const ofVod = z.object({ id: vodId });

/** A page of a list: `next` is given back as `cursor`; null: this was the last one. */
const cursor = z.string().max(200).optional();
const page = { next: z.string().nullable() };

/** A stream as it is listed: the record and what a card needs beside it. */
const scope = z.object({
  kind: z.enum(["stream", "channel", "all"]).default("all"),
  /** Kind `stream`: an imported stream's id, or a watched channel's login (what is kept of it). */
  stream: login.nullable().default(null),
  /** Kind `channel`: all streams of this broadcaster. */
  channel: login.nullable().default(null),
});

/** A place as the API tells it: the hit, and where that is in its stream. */
export const place = hit.extend({
  /** The stream's id or the channel's login. */
  stream: login,
  title: z.string(),
  /** Seconds from the stream's start, and the same as h:mm:ss. */
  atS: z.number(),
  timecode: z.string(),
  /** The page that plays it. */
  link: z.string(),
});
export type Place = z.infer<typeof place>;

export const vodRoutes = {
  addStream: {
    method: "POST",
    path: "/api/v1/streams",
    summary: "Import a stream: a Twitch VOD link, an HLS address, uploaded files, or both",
    params: none,
    query: none,
    body: vodRequest,
    /** `task_id` is the stream's id; `existing`: the same chat is here already under this id, and nothing was begun. */
    result: z.object({ task_id: z.string(), stream: vod, existing: z.boolean() }),
    status: 202,
  },
  listStreams: {
    method: "GET",
    path: "/api/v1/streams",
    summary: "Imported streams, newest first",
    params: none,
    query: z.object({
      status: z.enum(VOD_STATES).optional(),
      channel: login.optional(),
      text: z.string().max(200).optional(),
      sort: z.enum(["newest", "oldest", "longest", "liveliest"]).default("newest"),
      before: number.optional(),
      after: number.optional(),
      cursor,
      limit: number.default(60),
    }),
    body: none,
    result: z.object({ streams: z.array(vod), counts: z.record(z.enum(VOD_STATES), z.int()), ...page }),
    status: 200,
  },
  getStream: {
    method: "GET",
    path: "/api/v1/streams/{id}",
    summary: "One imported stream with its stages, completeness and what can be used already",
    params: ofVod,
    query: none,
    body: none,
    result: vod,
    status: 200,
  },
  changeStream: {
    method: "PATCH",
    path: "/api/v1/streams/{id}",
    summary: "Rename it; cancel its import, or try it again from the stage that failed; add a file to it",
    params: ofVod,
    query: none,
    body: z.object({
      title: z.string().min(1).max(200).optional(),
      job: z.enum(["cancel", "retry"]).optional(),
      chatUpload: uploadId.optional(),
      videoUpload: uploadId.optional(),
    }),
    result: vod,
    status: 200,
  },
  removeStream: {
    method: "DELETE",
    path: "/api/v1/streams/{id}",
    summary: "Delete a stream with its chat, vectors and picture; finished clips of it stay",
    params: ofVod,
    query: none,
    body: none,
    result: none,
    status: 204,
  },
  taskStatus: {
    method: "GET",
    path: "/api/v1/status/{task_id}",
    summary: "How far an import or a render is, in percent",
    params: z.object({ task_id: z.string().min(1).max(64) }),
    query: none,
    body: none,
    result: z.object({
      task_id: z.string(),
      kind: z.enum(["import", "render"]),
      status: z.enum(VOD_STATES),
      percent: z.number(),
      stage: z.string().nullable(),
      eta_s: z.number().nullable(),
      error: z.string().nullable(),
    }),
    status: 200,
  },
  search: {
    method: "POST",
    path: "/api/v1/search",
    summary: "Find moments by words and by meaning, without a language model",
    params: none,
    query: none,
    body: z.object({
      query: z.string().max(LONGEST_QUERY),
      scope: scope.prefault({}),
      mode: z.enum(SEARCH_MODES).default("hybrid"),
      limit: z.int().min(1).max(50).default(10),
      language: z.enum(["en", "ru"]).default("en"),
    }),
    result: searched.extend({ hits: z.array(place) }),
    status: 200,
  },
  ask: {
    method: "POST",
    path: "/api/v1/answers",
    summary: "Ask the oracle: the answer is written while its events are read",
    params: none,
    query: none,
    body: z.object({
      question: z.string().max(LONGEST_QUERY),
      scope: scope.prefault({}),
      /** The answer that this one goes on from: "and the next one?". */
      after: answerId.nullable().default(null),
      language: z.enum(["en", "ru"]).default("en"),
    }),
    result: answer.extend({ hits: z.array(place), nearest: z.array(place) }),
    status: 202,
  },
  getAnswer: {
    method: "GET",
    path: "/api/v1/answers/{id}",
    summary: "An answer by its id",
    params: z.object({ id: answerId }),
    query: none,
    body: none,
    result: answer.extend({ hits: z.array(place), nearest: z.array(place) }),
    status: 200,
  },
  judgeAnswer: {
    method: "POST",
    path: "/api/v1/answers/{id}/feedback",
    summary: "Right, wrong, 5 s earlier, 5 s later, none of these; kept for evaluation",
    params: z.object({ id: answerId }),
    query: none,
    body: feedback.omit({ atMs: true }),
    result: answer.extend({ hits: z.array(place), nearest: z.array(place) }),
    status: 200,
  },
  stopAnswer: {
    method: "DELETE",
    path: "/api/v1/answers/{id}",
    summary: "Stop writing an answer, and forget it",
    params: z.object({ id: answerId }),
    query: none,
    body: none,
    result: none,
    status: 204,
  },
  render: {
    method: "POST",
    path: "/api/v1/render",
    summary: "Make an MP4 of a place: seconds of a stream; several places make a numbered batch, or one film",
    params: none,
    query: none,
    body: z.object({
      parts: z
        .array(
          z.object({
            stream: login,
            /** Seconds from the stream's start. */
            fromS: z.number().min(0).max(1e7),
            toS: z.number().min(0).max(1e7),
            title: z.string().max(140).default(""),
          }),
        )
        .min(1)
        .max(30),
      /** `clips`: one clip a part, numbered; `film`: all parts in one, with transitions. */
      as: z.enum(["clips", "film"]).default("clips"),
      layouts: z
        .array(z.enum(["16:9", "9:16", "9:16-stacked"]))
        .min(1)
        .max(3)
        .default(["16:9"]),
      /** `chat`: no picture is asked for: the chat itself, with the curve of its mood. `auto`: a picture where there is one. */
      picture: z.enum(["auto", "video", "chat"]).default("auto"),
      chat: z.boolean().default(true),
      title: z.string().max(140).default(""),
    }),
    result: z.object({ task_ids: z.array(z.string()) }),
    status: 202,
  },
  listWebhooks: {
    method: "GET",
    path: "/api/v1/webhooks",
    summary: "Webhooks, without their secrets",
    params: none,
    query: none,
    body: none,
    result: z.object({ webhooks: z.array(webhook.omit({ secret: true })) }),
    status: 200,
  },
  addWebhook: {
    method: "POST",
    path: "/api/v1/webhooks",
    summary: "Be told of what becomes ready; the answer holds the secret, once",
    params: none,
    query: none,
    body: z.object({
      url: z
        .string()
        .max(2000)
        .regex(/^https?:\/\/\S+$/i, "an http(s) address"),
      events: z.array(z.enum(WEBHOOK_EVENTS)).min(1),
    }),
    result: webhook,
    status: 201,
  },
  removeWebhook: {
    method: "DELETE",
    path: "/api/v1/webhooks/{id}",
    summary: "Be told no more",
    params: z.object({ id: webhookId }),
    query: none,
    body: none,
    result: none,
    status: 204,
  },
} as const satisfies Record<string, Route>;

/**
 * Beside these, not JSON in and out: tus 1.0 uploads at `/api/v1/uploads` (creation, HEAD, PATCH, DELETE), server-sent events at
 * `/api/v1/jobs/{task_id}/events` and `/api/v1/answers/{id}/events` (each event is the whole record, its id the revision; Last-Event-ID is
 * understood), `/s/{id}` (a stream's report: one HTML file). `Idempotency-Key` on every POST of this list.
 */
export const STREAM_PATHS = {
  uploads: "/api/v1/uploads",
  jobEvents: "/api/v1/jobs/{task_id}/events",
  answerEvents: "/api/v1/answers/{id}/events",
} as const;
