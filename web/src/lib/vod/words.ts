import type { VodErrorCode, VodStageName } from "@hypecast/contracts/vod-words.ts";
import { m } from "../paraglide/messages.js";

/** Closed lists of imports in words of the page's language. A new member does not compile until it has some. */
export const stageName: Record<VodStageName, () => string> = {
  download: m.vod_stage_download,
  parse: m.vod_stage_parse,
  windows: m.vod_stage_windows,
  chunks: m.vod_stage_chunks,
  embed: m.vod_stage_embed,
  moments: m.vod_stage_moments,
  video: m.vod_stage_video,
  measure: m.vod_stage_measure,
  merge: m.vod_stage_merge,
};

export const vodErrorWords: Record<VodErrorCode, () => string> = {
  not_a_chat: m.vod_error_not_a_chat,
  not_a_video: m.vod_error_not_a_video,
  empty: m.vod_error_empty,
  truncated: m.vod_error_truncated,
  too_large: m.vod_error_too_large,
  bad_archive: m.vod_error_bad_archive,
  bad_encoding: m.vod_error_bad_encoding,
  several_channels: m.vod_error_several_channels,
  wrong_chat: m.vod_error_wrong_chat,
  unreachable: m.vod_error_unreachable,
  refused: m.vod_error_refused,
  no_way: m.vod_error_no_way,
  not_found: m.vod_error_not_found,
  protected: m.vod_error_protected,
  disk_full: m.vod_error_disk_full,
  crashed: m.vod_error_crashed,
  known: m.vod_error_known,
  failed: m.vod_error_failed,
};
