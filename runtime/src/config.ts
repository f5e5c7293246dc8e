import { z } from "zod";

const url = (protocols: string) =>
  z
    .string()
    .regex(
      new RegExp(`^(?:${protocols})://[^\\s]+$`),
      `an address that begins with ${protocols.replaceAll("|", ":// or ")}://`,
    );
const port = z.coerce.number().int().min(0).max(65535);
const flag = z.enum(["", "0", "1", "true", "false"]).transform((text) => text === "1" || text === "true");

/** Every setting of every process: its environment name, what it means, its default and its shape. `.env.example` and docs/operations.md list the same, held by a test. */
export const settings = {
  HYPECAST_HOST: [
    z.string().min(1),
    "127.0.0.1",
    "Address that the gateway binds to. Anything but loopback needs HYPECAST_TOKEN or HYPECAST_SIGN_IN.",
  ],
  HYPECAST_PORT: [port, "4200", "Port of the web app, the API and the websocket."],
  HYPECAST_TOKEN: [
    z.string(),
    "",
    "The operator's login token, at least 20 characters. Empty: none; without HYPECAST_SIGN_IN no login then, on loopback only.",
  ],
  HYPECAST_PUBLIC_URL: [
    z.string().regex(/^$|^https?:\/\/[^\s/]+$/, "empty, or an address like https://hype.example.org"),
    "",
    "Address under which people reach the web app: Twitch sends them back there after signing in. Empty: http://<host>:<port>.",
  ],
  HYPECAST_SIGN_IN: [
    z.enum(["", "twitch"]),
    "",
    "twitch: people sign in with Twitch, and see and do what their roles allow (TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET). Empty: the token, or on loopback nothing.",
  ],
  HYPECAST_SECRET: [
    z
      .string()
      .regex(
        /^$|^[A-Za-z0-9_-]{43}$/,
        "empty, or 32 random bytes as base64url: openssl rand -base64 32 | tr +/ -_ | tr -d =",
      ),
    "",
    "Key that seals what must not be read from disk (tokens, names in the journal) and makes keyed hashes: 32 bytes as base64url. Empty: one is made in HYPECAST_DATA.",
  ],
  HYPECAST_ORIGINS: [
    z.string(),
    "",
    "Further origins, comma-separated, from which pages may open the websocket (behind a proxy).",
  ],
  HYPECAST_DATA: [z.string().min(1), ".hypecast", "Folder for everything that is kept."],
  HYPECAST_EMBEDDED: [
    z
      .string()
      .regex(
        /^(?:(?:nats|redis|clickhouse)(?:,|$))*$/,
        "a comma-separated choice of nats, redis, clickhouse",
      ),
    "nats,redis,clickhouse",
    "Servers that `up` starts itself, at their addresses below. Leave out those that you run yourself.",
  ],
  HYPECAST_LOG_LEVEL: [
    z.enum(["debug", "info", "warn", "error"]),
    "info",
    "What is logged, as JSON lines on stderr.",
  ],
  HYPECAST_NATS_URL: [z.string().min(1), "nats://127.0.0.1:4201", "NATS servers, comma-separated."],
  HYPECAST_NATS_REPLICAS: [
    z.coerce.number().int().min(1).max(5),
    "1",
    "Copies of each stream: 3 on a cluster.",
  ],
  HYPECAST_REDIS_URL: [
    url("redis|rediss|unix"),
    "redis://127.0.0.1:4202",
    "Redis for shared rate limits and the answer cache; unix://<path> for a socket.",
  ],
  HYPECAST_CLICKHOUSE_URL: [
    url("http|https"),
    "http://127.0.0.1:4203",
    "ClickHouse's HTTP address; the embedded engine listens there too.",
  ],
  HYPECAST_CLICKHOUSE_USER: [z.string(), "default", "User that may write."],
  HYPECAST_CLICKHOUSE_PASSWORD: [z.string(), "", "Its password."],
  HYPECAST_CLICKHOUSE_DATABASE: [
    z.string().regex(/^[A-Za-z_]\w*$/),
    "hypecast",
    "Database; created when missing.",
  ],
  HYPECAST_CLICKHOUSE_CLUSTER: [z.string(), "", "Cluster name for replicated tables. Empty: one server."],
  HYPECAST_CLICKHOUSE_MEMORY_MB: [
    z.coerce.number().int().min(512).max(1_000_000),
    "2048",
    "Memory that the embedded ClickHouse may take.",
  ],
  HYPECAST_ANALYST_PASSWORD: [
    z.string(),
    "",
    "Password of the read-only user analyst of the embedded ClickHouse. Empty: none is asked, loopback only.",
  ],
  HYPECAST_RAW_HOURS: [
    z.coerce
      .number()
      .int()
      .min(1)
      .max(24 * 365),
    "24",
    "Hours that raw chat lines are kept.",
  ],
  HYPECAST_OBJECTS: [
    z
      .string()
      .regex(
        /^(?!s3:)|^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[\w-][\w./-]*)?$/,
        "empty, a folder, or s3://bucket or s3://bucket/prefix",
      ),
    "",
    "Where segments, frames and clips are kept: a folder, or s3://bucket/prefix. Empty: the folder objects in HYPECAST_DATA.",
  ],
  HYPECAST_S3_ENDPOINT: [
    url("http|https"),
    "https://s3.us-east-1.amazonaws.com",
    "Address of the S3-compatible server; buckets are addressed by path.",
  ],
  HYPECAST_S3_REGION: [z.string().min(1), "us-east-1", "Its region, as requests are signed for."],
  HYPECAST_S3_KEY: [z.string(), "", "Its access key id."],
  HYPECAST_S3_SECRET: [z.string(), "", "Its secret access key."],
  HYPECAST_CLIP_JOBS: [
    z.coerce.number().int().min(1).max(64),
    "1",
    "Clips that one process renders at a time; instant ones do not wait for them.",
  ],
  HYPECAST_CLIP_THREADS: [z.coerce.number().int().min(1).max(64), "2", "Threads of one clip's encoder."],
  HYPECAST_IMPORT_JOBS: [
    z.coerce.number().int().min(1).max(64),
    "2",
    "Streams that one process imports at a time; they share the folds about equally.",
  ],
  HYPECAST_VIDEO_HOSTS: [
    z
      .string()
      .regex(
        /^(?:\*|(?:\*\.)?[\w.:-]+)?(?:\s*,\s*(?:\*|(?:\*\.)?[\w.:-]+))*$/,
        "host patterns, comma-separated: *, example.org, *.example.org",
      ),
    "*",
    "Hosts that video may be fetched from, comma-separated: example.org, *.example.org; * is every public one.",
  ],
  HYPECAST_VIDEO_PRIVATE_HOSTS: [
    z.string().regex(/^(?:[\w.:-]+:\d{1,5}(?:\s*,\s*|$))*$/, "host:port, comma-separated"),
    "",
    "host:port of playlists and segments that may be on private or loopback addresses, comma-separated. Empty: none.",
  ],
  HYPECAST_VIDEO_HEIGHT: [
    z.coerce.number().int().min(144).max(4320),
    "1080",
    "Lines of the best rendition that is kept for the player and clips.",
  ],
  HYPECAST_VIDEO_SEGMENT_MB: [
    z.coerce.number().int().min(1).max(512),
    "32",
    "A segment that is larger is not kept.",
  ],
  HYPECAST_VIDEO_HOURS: [
    z.coerce.number().min(0.05).max(48),
    "2",
    "Hours of video that are kept of each channel.",
  ],
  HYPECAST_VIDEO_GB: [
    z.coerce.number().min(0.01).max(100_000),
    "10",
    "Gigabytes of video that are kept of each channel; whichever is reached first.",
  ],
  TWITCH_VIDEO_COMMAND: [
    z.string(),
    "",
    "Program that prints the HLS address of a Twitch channel, split at spaces, {login} replaced (Streamlink: streamlink --stream-url twitch.tv/{login}). Not an official way of Twitch's. Empty: no video of Twitch channels.",
  ],
  TWITCH_VOD_COMMAND: [
    z.string(),
    "",
    "Program that prints the HLS address of a Twitch video of the past, split at spaces, {id} replaced by its number (Streamlink: streamlink --stream-url twitch.tv/videos/{id} best). Not an official way of Twitch's. Empty: of a link to Twitch no picture is imported.",
  ],
  HYPECAST_IMPORT_PICTURE: [
    z.enum(["kept", "asked"]),
    "kept",
    "What is imported of the picture behind a link that has chat too. kept: all of it, measured and joined with chat. asked: a segment when a player or a clip needs it; nothing of it is measured.",
  ],
  HYPECAST_FRAMES: [
    z.enum(["auto", "gstreamer", "ffmpeg"]),
    "auto",
    "Who decodes video for measuring. auto: GStreamer through our binding where it is built, else ffmpeg.",
  ],
  HYPECAST_MEDIA_WORKERS: [
    z.coerce.number().int().min(0).max(64),
    "0",
    "Processes that decode and measure video, on each machine. 0: one for each core, 8 at most.",
  ],
  HYPECAST_MEDIA_BEHIND_S: [
    z.coerce.number().int().min(0).max(86_400),
    "10",
    "Video that waits this many seconds to be measured, and longer and longer, costs the channels added first their measuring. 0: never.",
  ],
  HYPECAST_SCORER: [
    z.enum(["onnx", "triton"]),
    "onnx",
    "Who runs the models: onnxruntime in the process, or a Triton server.",
  ],
  HYPECAST_MODELS: [
    z.string(),
    "",
    "Folder of further models in Triton's layout, before those that come with the program (see docs/models.md). Empty: none.",
  ],
  HYPECAST_LLM_URL: [
    z.string().regex(/^$|^https?:\/\/[^\s]+$/, "empty, or an address that begins with http:// or https://"),
    "",
    "OpenAI-compatible API that reads the found lines and answers in words, up to and with /v1. Empty: the lines answer themselves.",
  ],
  HYPECAST_LLM_KEY: [z.string(), "", "Its key. Empty: none is sent."],
  HYPECAST_LLM_MODEL: [z.string().min(1), "gpt-4o-mini", "Name of the model."],
  HYPECAST_LLM_PRICES: [
    z.string().regex(/^$|^\d+(?:\.\d+)?\/\d+(?:\.\d+)?$/, "empty, or two prices like 0.15/0.6"),
    "",
    "US dollars for a million tokens read and written, like 0.15/0.6. Empty: costs are not shown.",
  ],
  HYPECAST_LLM_SECONDS: [
    z.coerce.number().int().min(1).max(600),
    "30",
    "An answer that takes longer is given up, and the lines answer themselves.",
  ],
  HYPECAST_EMBED: [
    z.string().min(1),
    "static",
    "Who makes vectors of chat for the search: static (our own, no network), a sentence-transformers folder with an ONNX graph, or an OpenAI-compatible API up to and with /v1, to which the text of chunks is sent.",
  ],
  HYPECAST_EMBED_MODEL: [z.string().min(1), "text-embedding-3-small", "Name of the API's model."],
  HYPECAST_EMBED_KEY: [z.string(), "", "The API's key. Empty: none is sent."],
  HYPECAST_EMBED_DIMENSIONS: [
    z.coerce.number().int().min(0).max(8192),
    "0",
    "Length of the API's vectors, where its model can shorten them. 0: as it gives them.",
  ],
  HYPECAST_EMBED_PRICE: [
    z.string().regex(/^$|^\d+(?:\.\d+)?$/, "empty, or a price like 0.02"),
    "",
    "US dollars for a million tokens, like 0.02. Empty: costs are not shown.",
  ],
  HYPECAST_EMBED_LIMITS: [
    z.string().regex(/^[1-9]\d*\/[1-9]\d*$/, "requests and tokens a minute, like 3000/1000000"),
    "3000/1000000",
    "Requests and tokens a minute that are sent to the API at most.",
  ],
  HYPECAST_TRITON_URL: [url("http|https"), "http://127.0.0.1:8000", "Triton's HTTP address (KServe v2)."],
  HYPECAST_UPLOAD_GB: [
    z.coerce.number().min(0.001).max(10_000),
    "50",
    "Gigabytes that one uploaded file may have.",
  ],
  HYPECAST_WEBHOOK_PRIVATE: [flag, "0", "1: webhooks may be sent to loopback and private addresses."],
  TWITCH_IRC_URL: [
    url("wss|ws|irc|ircs"),
    "wss://irc-ws.chat.twitch.tv:443",
    "Twitch chat: websocket (wss, ws) or TCP (ircs, irc).",
  ],
  TWITCH_LOGIN: [z.string(), "", "Account that reads chat. Empty: anonymous."],
  TWITCH_TOKEN: [z.string(), "", "Its OAuth token with chat:read. Empty: anonymous."],
  TWITCH_CLIENT_ID: [z.string(), "", "Application id for Helix. Empty: no titles, games or link previews."],
  TWITCH_CLIENT_SECRET: [z.string(), "", "Its secret."],
  TWITCH_CLIP_TOKEN: [
    z.string(),
    "",
    "OAuth token with clips:edit: a clip of what is live is made on Twitch too. Empty: none is.",
  ],
  TWITCH_UNOFFICIAL_CHAT_URL: [
    z.union([z.literal(""), url("http|https")]),
    "",
    "Address of the GraphQL call by which Twitch's player reads the chat of a video (https://gql.twitch.tv/gql). Not an official way of Twitch's, and it breaks often. Empty: chat comes from files.",
  ],
  TWITCH_UNOFFICIAL_CHAT_CLIENT: [z.string(), "", "Client id that this call is made with."],
  TWITCH_HELIX_URL: [url("http|https"), "https://api.twitch.tv/helix", "Helix API."],
  TWITCH_ID_URL: [url("http|https"), "https://id.twitch.tv/oauth2", "Where application tokens come from."],
  TWITCH_EVENTSUB_URL: [
    url("wss|ws"),
    "wss://eventsub.wss.twitch.tv/ws",
    "EventSub over websocket (used by moderation).",
  ],
  TWITCH_EMOTE_URL: [
    url("http|https"),
    "https://static-cdn.jtvnw.net/emoticons/v2",
    "Images of Twitch's own emotes.",
  ],
  BTTV_API_URL: [url("http|https"), "https://api.betterttv.net/3", "BetterTTV emote sets."],
  BTTV_CDN_URL: [url("http|https"), "https://cdn.betterttv.net/emote", "BetterTTV images."],
  FFZ_API_URL: [url("http|https"), "https://api.frankerfacez.com/v1", "FrankerFaceZ emote sets."],
  FFZ_CDN_URL: [url("http|https"), "https://cdn.frankerfacez.com/emote", "FrankerFaceZ images."],
  SEVENTV_API_URL: [url("http|https"), "https://7tv.io/v3", "7TV emote sets."],
  SEVENTV_EVENTS_URL: [url("wss|ws"), "wss://events.7tv.io/v3", "7TV changes as they happen."],
  SEVENTV_CDN_URL: [url("http|https"), "https://cdn.7tv.app/emote", "7TV images."],
  HYPECAST_ALLOW_PRIVATE_EMOTES: [
    flag,
    "0",
    "1: emote images may come from loopback and private addresses (the demo).",
  ],
} as const satisfies Record<string, readonly [z.ZodType, string, string]>;

type Settings = typeof settings;
export type Config = { readonly [Name in keyof Settings]: z.output<Settings[Name][0]> };

/** Reads and checks all settings at once. Throws one Error that names each wrong one, what it is and what it should be. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const wrong: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, [schema, fallback]] of Object.entries(settings)) {
    const text = env[name] ?? fallback;
    const read = schema.safeParse(text);
    if (read.success) config[name] = read.data;
    else wrong.push(`${name}=${JSON.stringify(text)}: ${read.error.issues[0]?.message ?? "not understood"}`);
  }
  if (wrong.length > 0) throw new Error(`wrong settings:\n  ${wrong.join("\n  ")}`);
  return config as unknown as Config;
}
