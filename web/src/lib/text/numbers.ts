import { getLocale } from "../paraglide/runtime.js";

/** Numbers and times in the page's language: decimal comma and space before % in Russian, 24 h everywhere. Formats are made once. */
const cache = new Map<string, Intl.NumberFormat>();
function format(digits: number): Intl.NumberFormat {
  const key = `${getLocale()} ${digits}`;
  let made = cache.get(key);
  if (made === undefined) {
    made = new Intl.NumberFormat(getLocale(), {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    cache.set(key, made);
  }
  return made;
}

export const number = (value: number, digits = 0): string => format(digits).format(value);
/** "×2,6": how many times the usual. Above ten the tenth says nothing. */
export const times = (value: number): string => `×${number(value, value >= 9.95 ? 0 : 1)}`;
/** 0–1 as "64 %", with a space that does not break, in both languages. */
export const percent = (share: number): string => `${number(share * 100)}\u00a0%`;
/** With its sign; what rounds to zero has none. */
export function signed(value: number, digits = 0): string {
  const size = number(Math.abs(value), digits);
  return Number(Math.abs(value).toFixed(digits)) === 0 ? size : `${value > 0 ? "+" : "−"}${size}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Seconds as "1:42:10", or "0:07" below an hour with `short`. */
export function timecode(seconds: number, short = false): string {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60;
  const s = whole % 60;
  return short && h === 0 ? `${m}:${two(s)}` : `${h}:${two(m)}:${two(s)}`;
}

/** Local time of day, "20:15:03"; without seconds "20:15". */
export function timeOfDay(atMs: number, seconds = true): string {
  const at = new Date(atMs);
  const text = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return seconds ? `${text}:${two(at.getSeconds())}` : text;
}

/** "25 ноя". */
export function day(atMs: number): string {
  const key = `day ${getLocale()}`;
  let made = dates.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(getLocale(), { day: "numeric", month: "short" });
    dates.set(key, made);
  }
  return made.format(new Date(atMs));
}
/** "25 ноя, 20:15". */
export const dayAndTime = (atMs: number): string => `${day(atMs)}, ${timeOfDay(atMs, false)}`;
const dates = new Map<string, Intl.DateTimeFormat>();
