import { UNKNOWN_START_MS, vodChannelId, type Vod } from "@hypecast/contracts/vod.ts";
import { newVod } from "@hypecast/contracts/vod-steps.ts";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { Answer, Hit, Searched } from "@hypecast/contracts/oracle.ts";
import type { Upload } from "@hypecast/contracts/upload.ts";
import type { Webhook } from "@hypecast/contracts/webhook.ts";

/** What a program sends, and what comes back. A test sends each to a running gateway that holds RECORDS and compares. */
export interface Example {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  /** Absent: nothing comes back. */
  readonly answer?: unknown;
}

const STREAM_ID = "_0mhx3k2ab8f4w9q1zt";
const ANSWER_ID = "0mhx3k2ac7r5d2m8yp1e";
const UPLOAD_ID = "0mhx3k1zz4n6b3v9xk2s";
const WEBHOOK_ID = "0mhx3k1aa5c7g2j4lq8u";
const CHANNEL_ID = vodChannelId(STREAM_ID, 1);
const AT_MS = 1_795_650_000_000;

const upload: Upload = {
  id: UPLOAD_ID,
  name: "chat.json",
  bytes: 0,
  offset: 0,
  createdAtMs: AT_MS,
  touchedAtMs: AT_MS,
  done: true,
  writer: null,
};
const begun = newVod(
  STREAM_ID,
  {
    url: "https://www.twitch.tv/videos/2345678901",
    chatUpload: UPLOAD_ID,
    videoUpload: null,
    title: "Lava run",
    startMs: null,
    replaces: null,
  },
  AT_MS,
);
const stream: Vod = {
  ...begun,
  revision: 24,
  channelId: CHANNEL_ID,
  run: 1,
  status: "ready",
  readyAtMs: AT_MS + 45_000,
  twitchId: "2345678901",
  broadcaster: { id: "4242", login: "pepel_lamp", name: "Pepel_Lamp" },
  game: "Minecraft",
  durationS: 7200,
  dialect: "twitch-downloader",
  lines: 20_480,
  chatters: 1337,
  moments: 14,
  completeness: { share: 1, holes: [] },
  stages: begun.stages.map((stage) => ({ ...stage, state: "done", progress: 1 })),
  searchableS: 7200,
  progress: 1,
};
const hit: Hit = {
  rank: 1,
  channelId: CHANNEL_ID,
  atMs: UNKNOWN_START_MS + 3_725_000,
  errorMs: 2500,
  chatAtMs: UNKNOWN_START_MS + 3_731_000,
  startMs: UNKNOWN_START_MS + 3_713_000,
  endMs: UNKNOWN_START_MS + 3_743_000,
  score: 0.91,
  certainty: "sure",
  parts: { keyword: 0.88, semantic: 0.7, burst: 1 },
  chunkIds: [`${CHANNEL_ID}:c:946688520000`],
  momentId: null,
  lines: [
    {
      id: "a1b2",
      sentAtMs: UNKNOWN_START_MS + 3_731_000,
      userId: "77",
      login: "fox",
      text: "he fell into the lava KEKW",
      similar: 137,
      marks: [[3, 25]],
    },
  ],
  why: "137 people wrote it within ten seconds",
  screen: "loud",
};
const place = {
  ...hit,
  stream: STREAM_ID,
  title: "Lava run",
  atS: 3725,
  timecode: "1:02:05",
  link: `/vod/${STREAM_ID}?t=3713`,
};
const understood = {
  language: "en",
  text: "fell into the lava",
  emotes: [],
  people: [],
  nth: null,
  fromS: null,
  toS: null,
  kind: "place",
} as const satisfies Searched["understood"];
const searched: Searched = {
  understood,
  hits: [hit],
  found: true,
  best: 0.91,
  needed: 0.45,
  chunks: 214,
  channels: 1,
  withoutVector: 0,
  model: "static-1",
  tookMs: 12,
};
const answer: Answer = {
  id: ANSWER_ID,
  revision: 4,
  state: "done",
  askedAtMs: AT_MS,
  touchedAtMs: AT_MS,
  question: "when did he fall into the lava?",
  within: [{ channelId: CHANNEL_ID, fromMs: null, toMs: null }],
  scope: { kind: "stream", stream: STREAM_ID, channel: null },
  language: "en",
  after: null,
  understood,
  text: "At 1:02:05 he fell into the lava.",
  found: true,
  best: 0.91,
  needed: 0.45,
  hits: [hit],
  nearest: [],
  searched: { chunks: 214, channels: 1, withoutVector: 0 },
  by: "extract",
  model: null,
  tookMs: 40,
  error: null,
  feedback: [],
};
const webhook: Webhook = {
  id: WEBHOOK_ID,
  url: "https://example.org/hypecast",
  events: ["stream.ready", "clip.ready"],
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  createdAtMs: AT_MS,
  last: { atMs: AT_MS, status: 200, detail: "delivered", tries: 1 },
};

/** What a gateway has to hold for the examples to be answered as they say. */
export const RECORDS = { upload, stream, answer, webhook, searched } as const;

const { secret: _secret, ...listed } = webhook;
const answered = { ...answer, hits: [place], nearest: [] };
const scope = { kind: "stream", stream: STREAM_ID } as const;
const ofStream = { id: STREAM_ID };
const ofAnswer = { id: ANSWER_ID };

/** In an order in which they can be sent: what deletes comes last. */
export const EXAMPLES: Readonly<Record<keyof typeof vodRoutes, Example>> = {
  addStream: {
    body: { url: "https://www.twitch.tv/videos/2345678901", chatUpload: UPLOAD_ID, title: "Lava run" },
    answer: { task_id: STREAM_ID, stream, existing: true },
  },
  listStreams: {
    query: { status: "ready", text: "lava", sort: "liveliest", limit: 20 },
    answer: { streams: [stream], counts: { processing: 0, ready: 1, error: 0 }, next: null },
  },
  getStream: { params: ofStream, answer: stream },
  changeStream: {
    params: ofStream,
    body: { title: "Lava run, part 2" },
    answer: { ...stream, title: "Lava run, part 2", revision: 25 },
  },
  taskStatus: {
    params: { task_id: STREAM_ID },
    answer: {
      task_id: STREAM_ID,
      kind: "import",
      status: "ready",
      percent: 100,
      stage: null,
      eta_s: null,
      error: null,
    },
  },
  search: {
    body: { query: "fell into the lava", scope, mode: "hybrid", limit: 5, language: "en" },
    answer: { ...searched, hits: [place] },
  },
  ask: {
    body: { question: "when did he fall into the lava?", scope, language: "en" },
    answer: {
      ...answer,
      revision: 1,
      state: "asked",
      understood: null,
      text: "",
      found: null,
      best: null,
      needed: null,
      hits: [],
      searched: null,
      by: null,
      tookMs: null,
    },
  },
  getAnswer: { params: ofAnswer, answer: answered },
  judgeAnswer: {
    params: ofAnswer,
    body: { rank: 1, verdict: "right" },
    answer: { ...answered, revision: 5, feedback: [{ rank: 1, verdict: "right", atMs: AT_MS }] },
  },
  render: {
    body: {
      parts: [{ stream: STREAM_ID, fromS: 3713, toS: 3743, title: "Into the lava" }],
      layouts: ["16:9", "9:16"],
      picture: "auto",
    },
    answer: { task_ids: ["3f2a9c1d-7b6e5d4c3b2a"] },
  },
  listWebhooks: { answer: { webhooks: [listed] } },
  addWebhook: {
    body: { url: webhook.url, events: webhook.events },
    answer: { ...webhook, last: null },
  },
  removeWebhook: { params: { id: WEBHOOK_ID } },
  stopAnswer: { params: ofAnswer },
  removeStream: { params: ofStream },
};
