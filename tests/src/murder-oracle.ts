import { expect } from "vitest";
import {
  chatAlive,
  chatGap,
  chatLines,
  chatNotice,
  EMOTE_SET_HEADER,
  unpackLines,
  type ChatAlive,
  type ChatGap,
  type ChatNotice,
} from "@hypecast/contracts/chat.ts";
import { videoMeasured, type VideoMeasured } from "@hypecast/contracts/measured.ts";
import { momentMark, type MomentMark } from "@hypecast/contracts/moment.ts";
import { shotScore, type ShotScore } from "@hypecast/contracts/shot.ts";
import { videoGap, videoSegment, type VideoGap, type VideoSegment } from "@hypecast/contracts/video.ts";
import { toxicityScores, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import { isPeoplesLine } from "@hypecast/streamproc/processors/toxicity-spikes/peoples-line.ts";
import { folds } from "@hypecast/streamproc/processors/index.ts";
import type { FoldHandover, FoldInput, FoldOutput } from "@hypecast/streamproc/processors/fold.ts";
import type { Recording } from "./murder-recording.ts";

/** A message of the log, read back. */
export interface Logged {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly header: (name: string) => string;
}

/** Tables whose rows are a function of the log, each with what one row of it is known by. A moment is said in versions. */
const FINALS = {
  window: ["chat_windows", idOf],
  burst: ["chat_bursts", idOf],
  hype: ["hype", idOf],
  shot: ["shots", idOf],
  audio: ["audio_windows", idOf],
  moment: ["moments", ({ id, version }: Row) => `${id} ${version}`],
  lag: ["reaction_lags", idOf],
  toxicityWindow: ["toxicity_windows", idOf],
  spike: ["toxicity_spikes", ({ id, version }: Row) => `${id} ${version}`],
  modCase: ["mod_cases", ({ id, version }: Row) => `${id} ${version}`],
} as const;
interface Row {
  id: string;
  version?: number;
}
function idOf({ id }: Row): string {
  return id;
}
export type FinalTable = (typeof FINALS)[keyof typeof FINALS][0];
export type Finals = Record<FinalTable, Map<string, object>>;
export const finalTables: readonly FinalTable[] = Object.values(FINALS).map(([table]) => table);

/** Of these the store keeps nobody's words and the last version alone: they are held to the log. */
const LOG_ONLY: ReadonlySet<FinalTable> = new Set<FinalTable>([
  "toxicity_windows",
  "toxicity_spikes",
  "mod_cases",
]);
export const storedTables = finalTables.filter((table) => !LOG_ONLY.has(table));

/** What one row of a table is known by. */
export function keyOf(table: FinalTable, row: object): string {
  const [, key] = Object.values(FINALS).find(([name]) => name === table)!;
  return key(row as Row);
}

/** Final values of everything on the log, by a plain loop: no partitions, no commits, no state that is ever saved. */
export function batch(log: readonly Logged[], only: ReadonlySet<string>): Finals {
  const finals = Object.fromEntries(finalTables.map((table) => [table, new Map()])) as Finals;
  const states = new Map<string, unknown[]>();
  for (const message of log)
    for (const [channelId, input] of inputs(message)) {
      if (!only.has(channelId)) continue;
      let state = states.get(channelId);
      if (state === undefined) states.set(channelId, (state = folds.map((fold) => fold.initial(channelId))));
      const said: FoldInput[] = [input];
      const emit = (output: FoldOutput | FoldHandover): void => {
        said.push(output);
        if (!(output.type in FINALS)) return;
        const [table, key] = FINALS[output.type as keyof typeof FINALS];
        const row = (output as unknown as Record<string, Row>)[output.type]!;
        finals[table].set(key(row), row);
      };
      for (const [i, fold] of folds.entries())
        for (const each of said.slice()) fold.step(state[i], each, emit);
    }
  return finals;
}

function inputs({ subject, data, header }: Logged): [string, FoldInput][] {
  const name = subject.split(".").slice(0, 2).join(".");
  const channelId = subject.split(".")[3] ?? "";
  if (name === chatLines.name)
    return [[channelId, { type: "lines", lines: unpackLines(data), emoteSet: header(EMOTE_SET_HEADER) }]];
  const body: unknown = JSON.parse(Buffer.from(data).toString());
  if (name === chatAlive.name) {
    const { atMs, channels } = body as ChatAlive;
    return channels.map((id) => [id, { type: "alive", atMs }]);
  }
  if (name === chatNotice.name) return [[channelId, { type: "notice", notice: body as ChatNotice }]];
  if (name === chatGap.name) return [[channelId, { type: "gap", gap: body as ChatGap }]];
  if (name === videoSegment.name) return [[channelId, { type: "segment", segment: body as VideoSegment }]];
  if (name === videoGap.name) return [[channelId, { type: "videoGap", gap: body as VideoGap }]];
  if (name === videoMeasured.name)
    return [[channelId, { type: "measured", measured: body as VideoMeasured }]];
  if (name === shotScore.name) return [[channelId, { type: "score", score: body as ShotScore }]];
  if (name === momentMark.name) return [[channelId, { type: "mark", mark: body as MomentMark }]];
  if (name === toxicityScores.name)
    return [[channelId, { type: "toxicity", scores: body as ToxicityScores }]];
  return [];
}

/** Every pack with people's lines has its scores, once. */
export function checkScores(
  log: readonly (Logged & { seq: number })[],
  channels: readonly string[],
): boolean {
  const ids: string[] = [];
  const scored: string[] = [];
  for (const { subject, data, seq } of log) {
    const channelId = subject.split(".")[3] ?? "";
    if (!channels.includes(channelId)) continue;
    if (subject.startsWith(`${toxicityScores.name}.`))
      scored.push((JSON.parse(Buffer.from(data).toString()) as ToxicityScores).id);
    else if (subject.startsWith(`${chatLines.name}.`) && unpackLines(data).some(isPeoplesLine))
      ids.push(`${channelId}:tox:${seq}`);
  }
  expect(scored.toSorted(), "scores of packs").toEqual(ids.toSorted());
  return true;
}

/** The log has what was written, each line once and each channel in order: the source lost and doubled nothing. */
export function checkLog(log: readonly Logged[], recording: Recording): void {
  const heard = new Map<string, string[]>(recording.channels.map((id) => [id, []]));
  for (const { subject, data } of log)
    if (subject.startsWith(`${chatLines.name}.`))
      for (const { channelId, id } of unpackLines(data)) heard.get(channelId)?.push(id);
  for (const id of recording.channels)
    expect(heard.get(id), `lines of channel ${id} on the log`).toEqual(
      recording.said.filter(({ channelId }) => channelId === id).map((said) => said.id),
    );
}

/**
 * Counts and unique chatters of every window once more, from the recording itself and by nothing but filters; and for each
 * channel: what was written = what is counted in its windows of a size + what came late (a silent second has no window of its
 * own, so what comes late in silence stands in the longer ones).
 */
export function checkWindows(windows: readonly ChatWindow[], recording: Recording): void {
  for (const channelId of recording.channels) {
    const said = recording.said.filter((line) => line.channelId === channelId);
    const ofChannel = windows.filter((window) => window.channelId === channelId);
    let late = 0;
    for (const size of [10, 30, 60]) {
      const ofSize = ofChannel.filter(({ sizeS }) => sizeS === size);
      late = ofSize.reduce((n, window) => n + window.late, 0);
      const counted = ofSize.reduce((n, window) => n + window.messages, 0);
      expect(counted + late, `in = out + late of ${channelId} by ${size} s`).toBe(said.length);
    }
    if (channelId === recording.lateChannel) {
      expect(late).toBeGreaterThan(0);
      continue;
    }
    const wrong = ofChannel.filter(({ startMs, sizeS, messages, chatters }) => {
      const inside = said.filter(({ sentAtMs }) => sentAtMs >= startMs && sentAtMs < startMs + sizeS * 1000);
      return inside.length !== messages || new Set(inside.map(({ userId }) => userId)).size !== chatters;
    });
    expect(wrong, `windows of ${channelId} that a recount finds different`).toEqual([]);
    expect(new Set(ofChannel.map(({ sizeS }) => sizeS))).toEqual(new Set([1, 10, 30, 60]));
  }
}

/** Order of keys and sign of zero aside, the same value has the same text. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
