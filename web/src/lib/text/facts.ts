import type { LiveTick } from "@hypecast/contracts/live.ts";
import type { LiveFeed } from "../live/feed.svelte.ts";
import { m } from "../paraglide/messages.js";
import type { How } from "./how.ts";
import { number, percent, signed } from "./numbers.ts";
import { partWord } from "./words.ts";

/** The figures behind a number at this moment, one line for its card; null when there are none. */
export function factsBehind(how: How, tick: LiveTick | null, record: LiveFeed["record"]): string | null {
  switch (how) {
    case "hype":
    case "parts": {
      const text = Object.entries(tick?.parts ?? {})
        .map(([name, z]) => `${partWord(name)} ${signed(z, 1)}`)
        .join(" · ");
      return text === "" ? null : m.how_parts_now({ text });
    }
    case "record":
      return record === null || record.precision === null || record.recall === null
        ? null
        : m.how_record_now({
            precision: number(record.precision, 2),
            recall: number(record.recall, 2),
            n: number(record.n),
          });
    case "band":
      return (
        (record?.coverage ?? [])
          .filter(({ inside }) => inside !== null)
          .map(({ minutes, inside }) => m.how_band_now({ minutes, n: percent(inside ?? 0) }))
          .join(" · ") || null
      );
    case "chance":
    case "forecast":
      return tick?.forecast == null ? null : m.how_model({ name: tick.forecast.model });
    default:
      return null;
  }
}
