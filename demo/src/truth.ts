import type { Mood } from "@hypecast/contracts/moods.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { emoteByName } from "./emotes.ts";
import { PASTE_GRANNY, PASTE_LAVA } from "./phrases.ts";
import { lavaAgain, reactions, type Reaction } from "./reactions.ts";
import type { Said } from "./chat-event.ts";
import { scriptOf, scriptedChannels } from "./stream.ts";
import { troubleScenes } from "./trouble-scenes.ts";
import { videoTruth } from "./video/truth.ts";
import { mainEvents, PERIOD_MS, RAID_ECHO_MS, RAID_VIEWERS, SHARED_CHAT, type StreamEvent } from "./world.ts";

export interface TrueBurst {
  /** Id of the stream event that causes it. */
  readonly event: string;
  readonly kind: "emote" | "mood" | "volume" | "copypasta" | "bots" | "raid" | "poll";
  /** As in `ChatBurst`; empty: any. */
  readonly subject: string;
  /** Hype, or something that only looks like it. */
  readonly hype: boolean;
  /** `true`: not seeing it is a miss. `false`: seeing it is no mistake, not seeing it neither. */
  readonly must: boolean;
  /** When one line in twenty of it has come: the delay of a detector is counted from here. */
  readonly onsetMs: number;
  /** A burst that is reported to start in [fromMs, toMs] is this one. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly lines: number;
  readonly chatters: number;
  /** Lines per second: usual, and best five seconds. */
  readonly baselineRate: number;
  readonly peakRate: number;
  readonly times: number;
}

const RATE_FLOOR = 0.1;
const MUST_TIMES = 4;
const MUST_CHATTERS = 12;
const MAY_TIMES = 1.5;
/** Two bursts of volume closer than this may be reported as one. */
const MERGE_MS = 100_000;
/** How long a reaction is looked at, and how long after it nothing is called calm. */
const REACTION_MS = 45_000;
const CALM_AFTER_MS = 70_000;
const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

const isSaid = (event: { readonly type: string }): event is Said => event.type === "message";
const emotesIn = (text: string): Set<string> =>
  new Set(text.split(" ").filter((word) => emoteByName.has(word)));

function peakPer5s(times: readonly number[]): number {
  let best = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] ?? 0) - (times[from] ?? 0) > 5_000) from++;
    best = Math.max(best, to - from + 1);
  }
  return best / 5;
}

/** Measures one subject of an event against the chat of the three minutes before, other events left out. */
function measured(
  event: StreamEvent,
  all: readonly Said[],
  belongs: (said: Said) => boolean,
): Pick<TrueBurst, "onsetMs" | "lines" | "chatters" | "baselineRate" | "peakRate" | "times"> {
  const busy = (ms: number): boolean =>
    mainEvents.some(
      (other) => ms >= other.atMs && ms < other.atMs + REACTION_MS && burstKind(other) !== null,
    );
  let usual = 0;
  let seconds = 0;
  for (let ms = event.atMs - 180_000; ms < event.atMs - 5_000; ms += 1_000)
    if (!busy(((ms % PERIOD_MS) + PERIOD_MS) % PERIOD_MS)) seconds++;
  for (const said of all) {
    // Before the first minutes of a loop comes the end of the one before.
    const ms = said.atMs > event.atMs + PERIOD_MS / 2 ? said.atMs - PERIOD_MS : said.atMs;
    if (ms >= event.atMs - 180_000 && ms < event.atMs - 5_000 && !busy(said.atMs) && belongs(said)) usual++;
  }
  const reaction = all.filter(
    (said) => said.atMs >= event.atMs && said.atMs < event.atMs + REACTION_MS && belongs(said),
  );
  const caused = reaction.filter((said) => said.cause === event.id);
  const baselineRate = usual / Math.max(1, seconds);
  const peakRate = peakPer5s(reaction.map((said) => said.atMs));
  return {
    onsetMs: caused[Math.ceil(caused.length * 0.05) - 1]?.atMs ?? event.atMs,
    lines: caused.length,
    chatters: new Set(caused.map((said) => said.who.login)).size,
    baselineRate: round(baselineRate, 3),
    peakRate: round(peakRate),
    times: round(peakRate / Math.max(RATE_FLOOR, baselineRate), 1),
  };
}

const leadOf = (event: StreamEvent): number => (event.kind === "boss_phase" ? 26_000 : 2_000);
const reactionOf = (event: StreamEvent): Reaction | undefined =>
  event.id === "lava-2" ? lavaAgain : reactions[event.kind];
const OWN_KINDS = { copypasta: "copypasta", poll: "poll", giveaway: "bots", raid: "raid" } as const;

/** Whether an event makes a burst at all, and of which class. */
function burstKind(event: StreamEvent): "hype" | "maybe" | (typeof OWN_KINDS)[keyof typeof OWN_KINDS] | null {
  if (event.kind in OWN_KINDS) return OWN_KINDS[event.kind as keyof typeof OWN_KINDS];
  if (event.kind === "gift_bomb") return "maybe";
  return (reactionOf(event)?.moods.length ?? 0) > 0 ? "hype" : null;
}

function burstsOf(event: StreamEvent, all: readonly Said[]): TrueBurst[] {
  const class_ = burstKind(event);
  if (class_ === null) return [];
  const made = (
    kind: TrueBurst["kind"],
    subject: string,
    hype: boolean,
    must: boolean,
    belongs: (said: Said) => boolean,
  ): TrueBurst => {
    const figures = measured(event, all, belongs);
    return {
      event: event.id,
      kind,
      subject,
      hype,
      must: must && (!hype || (figures.times >= MUST_TIMES && figures.chatters >= MUST_CHATTERS)),
      ...figures,
      // Before a boss the chat warms up; a reaction proper never comes before its event.
      fromMs: event.atMs - leadOf(event),
      toMs: figures.onsetMs + 6_000,
    };
  };
  if (class_ !== "hype" && class_ !== "maybe") {
    const subject =
      event.id === "paste-lava"
        ? PASTE_LAVA
        : event.id === "paste-granny"
          ? PASTE_GRANNY
          : event.kind === "giveaway"
            ? "!play"
            : "";
    const burst = made(class_, subject, false, true, (said) => said.cause === event.id);
    // Without a usual of its own: against the rate of all lines.
    const whole = measured(event, all, () => true);
    return [
      {
        ...burst,
        baselineRate: whole.baselineRate,
        times: round(burst.peakRate / Math.max(RATE_FLOOR, whole.baselineRate), 1),
      },
    ];
  }
  const reaction = reactionOf(event);
  const before = mainEvents.filter((other) => other.atMs < event.atMs && burstKind(other) === "hype").at(-1);
  const alone = event.atMs - (before?.atMs ?? -Infinity) > MERGE_MS;
  const bursts = [made("volume", "", true, class_ === "hype" && alone, () => true)];
  const used = new Set(
    all.filter((said) => said.cause === event.id).flatMap((said) => [...emotesIn(said.text)]),
  );
  for (const emote of [...used].sort())
    bursts.push(
      made("emote", emote, true, reaction?.emotes.includes(emote) ?? false, (said) =>
        emotesIn(said.text).has(emote),
      ),
    );
  for (const mood of MOODS)
    bursts.push(
      made("mood", mood, true, reaction?.moods.includes(mood) ?? false, (said) => said.mood === mood),
    );
  const shouted: readonly Mood[] = ["laugh", "shock", "hype"];
  return bursts.filter(
    (burst) =>
      burst.must ||
      (burst.times >= MAY_TIMES && burst.lines >= 4) ||
      (burst.kind === "mood" && shouted.includes(burst.subject as Mood)),
  );
}

/** Stretches in which nothing may be reported at all. */
function calmStretches(): { fromMs: number; toMs: number }[] {
  const stretches: { fromMs: number; toMs: number }[] = [];
  let fromMs = 0;
  for (const event of mainEvents.filter((event) => burstKind(event) !== null)) {
    if (event.atMs - leadOf(event) - fromMs >= 10_000)
      stretches.push({ fromMs, toMs: event.atMs - leadOf(event) });
    fromMs = event.atMs + (event.kind === "raid" ? RAID_ECHO_MS : CALM_AFTER_MS);
  }
  if (PERIOD_MS - fromMs >= 10_000) stretches.push({ fromMs, toMs: PERIOD_MS });
  return stretches;
}

/** What a moment that its chat's mood leads may be called; volume alone is called hype. */
const MOMENT_KINDS_BY_MOOD: Readonly<Record<Mood, readonly string[]>> = {
  laugh: ["funny", "fail"],
  shock: ["shock"],
  hype: ["hype"],
  love: ["love"],
  sad: ["sad", "fail"],
  anger: ["anger", "fail"],
  cringe: ["cringe"],
};
/** What chat cheers or remarks a little: a moment there is no mistake, none neither. */
const MAYBE_MOMENTS: ReadonlySet<string> = new Set(["run_start", "checkpoint", "boss_hit"]);

/** Events that are worth a clip. A moment whose onset is said to lie in [fromMs, toMs] is this one; what fits none is a mistake. */
function trueMoments() {
  return mainEvents.flatMap((event) => {
    const moods = reactionOf(event)?.moods ?? [];
    if (moods.length === 0 && !MAYBE_MOMENTS.has(event.kind)) return [];
    return [
      {
        event: event.id,
        kinds: moods.flatMap((mood) => MOMENT_KINDS_BY_MOOD[mood]),
        must: moods.length > 0,
        atMs: event.atMs,
        fromMs: event.atMs - Math.max(leadOf(event), 6_000),
        toMs: event.atMs + 8_000,
      },
    ];
  });
}

/** What a loop of the stream holds, for tests and benchmarks that watch it through the whole system. Times are of the loop. */
export function truth() {
  const all = scriptOf("pepel_lamp").filter(isSaid);
  const shared = (said: { atMs: number }): boolean =>
    said.atMs >= SHARED_CHAT.fromMs && said.atMs < SHARED_CHAT.toMs;
  const bursts = mainEvents.flatMap((event) => burstsOf(event, all));
  const lag = (event: StreamEvent): { p10Ms: number; p50Ms: number; p90Ms: number } | null => {
    const lags = all
      .filter((said) => said.cause === event.id && said.atMs > event.atMs)
      .map((said) => said.atMs - event.atMs);
    const at = (share: number): number => lags[Math.floor(lags.length * share)] ?? 0;
    return lags.length === 0 ? null : { p10Ms: at(0.1), p50Ms: at(0.5), p90Ms: at(0.9) };
  };
  const notHype: Readonly<Record<string, number>> = {
    raid: RAID_ECHO_MS,
    poll: 45_000,
    giveaway: 50_000,
    copypasta: 45_000,
  };
  return {
    about:
      "Generated by `node demo/src/main.ts --truth demo/truth.json` from the script. Times are milliseconds of the loop; the loop starts whenever (now − anchorMs) is a multiple of periodMs.",
    periodMs: PERIOD_MS,
    channels: Object.fromEntries(
      scriptedChannels.map((channel) => {
        const script = scriptOf(channel);
        return [
          channel,
          {
            /** PRIVMSG of its own: what is counted. */
            messages: script.filter(isSaid).length,
            notices: script.filter((event) => event.type === "notice").length,
            moderation: script.filter(
              (event) => event.type === "timeout" || event.type === "ban" || event.type === "delete",
            ).length,
            chatters: new Set(script.filter(isSaid).map((said) => said.who.userId)).size,
          },
        ];
      }),
    ),
    events: mainEvents.map((event) => ({
      id: event.id,
      kind: event.kind,
      atMs: event.atMs,
      lag: lag(event),
    })),
    bursts,
    /** Nothing may be reported that starts here. */
    calm: calmStretches(),
    /** No hype (emote, mood, volume) may be reported that starts here. */
    notHype: mainEvents
      .filter((event) => event.kind in notHype)
      .map((event) => ({
        event: event.id,
        fromMs: event.atMs,
        toMs: event.atMs + (notHype[event.kind] ?? 0),
      })),
    moments: trueMoments(),
    /** Why chat is busy there and yet nothing on screen is worth a clip; an advertisement lasts until its end. */
    noMoments: mainEvents
      .filter((event) => event.kind in OWN_KINDS || event.kind === "gift_bomb" || event.kind === "ad_start")
      .map((event) => ({
        event: event.id,
        kind: event.kind,
        fromMs: event.atMs,
        toMs: event.kind === "ad_start" ? timeOf("ad-end") : event.atMs + (notHype[event.kind] ?? 45_000),
      })),
    /** Fewer lines for a reason: neither a gap nor silence. */
    quiet: [
      { why: "ads", fromMs: timeOf("ad"), toMs: timeOf("ad-end") },
      { why: "technical pause", fromMs: timeOf("pause"), toMs: timeOf("pause-end") },
    ],
    raid: { atMs: timeOf("raid"), viewers: RAID_VIEWERS },
    sharedChat: {
      ...SHARED_CHAT,
      /** Lines that pepel_lamp hears from nightfern, and the other way round: counted in their own room alone. */
      heardFromNightfern: scriptOf("nightfern").filter((event) => isSaid(event) && shared(event)).length,
      heardFromPepel: all.filter(shared).length,
    },
    video: videoTruth(),
    /** What moderators have to do with: lines, accounts, and what the script's own moderators do about it. */
    trouble: troubleScenes.map(({ id, kind, fromMs, toMs }) => {
      const lines = all.filter((said) => said.cause === id);
      return {
        ...{ id, kind, fromMs, toMs, lines: lines.length },
        accounts: new Set(lines.map((said) => said.who.login)).size,
        acts: scriptOf("pepel_lamp").filter((event) => "target" in event && event.target.cause === id).length,
      };
    }),
    moderation: scriptOf("pepel_lamp").flatMap((event) =>
      event.type === "timeout" || event.type === "ban" || event.type === "delete"
        ? [{ type: event.type, atMs: event.atMs, login: event.target.who.login, durationS: event.durationS }]
        : [],
    ),
  };
}

function timeOf(id: string): number {
  const event = mainEvents.find((event) => event.id === id);
  if (event === undefined) throw new Error(`the stream has no event "${id}"`);
  return event.atMs;
}
