import type { NatsConnection } from "@nats-io/transport-node";
import { Kvm } from "@nats-io/kv";
import { UPLOADS_BUCKET, type Upload } from "@hypecast/contracts/upload.ts";
import { vodChannelId, vodKey, VODS_BUCKET, vod, type Vod } from "@hypecast/contracts/vod.ts";
import { sampleVods, VOD_START_MS, WHOLE } from "./web-vods.ts";

/** Streams in every state that the library shows, besides those of web-vods.ts. */
export const FAILED = "_mi1aaaaafailed0000";
export const SAME = "_mi1aaaaasame000000";
export const STOPPED = "_mi1aaaaastopped000";
const LENGTH_S = 6130;

const like = (id: string, more: Partial<Vod>): Vod => {
  const whole = sampleVods().find((one) => one.id === WHOLE);
  if (whole === undefined) throw new Error("web-vods.ts has no whole stream any more");
  return vod.parse({ ...whole, id, channelId: vodChannelId(id, 1), clips: 0, ...more });
};
const failedAt = (stage: string, progress: number): Vod["stages"] => {
  let passed = false;
  return like(FAILED, {}).stages.map((one) => {
    if (one.name === stage) {
      passed = true;
      return { ...one, state: "failed", progress };
    }
    return passed && one.state === "done" ? { ...one, state: "waiting", progress: 0 } : one;
  });
};

export const libraryVods = (): Vod[] => [
  like(FAILED, {
    title: "Charity night with Sonya",
    status: "error",
    readyAtMs: null,
    createdAtMs: VOD_START_MS + 500_000_000,
    lines: 48_212,
    searchableS: 5300,
    stages: failedAt("parse", 0.87),
    error: {
      code: "truncated",
      detail: "The file ends inside line 48213: it was cut off while being saved.",
      action: "Give the whole file.",
    },
    badLines: {
      count: 12,
      first: [
        { line: 17, why: "not JSON", text: '{"time": 12, "message": "лав' },
        { line: 48_213, why: "the file ends inside it", text: '{"time": 5301, "mess' },
      ],
    },
  }),
  like(SAME, {
    title: "castle-27 (1).json",
    status: "error",
    readyAtMs: null,
    channelId: null,
    createdAtMs: VOD_START_MS + 400_000_000,
    lines: 0,
    searchableS: 0,
    startKnown: false,
    durationS: null,
    completeness: null,
    spark: null,
    best: null,
    sameAs: WHOLE,
    stages: failedAt("parse", 1),
    error: { code: "known", detail: `The same chat is stream ${WHOLE}.`, action: "" },
  }),
  like(STOPPED, {
    title: "Talk and tea, no game",
    status: "error",
    readyAtMs: null,
    cancelled: true,
    createdAtMs: VOD_START_MS + 300_000_000,
    stages: like(STOPPED, {}).stages.map((one) =>
      one.name === "embed" || one.name === "moments" ? { ...one, state: "cancelled", progress: 0.2 } : one,
    ),
  }),
];

/**
 * Stands for the process `imports`: what is asked for is read in a few steps and becomes ready, `stepMs` apart. Names that begin with
 * `bad` become failures.
 */
export async function startWebImports(nc: NatsConnection, stepMs = 150): Promise<{ close(): void }> {
  const kvm = new Kvm(nc);
  const kv = await kvm.open(VODS_BUCKET);
  const uploads = await kvm.open(UPLOADS_BUCKET);
  const nameOf = async (id: string | null): Promise<string> => {
    const entry = id === null ? null : await uploads.get(id);
    return entry === null ? "" : entry.json<Upload>().name;
  };
  const busy = new Set<string>();
  const work = async (id: string): Promise<void> => {
    const write = async (more: (now: Vod) => Partial<Vod>): Promise<boolean> => {
      for (;;) {
        const entry = await kv.get(vodKey(id));
        if (entry === null || entry.operation !== "PUT") return false;
        const now = vod.parse(entry.json());
        if (now.status !== "processing" || now.deleting) return false;
        const next = { ...now, ...more(now), revision: now.revision + 1 };
        try {
          await kv.update(vodKey(id), JSON.stringify(next), entry.revision);
          break;
        } catch {
          // A person has changed it meanwhile: once more, on top of that.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, stepMs));
      return true;
    };
    const whole = like(id, {});
    const step = (share: number): Partial<Vod> => ({
      channelId: vodChannelId(id, 1),
      run: 1,
      durationS: LENGTH_S,
      lines: Math.round(whole.lines * share),
      progress: share,
      etaS: Math.ceil((1 - share) * 8),
      searchableS: Math.round(LENGTH_S * share * 0.8),
      spark: whole.spark,
      stages: whole.stages.map((one, at) => ({
        ...one,
        state:
          one.state === "skipped"
            ? "skipped"
            : at < 2 * share
              ? "done"
              : at <= 4 && share > 0.2
                ? "running"
                : "waiting",
        progress: at < 2 * share ? 1 : at <= 4 ? share : 0,
        rate: 1400,
      })),
    });
    const name = await nameOf((await kv.get(vodKey(id)))?.json<Vod>().source.chatUpload ?? null);
    for (const share of [0.1, 0.3, 0.6, 0.8])
      if (!(await write(({ title }) => ({ ...step(share), title: title || name })))) return;
    if (name.startsWith("bad"))
      await write(() => ({
        status: "error",
        stages: failedAt("parse", 0.8),
        error: { code: "not_a_chat", detail: "No dialect fits.", action: "Export the chat anew." },
      }));
    else
      await write(({ title }) => ({
        ...whole,
        ...step(1),
        title: title || name,
        status: "ready",
        readyAtMs: Date.now(),
        createdAtMs: Date.now(),
        searchableS: LENGTH_S,
        etaS: null,
        stages: whole.stages,
      }));
  };
  const watch = await kv.watch();
  void (async () => {
    for await (const entry of watch) {
      if (entry.operation !== "PUT") continue;
      const now = vod.parse(entry.json());
      if (now.status !== "processing" || now.deleting || now.progress > 0 || busy.has(now.id)) continue;
      busy.add(now.id);
      void work(now.id).finally(() => busy.delete(now.id));
    }
  })();
  for (const one of libraryVods()) await kv.put(vodKey(one.id), JSON.stringify(one));
  return { close: () => watch.stop() };
}
