import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import { defineFold } from "../processors/fold.ts";

/** Folds that are small enough to see through: for tests of the engine alone. */
interface CountState {
  channelId: string;
  /** The open second and its lines. */
  second: number;
  n: number;
  counted: number;
  gapMs: number;
}

/** Lines by second of event time; a second is final when a later line has come. Needs lines in order. */
export const countFold = defineFold<CountState>({
  name: "count",
  says: "lines by second",
  version: 1,
  initial: (channelId) => ({ channelId, second: 0, n: 0, counted: 0, gapMs: 0 }),
  step(state, input, emit) {
    if (input.type === "gap") state.gapMs += input.gap.toMs - input.gap.fromMs;
    if (input.type !== "lines") return;
    for (const { sentAtMs } of input.lines) {
      const second = Math.floor(sentAtMs / 1000);
      if (second !== state.second) {
        if (state.n > 0) emit({ type: "window", window: countWindow(state) });
        state.second = second;
        state.n = 0;
      }
      state.n++;
      state.counted++;
    }
  },
  save: (state) => Buffer.from(JSON.stringify(state)),
  load: (_channelId, version, bytes) =>
    version === 1 ? (JSON.parse(Buffer.from(bytes).toString()) as CountState) : null,
  counts: (state) => ({ counted: state.counted, late: 0, dropped: {} }),
});

const countWindow = (state: CountState): ChatWindow => ({
  id: `${state.channelId}:1:${state.second * 1000}`,
  channelId: state.channelId,
  startMs: state.second * 1000,
  sizeS: 1,
  messages: state.n,
  chatters: 0,
  chattersEstimated: false,
  firstTimers: 0,
  emotes: [],
  emoteUses: 0,
  emoteShare: 0,
  moods: {},
  sentiment: 0,
  sentimentLines: 0,
  meanLength: 0,
  repeatedShare: 0,
  nearRepeatedShare: 0,
  capsShare: 0,
  questions: 0,
  links: 0,
  bits: 0,
  subs: 0,
  raiders: 0,
  languages: { en: 0, ru: 0, other: 0 },
  gapS: state.gapMs / 1000,
  late: 0,
  emoteSet: "",
});

export const line = (channelId: string, id: string, sentAtMs: number): ChatLine => ({
  id,
  channelId,
  sentAtMs,
  userId: "1",
  login: "someone",
  text: "hello",
});

/** Every fifth line says which five there were: a lost, doubled or swapped line shows. */
export const chainFold = defineFold<{ channelId: string; n: number; chain: string }>({
  name: "chain",
  says: "ids in order",
  version: 1,
  initial: (channelId) => ({ channelId, n: 0, chain: "" }),
  step(state, input, emit) {
    if (input.type === "notice") state.chain += `${input.notice.id},`;
    if (input.type !== "lines") return;
    for (const { id } of input.lines) {
      state.n++;
      state.chain += `${id},`;
      if (state.n % 5 > 0) continue;
      const id5 = `${state.channelId}:chain:${state.n}`;
      const window = countWindow({ channelId: state.channelId, second: 0, n: 5, counted: 0, gapMs: 0 });
      emit({ type: "window", window: { ...window, id: id5, emoteSet: state.chain } });
      state.chain = "";
    }
  },
  save: (state) => Buffer.from(JSON.stringify(state)),
  load: (_channelId, _version, bytes) =>
    JSON.parse(Buffer.from(bytes).toString()) as { channelId: string; n: number; chain: string },
  counts: (state) => ({ counted: state.n, late: 0, dropped: {} }),
});

/** Asks after every third line, and throws when the state has moved before the answer came. */
export const askFold = defineFold<{ n: number; asked: number }>({
  name: "ask",
  says: "asks an echo",
  version: 1,
  initial: () => ({ n: 0, asked: 0 }),
  step(state, input) {
    if (input.type === "lines") state.n += input.lines.length;
  },
  save: (state) => Buffer.from(JSON.stringify(state)),
  load: (_channelId, _version, bytes) =>
    JSON.parse(Buffer.from(bytes).toString()) as { n: number; asked: number },
  model: {
    name: "echo",
    width: 2,
    ask: (state) => (state.n >= state.asked + 3 ? Float32Array.of(state.n, -state.n) : null),
    answer(state, outputs, version) {
      state.asked = state.n;
      if (outputs === null) return;
      const { same } = outputs;
      if (same?.[0] !== state.n || same[1] !== -state.n || version !== "echo@1")
        throw new Error(`asked at ${same?.[0]} lines, answered at ${state.n}`);
    },
  },
});

/** Says something urgent with every third event. */
export const urgentFold = defineFold<{ channelId: string; n: number }>({
  name: "urgent",
  says: "what cannot wait for the second",
  version: 1,
  initial: (channelId) => ({ channelId, n: 0 }),
  step(state, input, emit) {
    if (input.type === "lines" && ++state.n % 3 === 0)
      emit({ type: "spike", spike: { id: `${state.channelId}:spike:${state.n}` } as ToxicitySpike });
  },
  save: (state) => Buffer.from(JSON.stringify(state)),
  load: (_channelId, version, bytes) =>
    version === 1 ? (JSON.parse(Buffer.from(bytes).toString()) as { channelId: string; n: number }) : null,
});
