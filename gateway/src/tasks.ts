import type { Clip } from "@hypecast/contracts/clip.ts";
import { isVodId, type Vod } from "@hypecast/contracts/vod.ts";
import type { VodStatus } from "@hypecast/contracts/vod-words.ts";
import type { Clips } from "./clips.ts";
import type { Vods } from "./vods.ts";

/** How far an import or a render is. */
export interface Task {
  task_id: string;
  kind: "import" | "render";
  status: VodStatus;
  percent: number;
  stage: string | null;
  eta_s: number | null;
  error: string | null;
}

/** Null: there is no such task. */
export function taskOf(
  { vods, clips }: { vods: Pick<Vods, "get">; clips: Pick<Clips, "get"> },
  id: string,
): Task | null {
  if (isVodId(id)) {
    const stream = vods.get(id);
    return stream === null ? null : taskOfVod(stream);
  }
  const clip = clips.get(id);
  return clip === null ? null : taskOfClip(clip);
}

const percentOf = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;

export const taskOfVod = (stream: Vod): Task => ({
  task_id: stream.id,
  kind: "import",
  status: stream.status,
  percent: stream.status === "ready" ? 100 : percentOf(stream.progress),
  stage: stream.stages.find(({ state }) => state === "running")?.name ?? null,
  eta_s: stream.etaS,
  error: stream.cancelled ? "cancelled" : (stream.error?.detail ?? null),
});

export const taskOfClip = (clip: Clip): Task => ({
  task_id: clip.id,
  kind: "render",
  status: CLIP_STATUS[clip.state],
  percent: clip.state === "ready" ? 100 : percentOf(clip.progress),
  stage: clip.stage,
  eta_s: clip.etaS,
  error: clip.state === "cancelled" ? "cancelled" : (clip.error?.detail ?? null),
});

const CLIP_STATUS = {
  queued: "processing",
  running: "processing",
  ready: "ready",
  failed: "error",
  cancelled: "error",
} as const satisfies Record<Clip["state"], VodStatus>;
