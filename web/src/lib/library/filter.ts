import { VOD_STATES, type VodStatus } from "@hypecast/contracts/vod-words.ts";
import type { StreamQuery } from "../vod/api.ts";

/** What the library shows, as it stands in the address: a reload and a link bring it back. Null: all. */
export interface LibraryFilter {
  status: VodStatus | null;
  channel: string | null;
  text: string | null;
  /** Days of the calendar, as a field of a date gives them: from the first to the last, both inside. */
  from: string | null;
  to: string | null;
  sort: (typeof SORTS)[number];
}
export const SORTS = ["newest", "oldest", "longest", "liveliest"] as const;
export const NO_FILTER: LibraryFilter = {
  status: null,
  channel: null,
  text: null,
  from: null,
  to: null,
  sort: "newest",
};

const LONGEST_TEXT = 200;
const oneOf = <Value extends string>(values: readonly Value[], text: string | null): Value | null =>
  values.find((value) => value === text) ?? null;
/** A day that there is: the 31st of February is none. */
function dayIn(text: string | null): string | null {
  if (text === null || !/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  const at = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== text ? null : text;
}

/** What an address does not say right says nothing. */
export function filterFrom(query: Pick<URLSearchParams, "get">): LibraryFilter {
  const channel = query.get("channel");
  const text = query.get("text")?.trim().slice(0, LONGEST_TEXT) ?? "";
  return {
    status: oneOf(VOD_STATES, query.get("status")),
    channel: channel !== null && /^[a-z0-9_]{1,25}$/.test(channel) ? channel : null,
    text: text === "" ? null : text,
    from: dayIn(query.get("from")),
    to: dayIn(query.get("to")),
    sort: oneOf(SORTS, query.get("sort")) ?? "newest",
  };
}

export function addressOf(filter: LibraryFilter): string {
  const query = new URLSearchParams();
  for (const name of ["status", "channel", "text", "from", "to"] as const) {
    const value = filter[name];
    if (value !== null) query.set(name, value);
  }
  if (filter.sort !== "newest") query.set("sort", filter.sort);
  return query.size === 0 ? "/library" : `/library?${query}`;
}

/** Midnight of the reader's own clock. */
const midnight = (day: string, later = 0): number => {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime();
};

/** The same as the API is asked for it: its ends lie outside of what is wanted. */
export const queryOf = ({ status, channel, text, from, to, sort }: LibraryFilter): StreamQuery => ({
  sort,
  ...(status === null ? {} : { status }),
  ...(channel === null ? {} : { channel }),
  ...(text === null ? {} : { text }),
  ...(from === null ? {} : { after: midnight(from) - 1 }),
  ...(to === null ? {} : { before: midnight(to, 1) }),
});

/** True when something may be hidden; the order hides nothing. */
export const isFiltered = ({ status, channel, text, from, to }: LibraryFilter): boolean =>
  status !== null || channel !== null || text !== null || from !== null || to !== null;
