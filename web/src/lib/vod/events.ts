/** Where a record's server-sent events are. */
export const STREAM_EVENTS = (id: string): string => `/api/v1/jobs/${id}/events`;
export const ANSWER_EVENTS = (id: string): string => `/api/v1/answers/${id}/events`;
