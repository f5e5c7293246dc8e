/** What the oracle's page shows, as it stands in the address: a reload and a link bring it back. */
export interface Place {
  /** The answer that is read; null: nothing was asked yet. */
  answer: string | null;
  /** Which of its hits; null: the first. */
  hit: number | null;
  /** A stream to ask within. */
  stream: string | null;
  /** A broadcaster to ask within. */
  channel: string | null;
  /** A question that is to be asked as soon as the page is there: the library's field leads here with it. */
  question: string | null;
}
export type ScopeKind = "stream" | "channel" | "all";

const ANSWER = /^[0-9a-z]{8,40}$/;
const LOGIN = /^[a-z0-9_]{1,25}$/;

const fitting = (text: string | null, form: RegExp): string | null =>
  text !== null && form.test(text) ? text : null;

/** What an address does not say right says nothing. */
export function placeFrom(query: Pick<URLSearchParams, "get">): Place {
  const hit = Number(query.get("hit") ?? Number.NaN);
  const question = query.get("q")?.trim() ?? "";
  return {
    answer: fitting(query.get("a"), ANSWER),
    hit: Number.isInteger(hit) && hit > 0 ? hit : null,
    stream: fitting(query.get("stream"), LOGIN),
    channel: fitting(query.get("channel"), LOGIN),
    question: question === "" ? null : question,
  };
}

export function addressOf(place: Partial<Place>): string {
  const query = new URLSearchParams();
  if (place.stream != null) query.set("stream", place.stream);
  if (place.channel != null) query.set("channel", place.channel);
  if (place.answer != null) query.set("a", place.answer);
  if (place.hit != null && place.hit > 1) query.set("hit", String(place.hit));
  if (place.question != null) query.set("q", place.question);
  return query.size === 0 ? "/oracle" : `/oracle?${query}`;
}
