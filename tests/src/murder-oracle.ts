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
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import { folds } from "@hypecast/streamproc/processors/index.ts";
import type { FoldHandover, FoldInput, FoldOutput } from "@hypecast/streamproc/processors/fold.ts";
import type { Recording } from "./murder-recording.ts";

/** A message of the log, read back. */
export interface Logged {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly header: (name: string) => string;
}

export type Finals = Record<"chat_windows" | "chat_bursts" | "hype", Map<string, object>>;

/** Final values of everything on the log, by a plain loop: no partitions, no commits, no state that is ever saved. */
export function batch(log: readonly Logged[], only: ReadonlySet<string>): Finals {
  const finals: Finals = { chat_windows: new Map(), chat_bursts: new Map(), hype: new Map() };
  const states = new Map<string, unknown[]>();
  for (const message of log)
    for (const [channelId, input] of inputs(message)) {
      if (!only.has(channelId)) continue;
      let state = states.get(channelId);
      if (state === undefined) states.set(channelId, (state = folds.map((fold) => fold.initial(channelId))));
      const said: FoldInput[] = [input];
      const emit = (output: FoldOutput | FoldHandover): void => {
        said.push(output);
        if (output.type === "window") finals.chat_windows.set(output.window.id, output.window);
        if (output.type === "burst") finals.chat_bursts.set(output.burst.id, output.burst);
        if (output.type === "hype") finals.hype.set(output.hype.id, output.hype);
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
  return [];
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
