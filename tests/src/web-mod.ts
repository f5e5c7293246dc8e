import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { SEVERITIES, type CaseLine, type ModCase } from "@hypecast/contracts/mod-case.ts";
import {
  toxicitySpikes,
  toxicityWindows,
  type ToxicitySpike,
  type ToxicityWindow,
} from "@hypecast/contracts/toxicity.ts";
import { caseOf, sayCases } from "@hypecast/gateway/mod/testing.ts";

/** A channel with something to moderate: this test is the folds and the store, everything else is real. */
export interface ModWorld {
  /** Cases as the store knows them; whoever says one adds it here too. */
  readonly cases: Map<string, ModCase>;
  /** Told by the folds now. */
  say(...cases: readonly ModCase[]): Promise<void>;
  saySpike(): Promise<void>;
  close(): void;
}

const between = (text: string, part: string): [number, number] => {
  const first = Array.from(text.slice(0, text.indexOf(part))).length;
  return [first, first + Array.from(part).length - 1];
};

/** A case of one line. `part` is what the model marked. */
export function oneLine(
  channelId: string,
  name: string,
  text: string,
  more: Partial<ModCase> & { part?: string } = {},
): ModCase {
  const { part, ...rest } = more;
  const span = part === undefined ? null : between(text, part);
  const made = caseOf(channelId, name, rest);
  const lines = made.lines.map((line): CaseLine => ({ ...line, text, span, toxicity: made.score }));
  return { ...made, text, span, lines };
}

export const HOSTILE: readonly string[] = [
  "W".repeat(500),
  `z${"\u0301\u0320\u0334\u0489".repeat(120)}algo`,
  "\u202Etxet desrever\u202C and \u2067more",
  "<img src=x onerror=alert(1)><style>*{display:none}</style>",
  `${"\u{1F468}\u200D".repeat(200)}\u{1F469}`,
  "a\u2028b\u0000c\u000bd",
];

export function startModWorld(nc: NatsConnection, channelId: string): ModWorld {
  const cases = new Map<string, ModCase>();
  const js = jetstream(nc);

  const listed = ({ lines: _lines, reasons: _reasons, scores: _scores, ...rest }: ModCase) => ({
    ...rest,
    kept: true,
  });
  const queue = (asked: {
    severity?: string;
    class?: string;
    language?: string;
    except?: string[];
    only?: string[];
    cursor?: string;
    limit: number;
  }) => {
    const fits = [...cases.values()].filter(
      (one) =>
        asked.except?.includes(one.id) !== true &&
        (asked.only === undefined || asked.only.includes(one.id)) &&
        (asked.class === undefined || one.class === asked.class) &&
        (asked.language === undefined || one.language === asked.language),
    );
    const counts = Object.fromEntries(
      SEVERITIES.map((severity) => [severity, fits.filter((one) => one.severity === severity).length]),
    );
    const all = fits
      .filter(({ severity }) => asked.severity === undefined || severity === asked.severity)
      .toSorted(
        (a, b) =>
          SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
          b.lastAtMs - a.lastAtMs ||
          (a.id > b.id ? -1 : 1),
      );
    const from = Number(asked.cursor ?? 0);
    const to = from + asked.limit;
    return {
      cases: all.slice(from, to).map(listed),
      next: to < all.length ? String(to) : null,
      counts,
    };
  };
  const said = (line: CaseLine) => ({
    id: line.lineId,
    channelId,
    sentAtMs: line.sentAtMs,
    userId: line.userId,
    login: line.login,
    name: line.name,
    text: line.text,
    removedAtMs: line.removedAtMs,
    removedBy: null,
    toxicity: line.toxicity,
  });
  const around = ({ lineId, before, after }: { lineId: string; before: number; after: number }) => {
    const found = [...cases.values()].flatMap(({ lines }) => lines).find((line) => line.lineId === lineId);
    const none = { lines: [], thread: [], earlier: 0, later: 0, laterRemoved: 0, kept: false };
    if (found === undefined) return none;
    const near = (at: number) => ({
      ...said(found),
      id: `${lineId} ${at}`,
      userId: "9",
      login: "vorobey7",
      name: "vorobey7",
      sentAtMs: found.sentAtMs + at * 2000,
      text: at === 3 ? "" : `строка ${at}`,
      toxicity: null,
      ...(at === 3 ? { removedAtMs: found.sentAtMs, removedBy: "automod" } : {}),
    });
    const lines = [
      ...Array.from({ length: before }, (_, i) => near(i - before)),
      said(found),
      ...Array.from({ length: after }, (_, i) => near(i + 1)),
    ];
    return { lines, thread: [], earlier: 200 - before, later: 3, laterRemoved: 1, kept: true };
  };
  const user = ({ userId }: { userId: string }) => {
    const lines = [...cases.values()].flatMap((one) => one.lines.filter((line) => line.userId === userId));
    const [first] = lines;
    return {
      userId,
      login: first?.login ?? "",
      name: first?.name ?? "",
      earlierNames: ["sev_veter"],
      firstSeenMs: Date.now() - 400 * 86_400_000,
      messages: 412,
      flagged: 6,
      scored: 88,
      badges: "",
      suspicious: "active_monitoring",
      events: [],
      lines: lines.slice(-5).map(said),
      trackedSinceMs: Date.now() - 500 * 86_400_000,
    };
  };
  const answers: Record<string, (asked: never) => unknown> = {
    mod_queue: queue,
    mod_cases_by_id: ({ ids }: { ids: string[] }) => ({ cases: ids.flatMap((id) => cases.get(id) ?? []) }),
    mod_context: around,
    mod_user: user,
    mod_entries: () => ({ entries: [] }),
    // What was written looks like markup and like a formula.
    mod_log: () => ({
      entries: [],
      events: [
        {
          ...{ id: "e1", channelId, atMs: Date.now() - 60_000, action: "timeout", heardBy: "eventsub" },
          ...{ moderatorId: "5", moderatorLogin: "mod", targetUserId: "77", targetLogin: "severny_veter" },
          ...{ targetMessageId: "", text: "<b>=1+1</b>", reason: "spam", durationS: 600, detail: {} },
          ...{ sourceChannelId: "", messageId: "m" },
        },
      ],
      next: null,
    }),
    mod_precision: () => ({
      weeks: [],
      classes: [{ class: "insult", right: 193, wrong: 19, low: 0.88, high: 0.93 }],
    }),
    mod_effect: () => {
      const [stepMs, toMs] = [3_600_000, Math.floor(Date.now() / 3_600_000) * 3_600_000];
      const some = { value: 0.4, low: 0.3, high: 0.5, n: 20 };
      const few = { value: null, low: null, high: null, n: 2 };
      return {
        ...{ fromMs: toMs - 24 * stepMs, toMs, stepMs, spikes: [] },
        columns: Array.from({ length: 24 }, (_, i) => ({
          startMs: toMs - (24 - i) * stepMs,
          ...(i < 4
            ? { toxicPerMin: null, usualPerMin: null, unknown: 9 }
            : { toxicPerMin: i / 4, usualPerMin: 2, unknown: 0 }),
        })),
        actions: [{ atMs: toMs - stepMs, act: "timeout", by: "ana", source: "us", count: 2 }],
        timeToActionS: { critical: { value: 40, low: 30, high: 60, n: 14 }, alert: few, watch: few },
        acted: { critical: some, alert: some, watch: few },
        repeat7d: few,
        measures: [
          {
            measure: "slow",
            withS: { value: 45, low: 30, high: 60, n: 14 },
            withoutS: { value: 130, low: 90, high: 180, n: 20 },
            ...{ fellWith: some, fellWithout: few },
          },
        ],
        autoMod: { held: 12, weFlagged: some, ofCriticalHeld: few },
        precision: [{ class: "insult", right: 193, wrong: 19, low: 0.88, high: 0.93, weekStartMs: toMs }],
        load: null,
      };
    },
    mod_recent: () => ({
      ...{ spikes: [], windows: [], events: [], reports: [] },
      ...{ scored: 800, unknown: 0, model: "test@1", scoredUpToMs: Date.now() },
    }),
    mod_allow_preview: () => ({
      cases: 12,
      fewer: 3,
      decidedRight: 2,
      ids: [],
      examples: [...cases.values()].slice(0, 3).map(listed),
    }),
  };
  const answering = nc.subscribe("ask.*", {
    callback: (_error, message) => {
      const answer = answers[message.subject.slice(4)];
      message.respond(
        JSON.stringify(
          answer === undefined
            ? { error: "bad_question", detail: message.subject }
            : answer(message.json<never>()),
        ),
      );
    },
  });
  return {
    cases,
    async say(...some) {
      for (const one of some) cases.set(one.id, one);
      await sayCases(nc, some);
    },
    async saySpike() {
      const nowMs = Math.floor(Date.now() / 10_000) * 10_000;
      const windows = Array.from({ length: 110 }, (_, i): ToxicityWindow => {
        const startMs = nowMs - (110 - i) * 10_000;
        const toxic = i > 90 ? 5 : 1;
        return {
          id: `${channelId}:tox:${startMs}`,
          ...{ channelId, startMs, sizeS: 10, scored: 40, unknown: 0, toxic, users: toxic },
          ...{ classes: { insult: toxic }, languages: { ru: toxic }, newcomers: 0 },
          ...{ usualPerMin: 6.5, spikeFromPerMin: 16, gapS: 0 },
        };
      });
      const spike: ToxicitySpike = {
        id: `${channelId}:spike:toxicity:${nowMs - 190_000}`,
        ...{ channelId, version: 1, kind: "toxicity", state: "open", startMs: nowMs - 190_000, endMs: null },
        ...{ peakMs: nowMs, lines: 70, scored: 800, unknown: 4, perMin: 28, peakPerMin: 30 },
        ...{ usualPerMin: 6.5, usualLowPerMin: 4, usualHighPerMin: 9, fromPerMin: 16, times: 4.1 },
        ...{ share: 0.06, usualShare: 0.01, users: 23, newUsers: 3 },
        ...{ classes: { insult: 50, threat: 3 }, languages: { ru: 60, en: 10 } },
        topUsers: [["77", "severny_veter", 9]],
        phrases: [["\u202Etoo late <b>", 19, 7]],
        ...{ driver: "one_phrase", measure: "slow", measureS: 10, measureUsers: [] },
        ...{ reasons: { copies: 19 }, detectedAtMs: nowMs },
      };
      await js.publish(subjectOf(toxicityWindows, channelId), JSON.stringify(windows));
      await js.publish(subjectOf(toxicitySpikes, channelId), JSON.stringify([spike]));
    },
    close: () => answering.unsubscribe(),
  };
}
