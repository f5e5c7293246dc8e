import type { Problem } from "@hypecast/contracts/api.ts";
import type { Vod, VodStage } from "@hypecast/contracts/vod.ts";
import type { VodErrorCode } from "@hypecast/contracts/vod-words.ts";
import { MOMENT_KINDS, type MomentKind } from "@hypecast/contracts/moment-kinds.ts";
import { m } from "../paraglide/messages.js";
import { getLocale } from "../paraglide/runtime.js";
import { number, timecode } from "../text/numbers.ts";
import { problemWords } from "../text/problems.ts";
import { momentTitle } from "../text/video.ts";
import { duration } from "../text/words.ts";

/** What to do about each reason of vodErrorWords. A new member does not compile until it has some. */
export const vodErrorDo: Record<VodErrorCode, () => string> = {
  not_a_chat: m.vod_do_not_a_chat,
  not_a_video: m.vod_do_not_a_video,
  empty: m.vod_do_empty,
  truncated: m.vod_do_truncated,
  too_large: m.vod_do_too_large,
  bad_archive: m.vod_do_bad_archive,
  bad_encoding: m.vod_do_bad_encoding,
  several_channels: m.vod_do_several_channels,
  known: m.vod_do_known,
  wrong_chat: m.vod_do_wrong_chat,
  unreachable: m.vod_do_unreachable,
  refused: m.vod_do_refused,
  no_way: m.vod_do_no_way,
  not_found: m.vod_do_not_found,
  protected: m.vod_do_protected,
  disk_full: m.vod_do_disk_full,
  crashed: m.vod_do_crashed,
  failed: m.vod_do_failed,
};

/** Why the gateway did not take a stream or a file, with what to do. */
export function whyNot(problem: Problem): string {
  switch (problem.type.replace("/problems/", "")) {
    case "upload_too_large":
      return m.problem_upload_too_large();
    case "upload_not_found":
    case "upload_unfinished":
    case "upload_offset":
    case "upload_too_long":
      return m.problem_upload_gone();
    case "too_many_uploads":
      return m.problem_too_many_uploads();
    case "too_many_streams":
      return m.problem_too_many_streams();
    case "stream_not_found":
      return m.problem_stream_gone();
    case "stream_state":
      return m.problem_stream_state();
    case "upload":
      return m.problem_upload();
    case "invalid_parameters":
      return m.problem_link();
    default:
      return problemWords(problem);
  }
}

/** "412 KB", "3.4 MB", "2.1 GB": thousands, as disks count. */
export const sizeWords = (bytes: number): string =>
  bytes >= 1e9
    ? m.unit_gb({ n: number(bytes / 1e9, 1) })
    : bytes >= 1e6
      ? m.unit_mb({ n: number(bytes / 1e6, 1) })
      : m.unit_kb({ n: number(Math.ceil(bytes / 1000)) });

let compact: Intl.NumberFormat | undefined;
/** "31K", "0.9K": where the last digits say nothing. */
const short = (value: number): string => {
  compact ??= new Intl.NumberFormat(getLocale(), { notation: "compact", maximumFractionDigits: 1 });
  return value < 1000 ? number(value, value < 10 ? 1 : 0) : compact.format(value);
};

function rateWords({ unit, rate }: VodStage): string | null {
  if (rate === null || rate <= 0) return null;
  switch (unit) {
    case "bytes":
      return m.per_second({ what: sizeWords(rate) });
    case "lines":
      return m.rate_lines({ n: short(rate) });
    case "chunks":
      return m.rate_chunks({ n: short(rate) });
    case "segments":
      return m.rate_segments({ n: short(rate) });
    case "seconds":
      return m.rate_speed({ n: short(rate) });
  }
}

/** Under a stage's name: how fast it goes, what it has done, or what it waits for. */
export function stageWords(stage: VodStage): string {
  switch (stage.state) {
    case "waiting":
      return m.stage_waits();
    case "failed":
      return m.stage_failed();
    case "cancelled":
      return m.stage_cancelled();
    case "skipped":
      return m.stage_skipped();
    case "running":
      return (
        rateWords(stage) ??
        (stage.etaS === null ? m.stage_runs() : m.eta({ age: duration(stage.etaS * 1000) }))
      );
    case "done":
      return stage.unit === "lines" && stage.done > 0
        ? m.lines_count({ count: stage.done, n: number(stage.done) })
        : stage.unit === "bytes" && stage.done > 0
          ? sizeWords(stage.done)
          : timecode(stage.tookS, true);
  }
}

/** "about 4 min left", "ready within a second". */
export const leftWords = (etaS: number): string =>
  etaS < 2 ? m.left_soon() : m.left_about({ age: longWords(etaS) });

/** A longer while: "4 min", "3 h". */
export const longWords = (seconds: number): string =>
  seconds >= 7200 ? m.unit_h({ n: number(seconds / 3600) }) : duration(seconds * 1000);

const isKind = (kind: string): kind is MomentKind => MOMENT_KINDS.some((one) => one === kind);
/** The best moment in a line: what chat wrote, else what it was. */
export const bestWords = ({ kind, subject, quote }: NonNullable<Vod["best"]>): string =>
  quote !== "" ? quote : isKind(kind) ? momentTitle({ kind, subject }) : subject || kind;

/** A stream's name, or a stand-in. */
export const titleOf = ({ title, source }: Pick<Vod, "title" | "source">): string =>
  title !== "" ? title : (source.url ?? m.stream_untitled());
