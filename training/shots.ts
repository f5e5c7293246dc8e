import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { VideoShot } from "../contracts/src/shot.ts";
import type { SampledFrame } from "../streamproc/src/media/frames-file.ts";
import { DETAIL_EVERY_MS, type Decoded } from "../streamproc/src/media/frame-source.ts";
import { openFrameSource } from "../streamproc/src/media/open-source.ts";
import { framesOf, SHOT_SIGNALS, signalsOf } from "../streamproc/src/media/shot-rows.ts";
import { shots } from "../streamproc/src/processors/shots.ts";
import { measurePicture } from "../streamproc/src/signals/picture.ts";

/**
 * Writes what the model `shot_score` is trained on: real clips joined to streams, run through the product's own decoder, signals and
 * shots fold, and what is known of each shot: whether its clip shows a fight (`action`), how far it was degraded (`quality`), and
 * whether its clip was in the stream before (`novelty`). `node training/shots.ts --data DIR --out DIR`.
 */
const { values } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data" },
    out: { type: "string", default: "/tmp/hypecast-shots" },
    streams: { type: "string", default: "120" },
  },
});
const SEED = 20261125;
const ITEMS = 12;
const RETURNS = 0.35;
const STEP_MS = 33;

/** mulberry32 */
let state = SEED;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = <Item>(from: readonly Item[]): Item => from[Math.floor(random() * from.length)]!;

/** Ways in which a picture gets worse, at a strength of 0–1. */
const WORSE: Record<string, (strength: number) => string> = {
  blur: (s) => `gblur=sigma=${(s * 5).toFixed(2)}`,
  noise: (s) => `noise=alls=${Math.round(s * 60)}:allf=t`,
  dark: (s) => `eq=brightness=${(-0.35 * s).toFixed(2)}:contrast=${(1 - 0.4 * s).toFixed(2)}`,
  coarse: (s) => `scale=${Math.round(284 * (1 - 0.85 * s))}:-2:flags=neighbor,scale=284:160:flags=neighbor`,
};

interface Clip {
  readonly name: string;
  readonly file: string;
  readonly fight: boolean | null;
}
const folder = join(values.data, "footage");
const filesOf = (sub: string): string[] => readdirSync(join(folder, sub)).toSorted();
const clips: Clip[] = [
  ...filesOf("fights/fight").map((name) => ({ name: `fight/${name}`, file: join(folder, "fights/fight", name), fight: true })),
  ...filesOf("fights/noFight").map((name) => ({ name: `noFight/${name}`, file: join(folder, "fights/noFight", name), fight: false })),
  ...filesOf("intel").map((name) => ({ name: `intel/${name}`, file: join(folder, "intel", name), fight: null })),
];

const source = await openFrameSource("ffmpeg");
const work = mkdtempSync(join(tmpdir(), "hypecast-training-"));
const decodedBy = new Map<string, Decoded>();

/** Up to 10 s of a clip, as the smallest rendition of a stream would show it. */
async function decode(clip: Clip, worse: string, strength: number): Promise<Decoded> {
  const filter = ["scale=284:160", ...(strength === 0 ? [] : [WORSE[worse]!(strength)]), "fps=30"].join(",");
  const key = createHash("sha256").update(`${clip.name} ${filter}`).digest("hex");
  const known = decodedBy.get(key);
  if (known !== undefined) return known;
  const file = join(work, `${key}.ts`);
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-threads", "1", "-t", "10", "-i", clip.file, "-an", "-vf", filter, "-c:v", "libx264", "-preset", "veryfast", "-b:v", "400k", "-threads", "1", "-f", "mpegts", file]);
  const decoded = await source.decode({ container: "ts", media: readFileSync(file), init: null, durationMs: 10_000, before: null });
  rmSync(file);
  if (decodedBy.size > 24) decodedBy.delete(decodedBy.keys().next().value!);
  decodedBy.set(key, decoded);
  return decoded;
}

interface Row {
  group: string;
  stream: number;
  action: number | null;
  quality: number;
  novelty: number;
}
const rows: Row[] = [];
const frameRows: Uint8Array[] = [];
const signalRows: Float32Array[] = [];

for (let stream = 0; stream < Number(values.streams); stream++) {
  const fold = shots.initial("training");
  const items: { clip: Clip; fromMs: number; toMs: number; strength: number; isNew: boolean; frames: SampledFrame[] }[] = [];
  const said: VideoShot[] = [];
  const emit = (output: { type: string; shot?: VideoShot }): void => {
    if (output.type === "shot") said.push(output.shot!);
  };
  let atMs = 1_000_000;
  for (let seq = 0; seq < ITEMS; seq++) {
    const back = items.length > 0 && random() < RETURNS;
    const clip = back ? pick(items).clip : pick(clips);
    const worse = pick(Object.keys(WORSE));
    const strength = random() < 0.4 ? 0 : Math.round(random() * 100) / 100;
    const { frames, detail, sizes } = await decode(clip, worse, strength);
    const lastMs = frames.at(-1)!.atMs;
    const lengthMs = Math.min(lastMs, 2500 + random() * 3500);
    const beginMs = random() * (lastMs - lengthMs);
    const inside = <Frame extends { atMs: number }>(from: readonly Frame[]): Frame[] =>
      from.filter((frame) => frame.atMs >= beginMs && frame.atMs <= beginMs + lengthMs).map((frame) => ({ ...frame, atMs: frame.atMs - beginMs }));
    const shown = inside(frames);
    const durationMs = Math.round(lengthMs + STEP_MS);
    const measured = {
      ...{ id: `training:0:${seq}`, channelId: "training", epoch: 0, seq, startMs: atMs, durationMs, discontinuity: false, ad: false, failed: null },
      ...{ picture: measurePicture(shown, inside(detail), sizes[0]!), sound: null, framesKey: String(seq), thumbKey: null },
    };
    const sampled: SampledFrame[] = [];
    for (const { atMs: frameMs, rgb } of shown)
      if (sampled.length === 0 || atMs + frameMs - sampled.at(-1)!.atMs >= DETAIL_EVERY_MS) sampled.push({ atMs: atMs + frameMs, rgb });
    items.push({ clip, fromMs: atMs, toMs: atMs + durationMs, strength, isNew: !items.some((item) => item.clip === clip), frames: sampled });
    shots.step(fold, { type: "measured", measured }, emit as never);
    atMs += durationMs;
  }
  const gap = { id: "end", channelId: "training", epoch: 0, fromMs: atMs, toMs: atMs + 1000, reason: "frozen", detail: "" } as const;
  shots.step(fold, { type: "videoGap", gap }, emit as never);

  const shown = new Set<Clip>();
  for (const shot of said) {
    const middle = (shot.startMs + shot.endMs) / 2;
    const item = items.find(({ fromMs, toMs }) => middle >= fromMs && middle < toMs);
    const overlap = item === undefined ? 0 : Math.min(shot.endMs, item.toMs) - Math.max(shot.startMs, item.fromMs);
    const frames = item === undefined ? null : framesOf(shot, item.frames);
    if (item === undefined || frames === null || overlap < 0.9 * (shot.endMs - shot.startMs) || shot.endMs - shot.startMs < 700) continue;
    rows.push({
      ...{ group: item.clip.name, stream },
      action: item.clip.fight === null ? null : Number(item.clip.fight),
      quality: 1 - item.strength,
      // A clip's second shot in the same stretch has been seen as well.
      novelty: item.isNew && !shown.has(item.clip) ? 1 : 0,
    });
    shown.add(item.clip);
    frameRows.push(frames);
    signalRows.push(signalsOf(shot));
  }
  if (stream % 10 === 9) console.log(`${stream + 1} streams, ${rows.length} shots`);
}

mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, "frames.u8"), Buffer.concat(frameRows));
writeFileSync(join(values.out, "signals.f32"), Buffer.concat(signalRows.map(({ buffer }) => Buffer.from(buffer))));
writeFileSync(
  join(values.out, "rows.json"),
  JSON.stringify({ signals: SHOT_SIGNALS, data: { clips: clips.length, streams: Number(values.streams), seed: SEED }, rows }),
);
rmSync(work, { recursive: true });
console.log(`${rows.length} shots of ${clips.length} clips in ${values.out}`);
