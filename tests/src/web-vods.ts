import type { NatsConnection } from "@nats-io/transport-node";
import { Kvm, type KV } from "@nats-io/kv";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { ANSWERS_BUCKET, answer, type Answer, type Hit } from "@hypecast/contracts/oracle.ts";
import { newVod } from "@hypecast/contracts/vod-steps.ts";
import { vodChannelId, vodKey, VODS_BUCKET, vod, type Vod } from "@hypecast/contracts/vod.ts";
import * as video from "../../web/src/routes/dev/parts/sample-video.ts";
import * as sample from "../../web/src/routes/dev/parts/sample.ts";

/** The sample evening once more, as streams that have passed: whole, cut off, and still being read. */
const LENGTH_S = 6130;
export const VOD_START_MS = Date.UTC(2026, 10, 14, 17, 0, 0);
export const WHOLE = "_mi1aaaaawhole00000";
export const BUSY = "_mi1aaaaabusy000000";
export const HEADLESS = "_mi1aaaaaheadless00";
const channelOf = (id: string): string => vodChannelId(id, 1);

function made(id: string, more: Partial<Vod>): Vod {
  const base = newVod(
    id,
    {
      url: null,
      chatUpload: "upload01",
      videoUpload: null,
      title: "Пепельный замок, попытка 27",
      startMs: VOD_START_MS,
      replaces: null,
    },
    VOD_START_MS + 90_000_000,
  );
  const spark = sample.sampleHeatmap(0, LENGTH_S, 60).columns;
  return vod.parse({
    ...base,
    channelId: channelOf(id),
    run: 1,
    status: "ready",
    readyAtMs: base.createdAtMs + 60_000,
    broadcaster: { id: "1001", login: sample.LOGIN, name: "pepel_lamp" },
    game: "Ashen Castle",
    durationS: LENGTH_S,
    dialect: "twitch-downloader",
    chapters: [
      { atS: 0, title: "Разминка" },
      { atS: 1400, title: "Нижний двор" },
      { atS: 3900, title: "Лавовый мост" },
      { atS: 5400, title: "Босс" },
    ],
    lines: 41_208,
    chatters: 3120,
    moments: 4,
    clips: 2,
    completeness: { share: 0.9804, holes: [{ kind: "gap", fromS: 1890, toS: 2010, lines: 0 }] },
    stages: base.stages.map((stage) => ({
      ...stage,
      state: ["video", "measure", "merge"].includes(stage.name) ? "skipped" : "done",
      progress: 1,
    })),
    searchableS: LENGTH_S,
    progress: 1,
    spark: {
      rate: spark.map(({ messagesPerMin }) => messagesPerMin),
      hype: spark.map(({ hype }) => hype),
    },
    best: { atS: 4358, kind: "funny", subject: "laugh", quote: "ОН В ЛАВЕ" },
    ...more,
  });
}

export const sampleVods = (): Vod[] => [
  made(WHOLE, {}),
  made(BUSY, {
    title: "Попытка 30",
    status: "processing",
    readyAtMs: null,
    searchableS: 3900,
    progress: 0.52,
    etaS: 240,
    completeness: null,
    createdAtMs: VOD_START_MS + 600_000_000,
    stages: made(BUSY, {}).stages.map((stage) =>
      stage.name === "windows" || stage.name === "chunks" || stage.name === "embed"
        ? { ...stage, state: "running", progress: 0.64, done: 3900, of: LENGTH_S, rate: 1400, etaS: 240 }
        : stage.name === "moments"
          ? { ...stage, state: "waiting", progress: 0 }
          : stage,
    ),
  }),
  made(HEADLESS, {
    title: "Speedrun practice",
    createdAtMs: VOD_START_MS - 600_000_000,
    completeness: { share: 0.79, holes: [{ kind: "head_missing", fromS: 0, toS: 1260, lines: 0 }] },
    chapters: [],
    startKnown: false,
  }),
];

const WORDS = [
  "на пару пикселей раньше бы",
  "он реально ударил стену",
  "no way he missed that",
  "попытка 27, верим",
  "сколько у босса осталось?",
  "третья фаза сейчас, готовьтесь",
  "лол",
  "what is that jump",
  "спокойно, всё под контролем",
];
const LOUD = ["ОН В ЛАВЕ", "ХАХАХА", "лава лава лава", "LMAO in the lava", "упал прямо в лаву"];
const NAMES = ["lisa_v_lesu", "tihiy_les", "vorobey7", "marmalade", "sonya_k", "dub_1987", "pixelina"];
const LAVA_S = 4363;

/** Lines of one second, the same at every call. */
function linesOf(channelId: string, second: number): ChatLine[] {
  const near = Math.abs(second - LAVA_S - 6) < 14;
  return Array.from({ length: near ? 7 : second % 3 === 0 ? 2 : 1 }, (_, at) => {
    const pick = (second * 7 + at * 13) % 97;
    const words = near ? LOUD : WORDS;
    return {
      id: `${channelId}-${second}-${at}`,
      channelId,
      sentAtMs: VOD_START_MS + second * 1000 + at * 120,
      userId: String(pick % NAMES.length),
      login: NAMES[pick % NAMES.length] ?? "anna",
      text: words[pick % words.length] ?? "",
    };
  });
}

const moved = <Value>(value: Value): Value =>
  JSON.parse(JSON.stringify(value), (_key, found: unknown) =>
    typeof found === "number" && found > 1e12 ? found - sample.START_MS + VOD_START_MS : found,
  ) as Value;

interface Ask {
  channelId?: string;
  fromMs: number;
  toMs: number;
  columns: number;
  query?: string;
  within?: { channelId: string }[] | null;
}

/** What the store says of these streams; null: it is about something else. */
export function vodAnswer(name: string, ask: Ask): unknown {
  const channelId = ask.channelId ?? ask.within?.[0]?.channelId ?? "";
  if (!channelId.startsWith("vod-")) return null;
  const fromS = Math.floor((ask.fromMs - VOD_START_MS) / 1000);
  const toS = Math.ceil((ask.toMs - VOD_START_MS) / 1000);
  switch (name) {
    case "extent":
      return { firstMs: VOD_START_MS, lastMs: VOD_START_MS + LENGTH_S * 1000, messages: 41_208 };
    case "heatmap": {
      const stepS = Math.max(1, Math.round((toS - fromS) / ask.columns));
      return moved({
        ...sample.sampleHeatmap(Math.max(0, fromS), Math.min(LENGTH_S, toS), stepS),
        channelId,
      });
    }
    case "bursts":
      return moved({ bursts: sample.sampleBursts().map((burst) => ({ ...burst, channelId, open: false })) });
    case "moments":
      return moved({
        moments: video
          .sampleMoments()
          .map(({ decision: _none, ...moment }) => ({ ...moment, channelId, state: "final" })),
        lag: { ...video.sampleLag(), channelId },
      });
    case "shots":
      return { shots: [] };
    case "audio":
      return { stepMs: 1000, columns: [] };
    case "chat_span": {
      const lines: ChatLine[] = [];
      for (let second = Math.max(0, fromS); second < Math.min(LENGTH_S, toS); second++)
        lines.push(...linesOf(channelId, second));
      return { lines, complete: true };
    }
    case "search": {
      const wanted = (ask.query ?? "").toLowerCase();
      const hits = wanted.includes("лав") ? lavaHits(channelId) : [];
      return {
        understood: understood(wanted, "place"),
        hits,
        found: hits.length > 0,
        best: hits[0]?.score ?? 0.12,
        needed: 0.45,
        chunks: 204,
        channels: 1,
        withoutVector: 0,
        model: "embedded",
        tookMs: 12,
      };
    }
    default:
      return null;
  }
}

const understood = (text: string, kind: "place" | "best" | "next"): NonNullable<Answer["understood"]> => ({
  language: "ru",
  text,
  emotes: [],
  people: [],
  nth: null,
  fromS: null,
  toS: null,
  kind,
});

function hitAt(
  channelId: string,
  rank: number,
  atS: number,
  more: Partial<Hit>,
  quotes: [number, string, number][],
): Hit {
  const atMs = VOD_START_MS + atS * 1000;
  return {
    rank,
    channelId,
    atMs,
    errorMs: 2000,
    chatAtMs: atMs + 4800,
    startMs: atMs - 8000,
    endMs: atMs + 23_000,
    score: 0.91,
    certainty: "sure",
    parts: { keyword: 0.9, semantic: 0.8 },
    chunkIds: [],
    momentId: null,
    lines: quotes.map(([offsetS, text, similar], at) => {
      const from = text.toLowerCase().indexOf("лав");
      return {
        id: `q${rank}-${at}`,
        sentAtMs: VOD_START_MS + offsetS * 1000,
        userId: "1",
        login: NAMES[at] ?? "anna",
        text,
        similar,
        marks: from < 0 ? [] : [[from, from + 4]],
      };
    }),
    why: "",
    screen: "",
    ...more,
  };
}

export const lavaHits = (channelId: string): Hit[] => [
  hitAt(channelId, 1, 4358, { why: "Чат взорвался смехом: ×7,4 к обычному, 143 автора за 6 секунд" }, [
    [4363, "ОН В ЛАВЕ", 137],
    [4364.5, "упал прямо в лаву", 12],
    [4366, "лава лава лава", 3],
  ]),
  hitAt(
    channelId,
    2,
    5906,
    { score: 0.63, certainty: "likely", errorMs: 4000, why: "Снова лава, чат уже не удивлён" },
    [[5911, "опять лава, классика", 42]],
  ),
  hitAt(
    channelId,
    3,
    2255,
    { score: 0.48, certainty: "maybe", errorMs: 9000, why: "Почти: падения в словах нет" },
    [[2262, "почти в лаву улетел", 1]],
  ),
];

/** Stands for the process `oracle`: answers questions about lava, knows nothing of guitars. */
async function oracle(answers: KV, stepMs: number): Promise<() => void> {
  const watch = await answers.watch();
  void (async () => {
    for await (const entry of watch) {
      if (entry.operation !== "PUT") continue;
      const asked = answer.parse(JSON.parse(new TextDecoder().decode(entry.value)));
      if (asked.state !== "asked") continue;
      void write(answers, asked, stepMs);
    }
  })();
  return () => watch.stop();
}

async function write(answers: KV, asked: Answer, stepMs: number): Promise<void> {
  let now = asked;
  const put = async (more: Partial<Answer>): Promise<boolean> => {
    const kept = await answers.get(asked.id);
    // Stopped by whoever asked.
    if (kept === null || kept.operation !== "PUT") return false;
    const known = JSON.parse(new TextDecoder().decode(kept.value)) as Answer;
    if (known.state === "stopped") return false;
    now = {
      ...now,
      ...more,
      revision: known.revision + 1,
      touchedAtMs: Date.now(),
      feedback: known.feedback,
    };
    await answers.put(asked.id, JSON.stringify(now));
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    return true;
  };
  const channelId = asked.within[0]?.channelId ?? channelOf(WHOLE);
  const text = asked.question.toLowerCase();
  const looked = { searched: { chunks: 204, channels: asked.within.length, withoutVector: 0 }, needed: 0.45 };
  if (!(await put({ state: "searching", understood: understood(text, "place") }))) return;
  if (/гитар|guitar/.test(text)) {
    const nearest = [
      hitAt(channelId, 1, 5420, { score: 0.21, certainty: "maybe" }, [[5424, "включил музыку", 4]]),
    ];
    await put({ ...looked, state: "done", found: false, best: 0.21, nearest, by: "extract", tookMs: 180 });
    return;
  }
  const all = lavaHits(channelId);
  const next = /следующ|next/.test(text);
  const hits = next ? all.slice(1, 2).map((hit) => ({ ...hit, rank: 1 })) : all;
  const said = next
    ? "В следующий раз — на боссе."
    : "Три места. Первое подходит лучше всех: чат пишет о лаве, реакция отстаёт на 4,8 с.";
  if (!(await put({ ...looked, state: "reading", found: true, best: 0.91, hits }))) return;
  for (let at = 12; at < said.length; at += 24) if (!(await put({ text: said.slice(0, at) }))) return;
  await put({ state: "done", text: said, by: "extract", tookMs: 420 });
}

/** Imported streams before a gateway of web-gateway.ts. */
export async function startWebVods(nc: NatsConnection, stepMs = 60): Promise<{ kv: KV; close(): void }> {
  const kvm = new Kvm(nc);
  const kv = await kvm.open(VODS_BUCKET);
  for (const one of sampleVods()) await kv.put(vodKey(one.id), JSON.stringify(one));
  const stop = await oracle(await kvm.open(ANSWERS_BUCKET), stepMs);
  return { kv, close: stop };
}
