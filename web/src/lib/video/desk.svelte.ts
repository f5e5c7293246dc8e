import type { ChannelLayout, Clip, ClipLayout } from "@hypecast/contracts/clip.ts";
import type { MomentDecision } from "@hypecast/contracts/moment.ts";
import { ask, problemOf } from "../live/api.ts";
import type { ClipStore, ClipWish } from "../clips/store.svelte.ts";
import { m } from "../paraglide/messages.js";
import { problemWords } from "../text/problems.ts";
import { duration } from "../text/words.ts";
import { dismissTag, toast } from "../toasts.svelte.ts";
import { leastScoreFor, listed, nudged, withDecision, type Candidate } from "./board.ts";
import type { VideoFeed } from "./feed.svelte.ts";
import type { Playing } from "./player.svelte.ts";
import type { Span } from "./span.ts";

type Change = Partial<Pick<MomentDecision, "verdict" | "startMs" | "endMs">>;

/** How the desk reaches the gateway; the development page answers itself. */
export interface DeskApi {
  decide(login: string, id: string, change: Change): Promise<MomentDecision>;
  mark(login: string, atMs: number, via: "key" | "api"): Promise<{ id: string; atMs: number }>;
  layout(login: string): Promise<ChannelLayout>;
}
export const gatewayDesk: DeskApi = {
  decide: (login, id, body) => ask("PATCH", "/api/v1/channels/{login}/moments/{id}", { login, id, body }),
  mark: (login, atMs, via) =>
    ask("POST", "/api/v1/channels/{login}/marks", { login, body: { atMs: Math.round(atMs), via } }),
  layout: (login) => ask("GET", "/api/v1/channels/{login}/layout", { login }),
};

const SENSITIVITY_KEY = "hypecast.sensitivity";
/** Several presses are one change: only what stands at the end is sent. */
const SEND_AFTER_MS = 300;
/** A free selection that begins with one key is so long until the other end is set. */
const FRESH_SPAN_MS = 20_000;

function readSensitivity(): number {
  try {
    const kept = Number(localStorage.getItem(SENSITIVITY_KEY) ?? "55");
    return kept >= 0 && kept <= 100 ? kept : 55;
  } catch {
    return 55;
  }
}

/**
 * Where clips are chosen: a selected candidate, or a span drawn on the timeline. What a person does shows at once, goes to the
 * gateway a moment later, and can be taken back for eight seconds.
 */
export class Desk {
  selectedId = $state<string | null>(null);
  span = $state.raw<Span | null>(null);
  sensitivity = $state(readSensitivity());
  /** Marks that were set here and have not become moments yet. */
  marks = $state.raw<readonly { id: string; atMs: number }[]>([]);

  readonly list = $derived.by(() => listed(this.feed.board, leastScoreFor(this.sensitivity)));
  readonly selected = $derived.by<Candidate | null>(() =>
    this.selectedId === null ? null : (this.feed.board.get(this.selectedId) ?? null),
  );
  /** What a clip would be made of. */
  readonly target = $derived.by<Span | null>(() => this.selected ?? this.span);

  readonly #sending = new Map<string, ReturnType<typeof setTimeout>>();
  /** The gateway's word about each moment, to return to when it refuses. */
  readonly #agreed = new Map<string, MomentDecision | null>();
  #layout: ChannelLayout | null = null;

  constructor(
    readonly feed: VideoFeed,
    readonly player: Playing,
    readonly clips: ClipStore,
    readonly api: DeskApi = gatewayDesk,
  ) {}

  setSensitivity(value: number): void {
    this.sensitivity = value;
    try {
      localStorage.setItem(SENSITIVITY_KEY, String(value));
    } catch {
      // Storage is off: the choice lasts as long as the page.
    }
  }

  /** Selects a candidate and goes to its start. */
  select(id: string, play = true): void {
    this.selectedId = id;
    this.span = null;
    const candidate = this.feed.board.get(id);
    if (candidate !== undefined && play) this.player.seek(candidate.startMs);
  }
  letGo(): boolean {
    if (this.selectedId === null && this.span === null) return false;
    this.selectedId = null;
    this.span = null;
    return true;
  }
  /** To the next moment in time, or the one before. */
  walk(step: 1 | -1): void {
    const { shown } = this.list;
    if (shown.length === 0) return;
    const at = shown.findIndex(({ moment }) => moment.id === this.selectedId);
    const next = shown[at < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, at - step))];
    if (next !== undefined) this.select(next.moment.id);
  }

  /** One end of what is selected, to where the player is; without a selection a new span begins (or ends) there. */
  setEnd(end: "start" | "end"): void {
    const at = this.player.exactMs();
    if (at === null) return;
    const target = this.target;
    if (target === null) {
      this.span =
        end === "start"
          ? { startMs: at, endMs: at + FRESH_SPAN_MS }
          : { startMs: at - FRESH_SPAN_MS, endMs: at };
      this.span = this.#inside(this.span);
      return;
    }
    this.nudge(end, at - (end === "start" ? target.startMs : target.endMs));
  }
  #inside(span: Span): Span {
    const kept = this.feed.kept;
    return kept === null
      ? span
      : { startMs: Math.max(span.startMs, kept.startMs), endMs: Math.min(span.endMs, kept.endMs) };
  }

  nudge(end: "start" | "end", byMs: number): void {
    const candidate = this.selected;
    if (candidate === null) {
      if (this.span !== null) this.span = nudged(this.span, end, byMs, this.feed.kept);
      return;
    }
    // Both ends are said, so that no later version moves the one that was left alone.
    const { startMs, endMs } = nudged(candidate, end, byMs, this.feed.kept);
    this.#change(candidate, { startMs: Math.round(startMs), endMs: Math.round(endMs) }, m.ends_moved());
    if (end === "start") this.player.seek(startMs);
    else this.player.seek(Math.max(startMs, endMs - 2000));
  }

  keep(candidate: Candidate): void {
    const kept = candidate.decision?.verdict === "kept";
    this.#change(
      candidate,
      kept ? { verdict: null } : { verdict: "kept", startMs: candidate.startMs, endMs: candidate.endMs },
      kept ? m.moment_unkept() : m.moment_kept(),
    );
  }
  discard(candidate: Candidate): void {
    if (this.selectedId === candidate.moment.id) this.selectedId = null;
    this.#change(candidate, { verdict: "discarded" }, m.moment_discarded());
  }

  #change(candidate: Candidate, change: Change, told: string): void {
    const { id, channelId } = candidate.moment;
    const before = candidate.decision;
    if (!this.#agreed.has(id)) this.#agreed.set(id, before);
    this.#show(id, {
      momentId: id,
      channelId,
      login: this.feed.login,
      verdict: before?.verdict ?? null,
      startMs: before?.startMs ?? null,
      endMs: before?.endMs ?? null,
      by: "",
      ...change,
      atMs: Date.now(),
    });
    const first = this.#undoTo.get(id) ?? { decision: before };
    this.#undoTo.set(id, first);
    toast(
      told,
      {
        word: m.undo(),
        run: () => {
          this.#undoTo.delete(id);
          this.#show(id, this.#word(id, channelId, first.decision));
          this.#send(id);
        },
      },
      { tag: id, gone: () => this.#undoTo.delete(id) },
    );
    this.#send(id);
  }
  /** What undoing returns to: the state before the first of several quick changes. */
  readonly #undoTo = new Map<string, { decision: MomentDecision | null }>();

  /** A person's word as it was, said anew: the gateway keeps the newest. */
  #word(id: string, channelId: string, decision: MomentDecision | null): MomentDecision {
    return {
      momentId: id,
      channelId,
      login: this.feed.login,
      by: "",
      verdict: decision?.verdict ?? null,
      startMs: decision?.startMs ?? null,
      endMs: decision?.endMs ?? null,
      atMs: Date.now(),
    };
  }
  #show(id: string, decision: MomentDecision | null): void {
    this.feed.board = withDecision(this.feed.board, id, decision);
  }

  #send(id: string): void {
    clearTimeout(this.#sending.get(id));
    this.#sending.set(
      id,
      setTimeout(() => {
        this.#sending.delete(id);
        void this.#decide(id);
      }, SEND_AFTER_MS),
    );
  }
  async #decide(id: string): Promise<void> {
    const said = this.feed.board.get(id)?.decision ?? null;
    const { verdict = null, startMs = null, endMs = null } = said ?? {};
    try {
      const decision = await this.api.decide(this.feed.login, id, { verdict, startMs, endMs });
      this.#agreed.set(id, decision);
      if (!this.#sending.has(id)) this.#show(id, decision);
    } catch (error) {
      const agreed = this.#agreed.get(id) ?? null;
      const { channelId } = this.feed.board.get(id)?.moment ?? { channelId: "" };
      if (!this.#sending.has(id)) this.#show(id, this.#word(id, channelId, agreed));
      dismissTag(id);
      toast(m.not_done({ why: problemWords(problemOf(error)) }));
    }
  }

  /** "Remember this": what is on screen, or what is on air now where there is no picture. */
  async mark(via: "key" | "api", nowMs: number): Promise<void> {
    const atMs = this.player.exactMs() ?? nowMs;
    try {
      const mark = await this.api.mark(this.feed.login, atMs, via);
      this.marks = [...this.marks, mark].slice(-20);
      toast(m.marked());
    } catch (error) {
      toast(m.not_done({ why: problemWords(problemOf(error)) }));
    }
  }

  async channelLayout(): Promise<ChannelLayout | null> {
    this.#layout ??= await this.api.layout(this.feed.login).catch(() => null);
    return this.#layout;
  }
  layoutChanged(layout: ChannelLayout): void {
    this.#layout = layout;
  }

  /** A clip of the target with the channel's own layout; null: there is none, or the gateway refused (and it was said why). */
  async makeClip(more: Partial<ClipWish> = {}, of: Span | null = this.target): Promise<Clip | null> {
    if (of === null) return null;
    const candidate = "moment" in of ? (of as Candidate) : null;
    const layout = await this.channelLayout();
    const layouts: ClipLayout[] = ["16:9", "9:16"];
    try {
      const clip = await this.clips.make({
        login: this.feed.login,
        momentId: candidate?.moment.id ?? null,
        kind: candidate?.moment.kind ?? null,
        startMs: Math.round(of.startMs),
        endMs: Math.round(of.endMs),
        cut: "exact",
        layouts,
        ...(layout === null ? {} : { cropX: layout.cropX, chat: layout.chat }),
        ...more,
      });
      toast(m.clip_queued({ length: duration(of.endMs - of.startMs) }));
      return clip;
    } catch (error) {
      toast(m.not_done({ why: problemWords(problemOf(error)) }));
      return null;
    }
  }
}
