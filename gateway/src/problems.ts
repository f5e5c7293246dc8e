import type { Problem } from "@hypecast/contracts/api.ts";

/** Every problem that the API may answer with: status, title, and what the reader can do. `type` is `/problems/<code>`. */
export const PROBLEMS = {
  invalid_parameters: [400, "A parameter is not valid", "Correct what the detail names and ask again."],
  not_json: [400, "The body is no JSON", "Send a JSON object."],
  unauthorized: [
    401,
    "A login is needed",
    "Send the token as Authorization: Bearer, or log in on the start page.",
  ],
  forbidden: [
    403,
    "Your role does not allow it",
    "Ask the channel's broadcaster for the role, or sign in as somebody who has it.",
  ],
  sign_in_refused: [403, "The sign-in was refused", "Begin it again from the start page."],
  twitch_away: [502, "Twitch did not answer", "Try again in a minute."],
  wrong_origin: [
    403,
    "Another site asked",
    "Open Hypecast by its own address, or list the origin in HYPECAST_ORIGINS.",
  ],
  wrong_host: [
    403,
    "The Host header names another machine",
    "Open Hypecast as localhost or 127.0.0.1, or list the origin in HYPECAST_ORIGINS.",
  ],
  not_found: [404, "There is nothing here", "See /api/v1/openapi.json for what there is."],
  channel_not_watched: [404, "The channel is not watched", "Add it first."],
  stream_not_found: [404, "There is no such stream", "It may have been deleted; see the list of streams."],
  task_not_found: [
    404,
    "There is no such task",
    "It may have been deleted; see the lists of streams and clips.",
  ],
  person_unknown: [404, "Nobody of that name is known here", "Ask them to sign in once, then try again."],
  case_not_found: [404, "There is no such case", "It may belong to another channel; load the queue again."],
  entry_not_found: [404, "There is no such entry", "It may belong to another channel; load the log again."],
  answer_not_found: [404, "There is no such answer", "Ask again."],
  upload_not_found: [404, "There is no such upload", "It may have expired: upload the file again."],
  clip_not_found: [404, "There is no such clip", "It may have been deleted; see the list of clips."],
  no_video: [
    404,
    "No picture of this channel is kept",
    "Give the channel a video address and wait until it is live.",
  ],
  method_not_allowed: [405, "The method does not fit", "Use one of the methods in the Allow header."],
  channel_not_heard: [
    409,
    "The channel has not been heard yet",
    "Wait until the source has joined it; its state says what it waits for.",
  ],
  too_many_grants: [409, "Too many roles are granted", "Take some back first."],
  case_decided: [
    409,
    "Somebody else has decided it",
    "Look at what they did; undo it first, or name it in `over` to decide anew.",
  ],
  entry_state: [409, "The entry is not in a state for that", "Look at what became of it."],
  too_many_channels: [409, "Too many channels are watched", "Remove one first."],
  stream_not_ready: [
    409,
    "Nothing of the stream has been read yet",
    "Look at its stages, and ask again when one has begun.",
  ],
  stream_state: [409, "The stream is not in a state for that", "Look at its state and ask for what fits."],
  too_many_streams: [409, "Too many streams", "Wait until some are ready, or delete some."],
  too_many_answers: [409, "Too many answers are being written", "Wait until some are."],
  too_many_webhooks: [409, "Too many webhooks", "Remove one first."],
  upload_unfinished: [409, "The upload is not whole", "Go on with it where it stands, then ask again."],
  upload_offset: [409, "The upload stands elsewhere", "Ask HEAD where it stands and go on from there."],
  upload_used: [409, "The upload is in use", "Delete the stream that is made from it."],
  too_many_uploads: [409, "Too many uploads are under way", "Wait until some are whole, or delete some."],
  idempotency_running: [409, "The same request is being answered", "Wait a moment and send it again."],
  clip_not_kept: [
    409,
    "That time is no longer kept",
    "Choose a later start; the settings say how much of a channel is kept.",
  ],
  clip_not_yet: [409, "The stream is not there yet", "Wait until it is, or choose an earlier end."],
  clip_nothing_left: [409, "Nothing of that span can be shown", "Choose a span with a picture in it."],
  clip_state: [409, "The clip is not in a state for that", "Look at its state and ask for what fits."],
  too_few_moments: [409, "Too few moments for that format", "Choose a longer span or another format."],
  too_many_clips: [409, "Too many clips", "Wait until some are ready, or cancel or delete some."],
  cursor_expired: [410, "The cursor is too old", "Ask for the list from its beginning."],
  tus_version: [412, "Another version of tus", "Send Tus-Resumable: 1.0.0."],
  body_too_large: [413, "The body is too large", "Send at most 64 KB."],
  upload_too_large: [
    413,
    "The file is too large",
    "The setting HYPECAST_UPLOAD_GB says how large one may be.",
  ],
  upload_too_long: [413, "More came than was announced", "Begin a new upload with the file's length."],
  unsupported_media_type: [415, "The body's type is not understood", "Send Content-Type: application/json."],
  range_not_satisfiable: [416, "The range lies outside of the file", "Ask for bytes that the file has."],
  idempotency_key_used: [
    422,
    "The key belongs to another request",
    "Send a new Idempotency-Key with a new request.",
  ],
  upload_locked: [423, "The upload is being written", "Wait a moment, ask HEAD where it stands, and go on."],
  too_many_requests: [429, "Too many requests", "Wait as long as Retry-After says."],
  internal: [500, "Something broke on our side", "Try again; the gateway's log has the reason."],
  emote_unavailable: [502, "The emote's image could not be had", "Try again later."],
  busy: [503, "Too many files are being sent", "Try again in a few seconds."],
  files_away: [503, "The store of files is away", "Try again; live figures and history go on."],
  bus_down: [503, "The log is away", "Try again; it comes back by itself."],
  journal_unread: [503, "The journal is being read", "Ask again in a moment."],
  store_down: [503, "The history is away", "Live figures go on; ask again in a few seconds."],
  disk_full: [507, "The disk is full", "Make room on the machine, or delete streams and clips, and go on."],
  too_slow: [504, "The history took too long", "Ask for a shorter span, or again in a few seconds."],
} as const satisfies Record<string, readonly [number, string, string]>;
export type ProblemCode = keyof typeof PROBLEMS;

/** Thrown anywhere below a request; the server turns it into `application/problem+json`. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly headers: Record<string, string>;
  constructor(code: ProblemCode, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

export function problemOf(code: ProblemCode, detail: string, instance: string): Problem {
  const [status, title, action] = PROBLEMS[code];
  return { type: `/problems/${code}`, title, status, detail, action, instance };
}
