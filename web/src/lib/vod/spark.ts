import type { Vod } from "@hypecast/contracts/vod.ts";
import type { Column } from "../live/series.ts";

/** A record's small line as columns of a timeline. `readShare`: what lies behind it is not read yet, and is not measured. */
export function sparkColumns(spark: Vod["spark"], readShare = 1): Column[] {
  if (spark === null) return [];
  const count = spark.rate.length;
  return spark.rate.map((rate, at) => ({
    startMs: at,
    rate: at >= readShare * count ? Number.NaN : (rate ?? Number.NaN),
    hype: spark.hype[at] ?? Number.NaN,
    mood: null,
  }));
}

/** Share of the stream that is read already, for the hatch behind it. */
export const readShareOf = (vod: Pick<Vod, "status" | "searchableS" | "durationS">): number =>
  vod.status === "ready" || vod.durationS === null || vod.durationS <= 0
    ? 1
    : Math.min(1, vod.searchableS / vod.durationS);
