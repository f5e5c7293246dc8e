import { defineFold, type FoldOutput } from "@hypecast/streamproc/processors/fold.ts";
import { ByteSet, NumberSet } from "./pane-sets.ts";
import { FNV_OFFSET, FNV_PRIME, type PaneLine } from "./pane-lines.ts";

/** The columns of the Flink peer's job, no more. */
export interface PaneRow {
  channel: string;
  startMs: number;
  messages: number;
  chatters: number;
  meanLength: number;
  repeatedShare: number;
  /** `<id>:<uses>`, most used first, at most 10. */
  emotes: string;
}

interface Pane {
  second: number;
  messages: number;
  codePoints: number;
  readonly chatters: NumberSet;
  readonly texts: ByteSet;
  readonly emotes: ByteSet;
  /** By the emote's place in `emotes`. */
  readonly uses: number[];
}

interface State {
  channel: string;
  newestMs: number;
  counted: number;
  late: number;
  /** Open seconds, oldest first. */
  panes: Pane[];
}

/** What is written: a state with its panes' sets as lists, bytes as Latin-1. */
interface Saved extends Omit<State, "panes"> {
  panes: {
    second: number;
    messages: number;
    codePoints: number;
    chatters: number[];
    texts: string[];
    emotes: [id: string, uses: number][];
  }[];
}

const COLON = 58;
const COMMA = 44;
const SLASH = 47;
/** A pane that was larger is not kept for another second: its tables would have to be cleared each time. */
const KEPT_SLOTS = 4096;

/** One-second panes as the Flink peer computes them, closed two seconds after the newest line or alive mark. Takes `PaneLine`s. */
export const panes = defineFold<State>({
  name: "panes",
  says: "panes as Flink's",
  version: 1,
  initial: (channel) => ({ channel, newestMs: 0, counted: 0, late: 0, panes: [] }),
  step(state, input, emit) {
    if (input.type === "alive") pass(state, input.atMs, emit);
    if (input.type !== "lines") return;
    for (const line of input.lines as unknown as readonly PaneLine[]) {
      pass(state, line.sentAtMs, emit);
      const pane = paneOf(state, Math.floor(line.sentAtMs / 1000));
      if (pane === null) state.late++;
      else {
        state.counted++;
        add(pane, line);
      }
    }
  },
  save: (state) =>
    Buffer.from(
      JSON.stringify({
        ...state,
        panes: state.panes.map(({ second, messages, codePoints, chatters, texts, emotes, uses }) => ({
          second,
          messages,
          codePoints,
          chatters: chatters.values(),
          texts: texts.values(),
          emotes: emotes.values().map((id, i): [string, number] => [id, uses[i]!]),
        })),
      } satisfies Saved),
    ),
  load(_channel, _version, bytes) {
    const saved = JSON.parse(Buffer.from(bytes).toString()) as Saved;
    return {
      ...saved,
      panes: saved.panes.map((was) => {
        const pane = openPane(was.second);
        pane.messages = was.messages;
        pane.codePoints = was.codePoints;
        for (const userId of was.chatters) pane.chatters.add(userId);
        for (const text of was.texts) addLatin1(pane.texts, text);
        for (const [id, uses] of was.emotes) pane.uses[addLatin1(pane.emotes, id)] = uses;
        return pane;
      }),
    };
  },
  counts: (state) => ({ counted: state.counted, late: state.late, dropped: {} }),
});

function pass(state: State, atMs: number, emit: (output: FoldOutput) => void): void {
  if (atMs <= state.newestMs) return;
  state.newestMs = atMs;
  while (state.panes.length > 0 && (state.panes[0]!.second + 1) * 1000 <= atMs - 2000) {
    const pane = state.panes.shift()!;
    // Only the shape of the row differs from a window of ours: the engine packs it as it packs those.
    emit({ type: "window", window: rowOf(state.channel, pane) as never });
    if (pane.texts.slots <= KEPT_SLOTS && pane.chatters.slots <= KEPT_SLOTS) closed.push(pane);
  }
}

function paneOf(state: State, second: number): Pane | null {
  const { panes } = state;
  for (let i = panes.length - 1; i >= 0; i--) if (panes[i]!.second === second) return panes[i]!;
  if (second * 1000 + 1000 <= state.newestMs - 2000) return null;
  const pane = openPane(second);
  panes.push(pane);
  panes.sort((a, b) => a.second - b.second);
  return pane;
}

/** Their tables are used again. */
const closed: Pane[] = [];

function openPane(second: number): Pane {
  const pane = closed.pop();
  if (pane === undefined)
    return {
      second,
      messages: 0,
      codePoints: 0,
      chatters: new NumberSet(),
      texts: new ByteSet(),
      emotes: new ByteSet(),
      uses: [],
    };
  pane.second = second;
  pane.messages = 0;
  pane.codePoints = 0;
  pane.chatters.clear();
  pane.texts.clear();
  pane.emotes.clear();
  pane.uses.length = 0;
  return pane;
}

function add(pane: Pane, line: PaneLine): void {
  pane.messages++;
  pane.codePoints += line.codePoints;
  pane.chatters.add(line.userId);
  pane.texts.add(line.bytes, line.textFrom, line.textTo, line.textHash);
  if (line.emotesFrom < line.emotesTo) addEmotes(pane, line.bytes, line.emotesFrom, line.emotesTo);
}

/** `<id>:<first>-<last>,<first>-<last>/<id>:…`; a part without a colon is no emote. */
function addEmotes(pane: Pane, bytes: Uint8Array, from: number, to: number): void {
  let at = from;
  while (at < to) {
    const idFrom = at;
    let hash = FNV_OFFSET;
    while (at < to && bytes[at] !== COLON && bytes[at] !== SLASH)
      hash = Math.imul(hash ^ bytes[at++]!, FNV_PRIME);
    if (bytes[at] === COLON && at < to) {
      const emote = pane.emotes.add(bytes, idFrom, at, hash);
      let uses = 1;
      for (; at < to && bytes[at] !== SLASH; at++) if (bytes[at] === COMMA) uses++;
      pane.uses[emote] = (pane.uses[emote] ?? 0) + uses;
    }
    at++;
  }
}

function addLatin1(set: ByteSet, text: string): number {
  const bytes = Buffer.from(text, "latin1");
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return set.add(bytes, 0, bytes.length, hash);
}

function rowOf(channel: string, pane: Pane): PaneRow {
  const { second, messages, codePoints, chatters, texts, emotes, uses } = pane;
  return {
    channel,
    startMs: second * 1000,
    messages,
    chatters: chatters.size,
    meanLength: codePoints / messages,
    repeatedShare: (messages - texts.size) / messages,
    emotes: emotes
      .values()
      .map((id, i) => ({ id, uses: uses[i]! }))
      .sort((a, b) => b.uses - a.uses || (a.id < b.id ? -1 : 1))
      .slice(0, 10)
      .map((emote) => `${emote.id}:${emote.uses}`)
      .join(),
  };
}
