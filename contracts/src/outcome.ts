/** Why a chat line or a message on the log did not become part of a final value. Closed: it is also the metric label. */
export const DROP_REASONS = [
  "shared_chat", // counted in its home channel
  "duplicate", // the same message id was counted before
  "opted_out", // the chatter asked not to be read
  "overflow", // a bounded queue was full; a gap event says when
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Why a message was set aside on `dead.letter` for a person to look at. */
export const DEAD_LETTER_REASONS = [
  "not_json", // the body could not be read
  "wrong_shape", // the body does not fit its contract
  "refused_by_store", // ClickHouse said no to this row
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];
