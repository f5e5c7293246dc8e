import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import { m } from "../paraglide/messages.js";
import { number, times } from "./numbers.ts";
import { burstName, duration, isHype, moodWord } from "./words.ts";

/** A burst explains the value for so long after its end. */
const RECENT_MS = 20_000;

/** Why the value is what it is, in up to three short sentences made from the numbers themselves. */
export function whySentences(tick: LiveTick | null, bursts: readonly ChatBurst[]): string[] {
  if (tick === null || tick.value === null) return [m.why_unknown()];
  const said: string[] = [];
  const recent = bursts.filter((burst) => burst.open || burst.endMs > tick.atMs - RECENT_MS);
  const burst = recent.filter(({ kind }) => isHype[kind]).sort((a, b) => b.times - a.times)[0];
  if (burst !== undefined)
    said.push(
      m.why_burst({
        what: burstName(burst),
        times: times(burst.times),
        chatters: m.chatters({ count: burst.chatters, n: number(burst.chatters) }),
        seconds: duration(Math.max(1000, burst.endMs - burst.startMs)),
      }),
    );
  const loud = Object.entries(tick.moodTimes)
    .filter(([mood, more]) => mood in moodWord && (more ?? 0) >= 1.5 && burst?.mood !== mood)
    .sort((a, b) => (b[1] ?? 0) - (a[1] ?? 0))[0];
  if (loud !== undefined)
    said.push(m.why_mood({ mood: moodWord[loud[0] as Mood](), times: times(loud[1] ?? 0) }));
  const rate = tick.messagesTimes;
  if (rate !== null)
    said.push(
      rate >= 1.25
        ? m.why_rate_high({ times: times(rate) })
        : rate <= 0.75
          ? m.why_rate_low({ times: times(rate) })
          : m.why_rate_usual(),
    );
  const other = recent.find(({ kind }) => !isHype[kind]);
  if (other !== undefined && said.length < 3) said.push(m.why_not_hype({ what: burstName(other) }));
  return said.slice(0, 3);
}
