import { setTimeout as sleep } from "node:timers/promises";
import { isVodWanted } from "@hypecast/contracts/vod-steps.ts";
import type { Vod, VodStage } from "@hypecast/contracts/vod.ts";
import type { VodStageName } from "@hypecast/contracts/vod-words.ts";
import type { VodRecords } from "./records.ts";

/** Progress is written so often at most; what changes a state, at once. */
const TELL_EVERY_MS = 500;
/** A rate is of the last so many seconds. */
const RATE_MS = 10_000;

/** How long each takes beside the others, roughly: for one percentage over all. */
const WEIGHTS: Readonly<Record<VodStageName, number>> = {
  download: 5,
  parse: 20,
  windows: 40,
  chunks: 5,
  embed: 20,
  moments: 10,
  video: 40,
  measure: 80,
  merge: 40,
};

/** Writes what becomes of one import into its record while it is wanted, and nothing once it is not. */
export interface Told {
  stage(name: VodStageName): VodStage;
  /** Runs, and has done so much. `done` never falls: after a kill, work that is looked at again does not look undone. */
  run(name: VodStageName, done: number, of: number | null): void;
  /** Ends a stage, whatever it had said. Resolves when it is written. */
  end(name: VodStageName, state: "done" | "skipped"): Promise<void>;
  /** Further fields, with the next write. */
  note(fields: Partial<Vod>): void;
  /** Resolves when all that was said is written. */
  written(): Promise<void>;
}

export function tellOf(records: VodRecords, vod: Vod, nowMs: () => number = () => performance.now()): Told {
  const stages = new Map(vod.stages.map((stage) => [stage.name, { ...stage }]));
  const began = new Map<VodStageName, number>();
  const samples = new Map<VodStageName, { atMs: number; done: number }[]>();
  const startedMs = nowMs();
  let firstProgress: number | null = null;
  let fields: Partial<Vod> = {};
  let dirty = false;
  let writtenMs = -Infinity;
  let writing: Promise<void> | null = null;

  const stageOf = (name: VodStageName): VodStage => {
    const stage = stages.get(name);
    if (stage === undefined) throw new Error(`stream ${vod.id} has no stage ${name}`);
    return stage;
  };
  const over = (): Partial<Vod> => {
    const list = [...stages.values()];
    const progress = progressOf(list);
    firstProgress ??= progress;
    const made = progress - firstProgress;
    const spentS = (nowMs() - startedMs) / 1000;
    const etaS = made > 0.02 && progress < 1 ? Math.ceil((spentS / made) * (1 - progress)) : null;
    return { stages: list.map((stage) => ({ ...stage })), progress, etaS };
  };
  const write = async (): Promise<void> => {
    while (dirty) {
      dirty = false;
      writtenMs = nowMs();
      const now = { ...fields, ...over() };
      fields = {};
      await records.change(vod.id, (known) =>
        isVodWanted(known) && !known.deleting && sameSource(known, vod) ? now : null,
      );
      const restMs = TELL_EVERY_MS - (nowMs() - writtenMs);
      if (dirty && restMs > 0) await sleep(restMs);
    }
  };
  const changed = (): void => {
    dirty = true;
    if (writing !== null || nowMs() - writtenMs < TELL_EVERY_MS) return;
    writing = write().finally(() => (writing = null));
    writing.catch(() => undefined);
  };

  const told: Told = {
    stage: stageOf,
    run(name, done, of) {
      const stage = stageOf(name);
      const atMs = nowMs();
      if (stage.state !== "running") began.set(name, atMs - stage.tookS * 1000);
      stage.state = "running";
      stage.done = Math.max(stage.done, Math.round(done));
      stage.of = of === null ? null : Math.round(of);
      stage.progress = stage.of === null || stage.of === 0 ? 0 : Math.min(1, stage.done / stage.of);
      stage.tookS = Math.round((atMs - (began.get(name) ?? atMs)) / 100) / 10;
      const list = samples.get(name) ?? [];
      samples.set(name, list);
      list.push({ atMs, done: stage.done });
      while (list.length > 2 && atMs - list[1]!.atMs > RATE_MS) list.shift();
      const [first] = list;
      const spentS = (atMs - first!.atMs) / 1000;
      stage.rate = spentS > 0.2 ? Math.round(((stage.done - first!.done) / spentS) * 10) / 10 : null;
      stage.etaS =
        stage.rate !== null && stage.rate > 0 && stage.of !== null
          ? Math.ceil((stage.of - stage.done) / stage.rate)
          : null;
      changed();
    },
    async end(name, state) {
      const stage = stageOf(name);
      const since = began.get(name);
      if (since !== undefined) stage.tookS = Math.round((nowMs() - since) / 100) / 10;
      if (state === "done" && stage.of !== null) stage.done = stage.of;
      if (state === "done" && stage.tookS > 0.2)
        stage.rate = Math.round((stage.done / stage.tookS) * 10) / 10;
      stage.state = state;
      stage.progress = state === "done" ? 1 : 0;
      stage.etaS = null;
      // Whoever dies in a later stage has not died of this one.
      fields = { ...fields, attempt: 1 };
      dirty = true;
      await told.written();
    },
    note(more) {
      fields = { ...fields, ...more };
      changed();
    },
    async written() {
      // What is being written does not hold what was said since: `write` goes on until nothing is left.
      if (writing !== null) await writing;
      if (!dirty) return;
      writing = write().finally(() => (writing = null));
      await writing;
    },
  };
  return told;
}

/** Somebody has given other files meanwhile: what is made of the old ones is not told any more. */
export const sameSource = (a: Pick<Vod, "source">, b: Pick<Vod, "source">): boolean =>
  a.source.url === b.source.url &&
  a.source.chatUpload === b.source.chatUpload &&
  a.source.videoUpload === b.source.videoUpload;

function progressOf(stages: readonly VodStage[]): number {
  let sum = 0;
  let done = 0;
  for (const { name, state, progress } of stages) {
    if (state === "skipped") continue;
    sum += WEIGHTS[name];
    done += WEIGHTS[name] * progress;
  }
  return sum === 0 ? 0 : Math.round((done / sum) * 1000) / 1000;
}
