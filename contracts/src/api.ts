import { z } from "zod";
import { login } from "./event.ts";
import { channelSummary, systemState } from "./push.ts";
import { box, channelLayout, chatOverlay, clip, CLIP_STATES, clipId, clipRequest } from "./clip.ts";
import { MARKER_FORMATS } from "./markers.ts";
import { momentDecision, moment } from "./moment.ts";
import { videoState } from "./video.ts";
import {
  audio,
  bursts,
  chatSpan,
  extent,
  forecastRecord,
  forecasts,
  heatmap,
  momentAt,
  momentList,
  shots,
  sparklines,
  topEmotes,
  windows,
} from "./question.ts";
import { namedChannel } from "./wanted.ts";

/** RFC 9457. `type` is `/problems/<code>`; `action` says what the reader can do. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  action: z.string().optional(),
  instance: z.string().optional(),
});
export type Problem = z.infer<typeof problem>;

export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** OpenAPI form: `/api/v1/channels/{login}`. */
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly result: Result;
  readonly status: number;
  /** The answer is a file of one of these types, not JSON. */
  readonly types?: readonly string[];
}

const none = z.object({});
const number = z.coerce.number().int();
const ofChannel = z.object({ login });
const span = z.object({ from: number.optional(), to: number.optional() });
/** The source checks again, and every address that a playlist names. */
const videoAddress = z
  .string()
  .max(2000)
  .regex(
    /^$|^(?:https?|file):\/\/\S+$/i,
    "an http(s) address of a playlist, file:///<path>, or empty for none",
  );
const clipParams = z.object({ id: clipId });

/** Logging in and out, where HYPECAST_TOKEN is set. They need no login themselves; the gateway answers them before all others. */
export const sessionRoutes = {
  logIn: {
    method: "POST",
    path: "/api/v1/session",
    summary: "Log in: sets the session's cookie",
    params: none,
    query: none,
    body: z.object({ token: z.string() }),
    result: none,
    status: 204,
  },
  logOut: {
    method: "DELETE",
    path: "/api/v1/session",
    summary: "Log out",
    params: none,
    query: none,
    body: none,
    result: none,
    status: 204,
  },
} as const satisfies Record<string, Route>;

/** `satisfies` keeps each route's own types; the OpenAPI page and the gateway's router are both made from this list. */
export const routes = {
  listChannels: {
    method: "GET",
    path: "/api/v1/channels",
    summary: "Watched channels with their state",
    params: none,
    query: none,
    body: none,
    result: z.object({ channels: z.array(channelSummary) }),
    status: 200,
  },
  addChannel: {
    method: "POST",
    path: "/api/v1/channels",
    summary: "Watch a channel: by login or link, by the address of an HLS playlist, or <channel>=<address>",
    params: none,
    query: none,
    body: z.object({
      channel: z
        .string()
        .max(2100)
        .refine(
          (text) => namedChannel(text) !== null,
          "no Twitch login or link, and no address of a playlist",
        ),
      /** As in `wantedChannel`; stands over what `channel` says. */
      video: videoAddress.nullable().optional(),
      chat: z.boolean().optional(),
    }),
    result: channelSummary,
    status: 201,
  },
  getChannel: {
    method: "GET",
    path: "/api/v1/channels/{login}",
    summary: "One channel with its state",
    params: ofChannel,
    query: none,
    body: none,
    result: channelSummary,
    status: 200,
  },
  changeChannel: {
    method: "PATCH",
    path: "/api/v1/channels/{login}",
    summary: "Pause or resume; say where its picture comes from",
    params: ofChannel,
    query: none,
    body: z.object({ paused: z.boolean().optional(), video: videoAddress.nullable().optional() }),
    result: channelSummary,
    status: 200,
  },
  removeChannel: {
    method: "DELETE",
    path: "/api/v1/channels/{login}",
    summary: "Stop watching; what was measured stays",
    params: ofChannel,
    query: none,
    body: none,
    result: none,
    status: 204,
  },
  channelExtent: {
    method: "GET",
    path: "/api/v1/channels/{login}/extent",
    summary: "First and last measured time",
    params: ofChannel,
    query: none,
    body: none,
    result: extent.answer,
    status: 200,
  },
  channelWindows: {
    method: "GET",
    path: "/api/v1/channels/{login}/windows",
    summary: "Final windows of a span",
    params: ofChannel,
    query: span.extend({ size: number.default(60), limit: number.default(1000) }),
    body: none,
    result: windows.answer,
    status: 200,
  },
  channelHeatmap: {
    method: "GET",
    path: "/api/v1/channels/{login}/heatmap",
    summary: "Heatmap of any span at a fitting resolution",
    params: ofChannel,
    query: span.extend({ columns: number.default(360) }),
    body: none,
    result: heatmap.answer,
    status: 200,
  },
  channelBursts: {
    method: "GET",
    path: "/api/v1/channels/{login}/bursts",
    summary: "Bursts of a span, newest first",
    params: ofChannel,
    query: span.extend({ limit: number.default(100) }),
    body: none,
    result: bursts.answer,
    status: 200,
  },
  channelEmotes: {
    method: "GET",
    path: "/api/v1/channels/{login}/emotes",
    summary: "Most used emotes of a span",
    params: ofChannel,
    query: span.extend({ limit: number.default(20) }),
    body: none,
    result: topEmotes.answer,
    status: 200,
  },
  channelMoment: {
    method: "GET",
    path: "/api/v1/channels/{login}/moment",
    summary: "What happened then",
    params: ofChannel,
    query: z.object({ at: number, around: number.default(20) }),
    body: none,
    result: momentAt.answer,
    status: 200,
  },
  channelForecasts: {
    method: "GET",
    path: "/api/v1/channels/{login}/forecasts",
    summary: "Forecasts of a span",
    params: ofChannel,
    query: span.extend({ limit: number.default(360) }),
    body: none,
    result: forecasts.answer,
    status: 200,
  },
  channelForecastRecord: {
    method: "GET",
    path: "/api/v1/channels/{login}/forecast-record",
    summary: "How often the forecast was right",
    params: ofChannel,
    query: z.object({ since: number.optional(), limit: number.default(10) }),
    body: none,
    result: forecastRecord.answer,
    status: 200,
  },
  channelSparklines: {
    method: "GET",
    path: "/api/v1/sparklines",
    summary: "A small line for every watched channel",
    params: none,
    query: z.object({ minutes: number.default(30) }),
    body: none,
    result: sparklines.answer,
    status: 200,
  },
  channelVideo: {
    method: "GET",
    path: "/api/v1/channels/{login}/video",
    summary: "What is kept of the channel's picture, and where to play it",
    params: ofChannel,
    query: none,
    body: none,
    /** `playlist`: HLS address on this gateway of everything that is kept; null: nothing is. */
    result: z.object({ video: videoState.nullable(), playlist: z.string().nullable() }),
    status: 200,
  },
  channelShots: {
    method: "GET",
    path: "/api/v1/channels/{login}/shots",
    summary: "Shots of a span with their scores",
    params: ofChannel,
    query: span.extend({ limit: number.default(1000) }),
    body: none,
    result: shots.answer,
    status: 200,
  },
  channelAudio: {
    method: "GET",
    path: "/api/v1/channels/{login}/audio",
    summary: "Loudness of a span at a fitting resolution",
    params: ofChannel,
    query: span.extend({ columns: number.default(360) }),
    body: none,
    result: audio.answer,
    status: 200,
  },
  channelMoments: {
    method: "GET",
    path: "/api/v1/channels/{login}/moments",
    summary: "Moments of a span, newest first, with what people decided about them",
    params: ofChannel,
    query: span.extend({ limit: number.default(100) }),
    body: none,
    result: momentList.answer.extend({
      moments: z.array(moment.extend({ decision: momentDecision.nullable() })),
    }),
    status: 200,
  },
  decideMoment: {
    method: "PATCH",
    path: "/api/v1/channels/{login}/moments/{id}",
    summary: "Keep, discard or move the ends of a moment; null takes it back",
    params: ofChannel.extend({ id: z.string().min(1).max(200) }),
    query: none,
    body: momentDecision.pick({ verdict: true, startMs: true, endMs: true }).partial(),
    result: momentDecision,
    status: 200,
  },
  markMoment: {
    method: "POST",
    path: "/api/v1/channels/{login}/marks",
    summary: "Remember this moment",
    params: ofChannel,
    query: none,
    body: z.object({
      /** What was on screen then; without it: now. */
      atMs: z.int().optional(),
      label: z.string().max(140).default(""),
      via: z.enum(["key", "api"]).default("api"),
    }),
    result: z.object({ id: z.string(), atMs: z.int() }),
    status: 201,
  },
  channelMarkers: {
    method: "GET",
    path: "/api/v1/channels/{login}/markers",
    summary: "Moments of a span for an editing program or a video's description",
    params: ofChannel,
    query: span.extend({
      format: z.enum(MARKER_FORMATS),
      /** Frames a second of the timeline, 23.976 and 29.97 among them. */
      fps: z.coerce.number().min(1).max(240).default(30),
      language: z.enum(["en", "ru"]).default("en"),
    }),
    body: none,
    result: z.string(),
    status: 200,
    types: ["text/csv", "text/plain", "application/xml"],
  },
  channelChat: {
    method: "GET",
    path: "/api/v1/channels/{login}/chat",
    summary: "Chat lines of a span, without those that moderators removed",
    params: ofChannel,
    query: span.extend({ limit: number.default(2000) }),
    body: none,
    result: chatSpan.answer,
    status: 200,
  },
  getLayout: {
    method: "GET",
    path: "/api/v1/channels/{login}/layout",
    summary: "How this channel's clips are laid out",
    params: ofChannel,
    query: none,
    body: none,
    result: channelLayout,
    status: 200,
  },
  changeLayout: {
    method: "PATCH",
    path: "/api/v1/channels/{login}/layout",
    summary: "Draw the camera's box, choose the crop and how chat is shown",
    params: ofChannel,
    query: none,
    // What is absent stays as it is, so no defaults here.
    body: z.object({
      facecam: box.nullable().optional(),
      cropX: z.number().min(0).max(1).optional(),
      chat: chatOverlay.optional(),
    }),
    result: channelLayout,
    status: 200,
  },
  makeClip: {
    method: "POST",
    path: "/api/v1/clips",
    summary: "Make a clip; it is queued at once",
    params: none,
    query: none,
    body: clipRequest,
    result: clip,
    status: 202,
  },
  listClips: {
    method: "GET",
    path: "/api/v1/clips",
    summary: "Clips, newest first",
    params: none,
    query: z.object({
      login: login.optional(),
      state: z.enum(CLIP_STATES).optional(),
      before: number.optional(),
      limit: number.default(60),
    }),
    body: none,
    result: z.object({ clips: z.array(clip), more: z.boolean() }),
    status: 200,
  },
  getClip: {
    method: "GET",
    path: "/api/v1/clips/{id}",
    summary: "One clip",
    params: clipParams,
    query: none,
    body: none,
    result: clip,
    status: 200,
  },
  changeClip: {
    method: "PATCH",
    path: "/api/v1/clips/{id}",
    summary: "Cancel or retry its job, rename it, share it or take the link back",
    params: clipParams,
    query: none,
    body: z.object({
      job: z.enum(["cancel", "retry"]).optional(),
      title: z.string().max(140).optional(),
      shared: z.boolean().optional(),
    }),
    result: clip,
    status: 200,
  },
  removeClip: {
    method: "DELETE",
    path: "/api/v1/clips/{id}",
    summary: "Delete a clip with its files",
    params: clipParams,
    query: none,
    body: none,
    result: none,
    status: 204,
  },
  system: {
    method: "GET",
    path: "/api/v1/system",
    summary: "Every part with its health, lag and figures",
    params: none,
    query: none,
    body: none,
    result: systemState,
    status: 200,
  },
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof routes;
