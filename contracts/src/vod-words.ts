/** Closed lists about imported streams, without schemas: pages import them and stay light. */

/** As the API says it of a whole stream. */
export const VOD_STATES = ["processing", "ready", "error"] as const;
export type VodStatus = (typeof VOD_STATES)[number];

/** The steps of an import, in their order. `video`: taken apart into segments; `measure`: its shots, sound and scores; `merge`: chat and picture folded together. */
export const VOD_STAGES = [
  "download",
  "parse",
  "windows",
  "chunks",
  "embed",
  "moments",
  "video",
  "measure",
  "merge",
] as const;
export type VodStageName = (typeof VOD_STAGES)[number];
/** `skipped`: this stream has nothing for it (no video, or no chat). */
export const VOD_STAGE_STATES = ["waiting", "running", "done", "skipped", "failed", "cancelled"] as const;

/** How the file writes chat. Found by content, never by name. */
export const CHAT_DIALECTS = [
  "twitch-downloader",
  "twitch-v5",
  "twitch-gql",
  "chat-downloader",
  "twitch-dl",
  "rustlog-json",
  "irc-raw",
  "irc-log",
  "ndjson",
  "csv",
] as const;
export type ChatDialect = (typeof CHAT_DIALECTS)[number];

/** Why a stream could not be imported, or not whole. Closed: it is also the metric label, and pages say it in their own language. */
export const VOD_ERRORS = [
  "not_a_chat", // no dialect fits: an HTML page, a picture, another program's JSON
  "not_a_video", // neither a playlist nor a file that can be decoded
  "empty", // no line and no picture in it
  "truncated", // the file ends in mid-structure; what was read stays
  "too_large", // larger than the settings allow, or a line, or what it unpacks to
  "bad_archive", // a zip with ../ in it, or several files of which none is a chat
  "bad_encoding", // not UTF-8 and not UTF-16 with a mark
  "several_channels", // lines of more than one channel
  "known", // the same chat is here already
  "wrong_chat", // the chat is of another stream than the video
  "unreachable", // the address does not answer
  "refused", // an address, or a kind of it, that is not fetched
  "no_way", // a Twitch link, and the settings name no way to its chat or video
  "not_found", // Twitch has no such video
  "protected", // DRM, or subscribers only
  "disk_full",
  "crashed", // the worker died again and again
  "failed",
] as const;
export type VodErrorCode = (typeof VOD_ERRORS)[number];

/** What is missing of a chat, or may be. */
export const VOD_HOLES = ["gap", "capped", "head_missing", "tail_missing", "removed_users"] as const;

/** How far a place may be trusted. */
export const CERTAINTIES = ["sure", "likely", "maybe"] as const;
