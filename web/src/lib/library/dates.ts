import { getLocale } from "../paraglide/runtime.js";
import { day } from "../text/numbers.ts";

export { number, timecode } from "../text/numbers.ts";

/** "14 Nov"; of another year with the year. */
export function dateWords(atMs: number, nowMs = Date.now()): string {
  const year = new Date(atMs).getFullYear();
  return year === new Date(nowMs).getFullYear()
    ? day(atMs)
    : new Intl.DateTimeFormat(getLocale(), { day: "numeric", month: "short", year: "numeric" }).format(atMs);
}
