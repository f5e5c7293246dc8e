import { createHash, randomBytes } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  clip,
  CLIPS_BUCKET,
  spanProblem,
  type Clip,
  type ClipError,
  type ClipPart,
  type ClipRequest,
} from "@hypecast/contracts/clip.ts";
import type { VideoState } from "@hypecast/contracts/video.ts";
import type { RecordJobs } from "@hypecast/runtime/jobs.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { keepBucket } from "./bucket.ts";
import { filesAway } from "./media/file-reply.ts";
import { ProblemError, type ProblemCode } from "./problems.ts";

/** The same request within this time means the same clip: a key that was pressed twice, a request that was sent again. */
const SAME_MS = 10_000;
/** Clips that wait or are being made. */
const MOST_WAITING = 200;
/** Clips that are kept: the list is held in memory, the files are the disk's to bear. */
const MOST_CLIPS = 20_000;

/** A clip that can be made: its spans were looked at. */
export interface ClipOrder {
  readonly request: ClipRequest;
  readonly channelId: string;
  /** Of a film; of any other clip empty. */
  readonly parts: ClipPart[];
  readonly batch: Clip["batch"];
}

export interface Clips {
  make(order: ClipOrder): Promise<Clip>;
  list(filter: { login?: string | undefined; state?: Clip["state"] | undefined }): Clip[];
  readonly get: (id: string) => Clip | null;
  /** Null: it is not shared, or no longer. */
  shared(token: string): Clip | null;
  change(
    id: string,
    change: {
      job?: "cancel" | "retry" | undefined;
      title?: string | undefined;
      shared?: boolean | undefined;
    },
  ): Promise<Clip>;
  remove(id: string): Promise<void>;
  readonly ready: () => boolean;
  readonly close: () => void;
}

/** Channels that a clip shows: a film may be of several. */
export const loginsOf = (clip: Pick<Clip, "login" | "parts"> | null): string[] =>
  clip === null ? [] : [...new Set([clip.login, ...clip.parts.map((part) => part.login)])];

/** The records of clips. This writes what people ask for; the process `clips` writes what becomes of it. */
export async function watchClips(
  nc: NatsConnection,
  jobs: RecordJobs,
  objects: Objects,
  log: Logger,
  changed: (id: string, clip: Clip | null, isNews: boolean) => void,
): Promise<Clips> {
  const byToken = new Map<string, string>();
  const tokens = new Map<string, string>();
  const kept = await keepBucket(nc, CLIPS_BUCKET, clip, log, (id, value, isNews) => {
    const before = tokens.get(id);
    if (before !== undefined) byToken.delete(before);
    tokens.delete(id);
    const token = value?.shareToken ?? null;
    if (token !== null) {
      byToken.set(token, id);
      tokens.set(id, token);
    }
    changed(id, value, isNews);
  });
  const found = <Value>(id: string, value: Value | null): Value => {
    if (value === null) throw new ProblemError("clip_not_found", `there is no clip ${id}`);
    return value;
  };
  const write = async (id: string, change: (clip: Clip) => Partial<Clip>): Promise<Clip> =>
    found(
      id,
      await kept.change(id, (before) => ({ ...before, ...change(before), revision: before.revision + 1 })),
    );

  const again = async (id: string): Promise<Clip> => {
    const queued = await write(id, (before) => jobChange(before, "retry"));
    void jobs.add(id);
    return queued;
  };

  return {
    async make({ request, channelId, parts, batch }) {
      const nowMs = Date.now();
      const window = Math.floor(nowMs / SAME_MS);
      const earlier = kept.get(clipIdOf([request, parts], window - 1));
      if (earlier !== null && nowMs - earlier.createdAtMs < SAME_MS && isWanted(earlier)) return earlier;
      let waiting = 0;
      let all = 0;
      for (const one of kept.values()) {
        all++;
        if (one.state === "queued" || one.state === "running") waiting++;
      }
      if (waiting >= MOST_WAITING)
        throw new ProblemError("too_many_clips", `${waiting} clips are being made or wait`, {
          "Retry-After": "30",
        });
      if (all >= MOST_CLIPS)
        throw new ProblemError("too_many_clips", `${all} clips are kept: delete some first`);
      const record: Clip = {
        ...request,
        // An instant cut is copied as it is.
        layouts: request.cut === "instant" ? ["16:9"] : [...new Set(request.layouts)],
        id: clipIdOf([request, parts], window),
        channelId,
        createdAtMs: nowMs,
        revision: 1,
        state: "queued",
        stage: null,
        progress: 0,
        etaS: null,
        attempt: 0,
        error: null,
        parts,
        titles: true,
        batch,
        leftOut: [],
        files: [],
        thumbKey: null,
        readyAtMs: null,
        shareToken: null,
        twitchUrl: null,
      };
      const { value, isNew } = await kept.create(record.id, record);
      // Who asked has their answer at once; without Redis the process `clips` finds the record by itself.
      if (isNew) void jobs.add(value.id);
      else if (!isWanted(value)) return again(value.id);
      return value;
    },
    list({ login, state }) {
      const fitting = [...kept.values()].filter(
        (one) => (login === undefined || one.login === login) && (state === undefined || one.state === state),
      );
      return fitting.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
    },
    get: (id) => kept.get(id),
    shared(token) {
      const id = byToken.get(token);
      return id === undefined ? null : kept.get(id);
    },
    async change(id, { job, title, shared }) {
      const after = await write(id, (before) => ({
        ...(title === undefined ? {} : { title }),
        ...(shared === undefined ? {} : { shareToken: shared ? (before.shareToken ?? newToken()) : null }),
        ...(job === undefined ? {} : jobChange(before, job)),
      }));
      if (job === "retry") void jobs.add(id);
      return after;
    },
    async remove(id) {
      const known = kept.get(id);
      // Gone already is what was asked for.
      if (known === null) return;
      // Whoever is making it sees that first. The record goes last: while a file is left, there is something to delete again.
      if (isMaking(known))
        await write(id, (before) => (isMaking(before) ? { state: "cancelled", stage: null } : {}));
      try {
        for await (const { key } of objects.list(`clips/${id}/`)) await objects.remove(key);
      } catch (error) {
        throw filesAway(error);
      }
      await kept.remove(id);
    },
    ready: kept.ready,
    close: kept.close,
  };
}

const newToken = (): string => randomBytes(16).toString("base64url");
const isMaking = ({ state }: Clip): boolean => state === "queued" || state === "running";
const isWanted = ({ state }: Clip): boolean => state !== "cancelled" && state !== "failed";

function jobChange(before: Clip, job: "cancel" | "retry"): Partial<Clip> {
  if (job === "cancel") {
    if (isMaking(before)) return { state: "cancelled", stage: null, etaS: null };
    if (before.state === "cancelled") return {};
    throw new ProblemError("clip_state", `a clip that is ${before.state} cannot be cancelled`);
  }
  if (isMaking(before)) return {};
  if (before.state === "ready")
    throw new ProblemError("clip_state", "the clip is ready: there is nothing to retry");
  return { state: "queued", stage: null, progress: 0, etaS: null, error: null };
}

/**
 * Looks at a span before anything is made of it. `state`: of the channel's picture. `shownMs`: how much of the span has a picture that is no
 * advertisement. Throws ProblemError.
 */
export function checkSpan(
  span: Pick<ClipRequest, "startMs" | "endMs" | "picture">,
  state: VideoState | null,
  shownMs: number,
): void {
  const { oldestMs = null, newestMs = null } = state ?? {};
  const problem = spanProblem(
    span,
    oldestMs === null || newestMs === null ? null : { oldestMs, newestMs },
    span.picture,
  );
  if (problem !== null) throw refusedSpan(problem, span.endMs - (newestMs ?? span.endMs));
  if (span.picture === "video" && shownMs <= 0)
    throw new ProblemError("clip_nothing_left", "gaps and advertisements are all of this span");
}

/** Names clips that were asked for together. */
export const batchIdOf = (asked: unknown): string =>
  `batch-${clipIdOf(asked, Math.floor(Date.now() / SAME_MS))}`;

/** From what is asked and when, so that two gateways that are asked the same give it the same id. */
function clipIdOf(asked: unknown, window: number): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([window, asked]))
    .digest("hex");
  return `${digest.slice(0, 8)}-${digest.slice(8, 20)}`;
}

const SPAN_PROBLEMS = {
  bad_span: "invalid_parameters",
  too_short: "invalid_parameters",
  too_long: "invalid_parameters",
  not_kept: "clip_not_kept",
  not_yet: "clip_not_yet",
  no_video: "no_video",
} as const satisfies Partial<Record<ClipError["code"], ProblemCode>>;

/** `aheadMs`: how far the span ends after the newest picture. */
function refusedSpan({ code, detail }: ClipError, aheadMs: number): ProblemError {
  const problem =
    code in SPAN_PROBLEMS ? SPAN_PROBLEMS[code as keyof typeof SPAN_PROBLEMS] : "invalid_parameters";
  return new ProblemError(
    problem,
    detail,
    problem === "clip_not_yet" ? { "Retry-After": String(Math.ceil(aheadMs / 1000)) } : {},
  );
}
