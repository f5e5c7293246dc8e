import { UNKNOWN_START_MS, type Vod, type VodRequest, type VodSource, type VodStage } from "./vod.ts";
import { VOD_STAGES, type VodStageName } from "./vod-words.ts";

/**
 * What people ask of an import, as changes of its record; null: it cannot be asked now. Whoever writes one adds the stream's job to the
 * queue afterwards (runtime/src/jobs.ts).
 */

const PICTURE_STAGES: readonly VodStageName[] = ["video", "measure", "merge"];

/** True while the import process has something to do for it. */
export const isVodWanted = (vod: Vod): boolean =>
  vod.deleting || (vod.status === "processing" && !vod.cancelled);

export function newVod(id: string, request: VodRequest, nowMs: number): Vod {
  const { url, chatUpload, videoUpload, title, startMs } = request;
  return {
    id,
    revision: 1,
    channelId: null,
    making: null,
    run: 0,
    status: "processing",
    createdAtMs: nowMs,
    readyAtMs: null,
    title,
    twitchId: null,
    broadcaster: null,
    game: null,
    startMs: startMs ?? UNKNOWN_START_MS,
    startKnown: startMs !== null,
    durationS: null,
    chapters: [],
    source: { url, chatUpload, videoUpload },
    contentHash: null,
    sameAs: null,
    dialect: null,
    lines: 0,
    chatters: 0,
    moments: 0,
    clips: 0,
    badLines: { count: 0, first: [] },
    completeness: null,
    stages: VOD_STAGES.map(waitingStage),
    searchableS: 0,
    progress: 0,
    etaS: null,
    attempt: 0,
    error: null,
    notes: [],
    cancelled: false,
    deleting: false,
    video: null,
    spark: null,
    best: null,
  };
}

/** Stops an import where it is. What an earlier run answers stays; what is there of the one that was being made stays too. */
export const cancelVod = (vod: Vod): Partial<Vod> | null =>
  vod.deleting || vod.status !== "processing"
    ? null
    : {
        cancelled: true,
        status: "error",
        etaS: null,
        stages: vod.stages.map((stage) =>
          stage.state === "waiting" || stage.state === "running" ? { ...stage, state: "cancelled" } : stage,
        ),
      };

/** Goes on from the stage that failed or was stopped; what was done before stays done. Of a stream that is ready it asks once more for its link's picture. */
export const retryVod = (vod: Vod): Partial<Vod> | null => {
  const again = againOf(vod);
  return again === null
    ? null
    : {
        cancelled: false,
        status: "processing",
        error: null,
        attempt: 0,
        stages: vod.stages.map((stage) => (again(stage) ? waitingStage(stage.name) : stage)),
      };
};

function againOf({ deleting, status, source, video }: Vod): ((stage: VodStage) => boolean) | null {
  if (deleting || status === "processing") return null;
  if (status === "error") return ({ state }) => state === "failed" || state === "cancelled";
  return source.url !== null && video === null
    ? ({ name, state }) => state === "skipped" && PICTURE_STAGES.includes(name)
    : null;
}

/** Other files or another link in the place of what it was made from: the next run is made beside this one and takes its place when it is whole. */
export function replaceVod(vod: Vod, request: VodRequest): Partial<Vod> | null {
  if (vod.deleting) return null;
  const { url, chatUpload, videoUpload, title, startMs } = request;
  return {
    ...begunAnew,
    source: { url, chatUpload, videoUpload },
    ...(title === "" ? {} : { title }),
    // Offsets of what answers stay as they are until the new files say otherwise.
    ...(startMs === null ? { startKnown: false } : { startMs, startKnown: true }),
    making: null,
    contentHash: null,
    twitchId: null,
    broadcaster: null,
    game: null,
    durationS: null,
    chapters: [],
    notes: [],
    completeness: null,
    badLines: { count: 0, first: [] },
    video: null,
    stages: VOD_STAGES.map(waitingStage),
  };
}

/** A chat for a stream that has a picture alone, or a picture for one that has chat. */
export function addToVod(vod: Vod, files: Partial<VodSource>): Partial<Vod> | null {
  if (vod.deleting) return null;
  const source = { ...vod.source, ...files };
  const again: readonly VodStageName[] =
    source.chatUpload !== vod.source.chatUpload || source.url !== vod.source.url
      ? VOD_STAGES
      : source.videoUpload !== vod.source.videoUpload
        ? PICTURE_STAGES
        : [];
  if (again.length === 0) return null;
  return {
    ...begunAnew,
    source,
    stages: vod.stages.map((stage) => (again.includes(stage.name) ? waitingStage(stage.name) : stage)),
  };
}

const begunAnew = {
  status: "processing",
  cancelled: false,
  error: null,
  sameAs: null,
  attempt: 0,
  progress: 0,
  etaS: null,
} as const satisfies Partial<Vod>;

const UNITS: Readonly<Record<VodStageName, VodStage["unit"]>> = {
  download: "bytes",
  parse: "bytes",
  windows: "seconds",
  chunks: "seconds",
  embed: "chunks",
  moments: "seconds",
  video: "seconds",
  measure: "seconds",
  merge: "seconds",
};

export const waitingStage = (name: VodStageName): VodStage => ({
  name,
  state: "waiting",
  progress: 0,
  done: 0,
  of: null,
  unit: UNITS[name],
  rate: null,
  etaS: null,
  tookS: 0,
});
