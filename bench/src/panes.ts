import type { FoldOutput } from "@hypecast/streamproc/processors/fold.ts";
import { defineFold } from "@hypecast/streamproc/processors/fold.ts";
import type { IrcMessage } from "@hypecast/streamproc/sources/twitch-chat/irc.ts";

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
  chatters: Set<number>;
  texts: Set<string>;
  emotes: Map<string, number>;
}

interface State {
  channel: string;
  newestMs: number;
  counted: number;
  late: number;
  /** Open seconds, oldest first. */
  panes: Pane[];
}

/** One-second panes as the Flink peer computes them, closed two seconds after the newest line. Takes parsed IRC lines as they are. */
export const panes = defineFold<State>({
  name: "panes",
  says: "panes as Flink's",
  version: 1,
  initial: (channel) => ({ channel, newestMs: 0, counted: 0, late: 0, panes: [] }),
  step(state, input, emit) {
    if (input.type !== "lines") return;
    for (const message of input.lines as unknown as readonly IrcMessage[]) {
      if (message.sentAtMs > state.newestMs) {
        state.newestMs = message.sentAtMs;
        close(state, message.sentAtMs - 2000, emit);
      }
      const pane = paneOf(state, Math.floor(message.sentAtMs / 1000));
      if (pane === null) state.late++;
      else {
        state.counted++;
        add(pane, message);
      }
    }
  },
  save: (state) =>
    Buffer.from(
      JSON.stringify({
        ...state,
        panes: state.panes.map((pane) => ({
          ...pane,
          chatters: [...pane.chatters],
          texts: [...pane.texts],
          emotes: [...pane.emotes],
        })),
      }),
    ),
  load(_channel, _version, bytes) {
    const state = JSON.parse(Buffer.from(bytes).toString()) as State;
    for (const pane of state.panes) {
      pane.chatters = new Set(pane.chatters);
      pane.texts = new Set(pane.texts);
      pane.emotes = new Map(pane.emotes);
    }
    return state;
  },
  counts: (state) => ({ counted: state.counted, late: state.late, dropped: {} }),
});

function paneOf(state: State, second: number): Pane | null {
  const { panes } = state;
  for (let i = panes.length - 1; i >= 0; i--) if (panes[i]!.second === second) return panes[i]!;
  if (second * 1000 + 1000 <= state.newestMs - 2000) return null;
  const pane: Pane = {
    second,
    messages: 0,
    codePoints: 0,
    chatters: new Set(),
    texts: new Set(),
    emotes: new Map(),
  };
  panes.push(pane);
  panes.sort((a, b) => a.second - b.second);
  return pane;
}

function add(pane: Pane, { userId, text, emotes }: IrcMessage): void {
  pane.messages++;
  let length = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) length--;
  pane.codePoints += length;
  pane.chatters.add(Number(userId));
  pane.texts.add(text);
  for (let at = 0; at < emotes.length;) {
    const colon = emotes.indexOf(":", at);
    let end = emotes.indexOf("/", colon);
    if (end < 0) end = emotes.length;
    let uses = 1;
    for (let i = colon; i < end; i++) if (emotes.charCodeAt(i) === 44) uses++;
    const id = emotes.slice(at, colon);
    pane.emotes.set(id, (pane.emotes.get(id) ?? 0) + uses);
    at = end + 1;
  }
}

function close(state: State, watermarkMs: number, emit: (output: FoldOutput) => void): void {
  while (state.panes.length > 0 && (state.panes[0]!.second + 1) * 1000 <= watermarkMs) {
    const pane = state.panes.shift()!;
    // Only the shape of the row differs from a window of ours: the engine packs it as it packs those.
    emit({ type: "window", window: rowOf(state.channel, pane) as never });
  }
}

function rowOf(channel: string, pane: Pane): PaneRow {
  const { second, messages, codePoints, chatters, texts, emotes } = pane;
  return {
    channel,
    startMs: second * 1000,
    messages,
    chatters: chatters.size,
    meanLength: codePoints / messages,
    repeatedShare: (messages - texts.size) / messages,
    emotes: [...emotes]
      .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, 10)
      .map(([id, uses]) => `${id}:${uses}`)
      .join(),
  };
}
