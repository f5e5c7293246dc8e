import { randomInt } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import type { VideoState } from "@hypecast/contracts/video.ts";
import {
  newVodId,
  vod,
  vodKey,
  VODS_BUCKET,
  type Vod,
  type VodRequest,
  type VodSource,
} from "@hypecast/contracts/vod.ts";
import { addToVod, cancelVod, newVod, replaceVod, retryVod } from "@hypecast/contracts/vod-steps.ts";
import type { RecordJobs } from "@hypecast/runtime/jobs.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { hasPassword } from "@hypecast/contracts/wanted.ts";
import { keepBucket } from "./bucket.ts";
import { ProblemError } from "./problems.ts";

/** Imports that wait or are being made. */
const MOST_PROCESSING = 500;
/** Streams that are kept: their records are held in memory, a few kilobytes each. */
const MOST_STREAMS = 10_000;

export interface VodChange {
  readonly title?: string | undefined;
  readonly job?: "cancel" | "retry" | undefined;
  readonly chatUpload?: string | undefined;
  readonly videoUpload?: string | undefined;
}

export interface Vods {
  /** `existing`: the same link or the same files are here already, and nothing was begun. */
  add(request: VodRequest): Promise<{ stream: Vod; existing: boolean }>;
  /** All that are not being deleted, in no order. */
  list(): Vod[];
  /** Null: there is none, or it is being deleted. */
  readonly get: (id: string) => Vod | null;
  change(id: string, change: VodChange): Promise<Vod>;
  remove(id: string): Promise<void>;
  /** So many clips of it are kept. */
  haveClips(id: string, clips: number): Promise<void>;
  /** True while a stream is made from this upload, or may be made again. */
  uses(upload: string): boolean;
  readonly ready: () => boolean;
  readonly close: () => void;
}

/** The records of imported streams. This writes what people ask for; the process `imports` writes what becomes of it. */
export async function watchVods(
  nc: NatsConnection,
  jobs: RecordJobs,
  uploads: { isWhole(id: string): boolean | null },
  log: Logger,
  changed: (id: string, vod: Vod | null, isNews: boolean) => void,
): Promise<Vods> {
  const kept = await keepBucket(nc, VODS_BUCKET, vod, log, (key, value, isNews) =>
    changed(`_${key}`, value === null || value.deleting ? null : value, isNews),
  );
  const shown = (id: string): Vod | null => {
    const found = kept.get(vodKey(id));
    return found === null || found.deleting ? null : found;
  };
  const list = (): Vod[] => [...kept.values()].filter(({ deleting }) => !deleting);
  const missing = (id: string): ProblemError =>
    new ProblemError("stream_not_found", `there is no imported stream ${id}`);

  /** Writes what a step makes of the record, and has it done. */
  const step = async (id: string, change: (before: Vod) => Partial<Vod> | null): Promise<Vod> => {
    let begins = false;
    const after = await kept.change(vodKey(id), (before) => {
      if (before.deleting) throw missing(id);
      const changes = change(before);
      begins = changes?.status === "processing" || changes?.deleting === true;
      return changes === null ? null : { ...before, ...changes, revision: before.revision + 1 };
    });
    if (after === null) throw missing(id);
    // Who asked has their answer at once; without Redis the process `imports` finds the record by itself.
    if (begins) void jobs.add(id);
    return after;
  };
  const checkUpload = (field: string, id: string | null | undefined): void => {
    if (id === null || id === undefined) return;
    const whole = uploads.isWhole(id);
    if (whole === null) throw new ProblemError("upload_not_found", `${field}: there is no upload ${id}`);
    if (!whole) throw new ProblemError("upload_unfinished", `${field}: upload ${id} is not whole yet`);
  };
  const checkSource = ({ url, chatUpload, videoUpload }: VodSource): void => {
    if (url === null && chatUpload === null && videoUpload === null)
      throw new ProblemError("invalid_parameters", "give a url, a chatUpload or a videoUpload");
    if (url !== null) checkUrl(url);
  };
  const checkUploads = ({
    chatUpload,
    videoUpload,
  }: Pick<VodChange, "chatUpload" | "videoUpload"> | VodSource): void => {
    checkUpload("chatUpload", chatUpload);
    checkUpload("videoUpload", videoUpload);
  };

  return {
    async add(given) {
      const url = given.url === null ? null : withScheme(given.url.trim());
      const request: VodRequest = { ...given, url };
      checkSource(request);
      const { replaces } = request;
      // What a stream was made from is removed when it is whole: the same again is still the same stream.
      const same =
        replaces === null
          ? list().find((one) => (one.status !== "error" || one.cancelled) && isSame(one, request))
          : undefined;
      if (same !== undefined) return { stream: same, existing: true };
      checkUploads(request);
      if (replaces !== null)
        return { stream: await step(replaces, (before) => replaceVod(before, request)), existing: false };
      const all = list();
      if (all.length >= MOST_STREAMS)
        throw new ProblemError("too_many_streams", `${all.length} streams are kept: delete some first`);
      const processing = all.filter(({ status }) => status === "processing").length;
      if (processing >= MOST_PROCESSING)
        throw new ProblemError("too_many_streams", `${processing} streams are being imported or wait`, {
          "Retry-After": "60",
        });
      const nowMs = Date.now();
      const id = newVodId(nowMs, random());
      const { value } = await kept.create(vodKey(id), newVod(id, request, nowMs));
      void jobs.add(id);
      return { stream: value, existing: false };
    },
    list,
    get: shown,
    async change(id, { title, job, chatUpload, videoUpload }) {
      checkUploads({ chatUpload, videoUpload });
      return step(id, (before) => {
        const changes: Partial<Vod> = title === undefined || title === before.title ? {} : { title };
        if (job !== undefined) Object.assign(changes, jobChange(before, job));
        if (chatUpload !== undefined || videoUpload !== undefined)
          Object.assign(
            changes,
            addToVod(
              { ...before, ...changes },
              {
                ...(chatUpload === undefined ? {} : { chatUpload }),
                ...(videoUpload === undefined ? {} : { videoUpload }),
              },
            ) ?? {},
          );
        return Object.keys(changes).length === 0 ? null : changes;
      });
    },
    async remove(id) {
      // Gone already, or on its way, is what was asked for.
      if (shown(id) !== null) await step(id, () => ({ deleting: true }));
    },
    async haveClips(id, clips) {
      const known = shown(id);
      if (known !== null && known.clips !== clips)
        await step(id, (before) => (before.clips === clips ? null : { clips }));
    },
    uses: (upload) =>
      [...kept.values()].some(
        ({ source, deleting }) =>
          !deleting && (source.chatUpload === upload || source.videoUpload === upload),
      ),
    ready: kept.ready,
    close: kept.close,
  };
}

/** The channel under which a stream stands in the store now; while its first run is made, that one. Null: nothing of it is there yet. */
export const channelOfVod = ({ channelId, making }: Vod): string | null => channelId ?? making;

/** What there is of a stream's picture, as a live channel's source would say it. */
export const videoStateOfVod = ({
  id,
  channelId,
  making,
  video,
  startMs,
  readyAtMs,
  createdAtMs,
  stages,
}: Vod): VideoState | null =>
  video === null
    ? null
    : {
        login: id,
        channelId: channelId ?? making,
        // A player comes back for more while it is being taken apart.
        state: stages.some(({ name, state }) => name === "video" && state === "running") ? "live" : "ended",
        code: null,
        reason: null,
        sinceMs: readyAtMs ?? createdAtMs,
        epoch: null,
        lastSeq: null,
        newestMs: Math.round(startMs + video.durationS * 1000),
        oldestMs: startMs,
        keptBytes: video.bytes,
        ad: false,
        renditions: [{ width: video.width, height: video.height, bandwidth: 0 }],
        shed: false,
      };

/** Event time from the beginning to the end of what is known of a stream. */
export function spanOfVod({ startMs, durationS, searchableS }: Vod): { fromMs: number; toMs: number } {
  return { fromMs: startMs, toMs: startMs + Math.max(1000, Math.ceil((durationS ?? searchableS) * 1000)) };
}

function jobChange(before: Vod, job: "cancel" | "retry"): Partial<Vod> {
  const changes = job === "cancel" ? cancelVod(before) : retryVod(before);
  if (changes !== null) return changes;
  // Asked for twice.
  if (job === "cancel" ? before.cancelled : before.status === "processing") return {};
  throw new ProblemError(
    "stream_state",
    `a stream that is ${before.status} cannot be ${job === "cancel" ? "cancelled" : "tried again"}`,
  );
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
export const random = (length = 10): string =>
  Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

/** People paste what they see: `twitch.tv/videos/123`. */
const withScheme = (url: string): string =>
  /^[\w-]+(?:\.[\w-]+)+(?:[/?]|$)/.test(url) ? `https://${url}` : url;

function checkUrl(url: string): void {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new ProblemError(
      "invalid_parameters",
      "url: the address of a Twitch video or of an HLS playlist, beginning with https:// or http://",
    );
  if (hasPassword(url))
    throw new ProblemError(
      "invalid_parameters",
      "url: an address with a name or a password in it would be shown to everybody who sees the streams; give one without",
    );
}

/** The number in a link to a Twitch video. */
export const twitchVideoIn = (url: string | null): string | null =>
  /^https?:\/\/(?:[\w-]+\.)?twitch\.tv\/(?:videos|[\w]+\/v(?:ideo)?)\/(\d{1,20})(?:[/?#]|$)/i.exec(
    url ?? "",
  )?.[1] ?? null;

function isSame(one: Vod, { url, chatUpload, videoUpload }: VodSource): boolean {
  if (one.source.chatUpload !== chatUpload || one.source.videoUpload !== videoUpload) return false;
  if (url === one.source.url) return true;
  const twitch = twitchVideoIn(url);
  return twitch !== null && twitch === (one.twitchId ?? twitchVideoIn(one.source.url));
}
