import type { z } from "zod";
import type { Problem } from "@hypecast/contracts/api.ts";
import type { MomentDecision, Moment, ReactionLag } from "@hypecast/contracts/moment.ts";
import type { audio } from "@hypecast/contracts/question.ts";
import type { VideoState } from "@hypecast/contracts/video.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { ask, problemOf } from "../live/api.ts";
import type { LiveFeed, SeenEvent } from "../live/feed.svelte.ts";
import type { LiveSocket } from "../live/socket.ts";
import type { Span } from "./span.ts";
import { withDecision, withMoment, type Board } from "./board.ts";
import { Loudness, type Stretch, stretchesOf } from "./layers.ts";

const REFILL_MS = 20_000;
const LONGEST_MS = 12 * 3_600_000;
const SHOTS = 4000;
const MOMENTS = 200;

/** What is seen and heard of one channel, and the moments that were made of it. Knows nothing of the DOM. */
export class VideoFeed {
  /** Null: the source has said nothing (yet). */
  state = $state.raw<VideoState | null>(null);
  board = $state.raw<Board>(new Map());
  lag = $state.raw<ReactionLag | null>(null);
  shots = $state.raw<readonly VideoShot[]>([]);
  readonly loudness = new Loudness();
  problem = $state.raw<Problem | null>(null);
  loaded = $state(false);
  /** Counts what the timeline draws. */
  revision = $state(0);

  readonly stretches = $derived<readonly Stretch[]>(stretchesOf(this.shots));
  /** What clips and the player reach back to; null: nothing is kept. */
  readonly kept = $derived<Span | null>(
    this.state === null || this.state.oldestMs === null || this.state.newestMs === null
      ? null
      : { startMs: this.state.oldestMs, endMs: this.state.newestMs },
  );

  constructor(
    readonly login: string,
    readonly now: () => number = Date.now,
  ) {}

  follow(socket: LiveSocket, feed: LiveFeed): () => void {
    feed.seen = (event) => this.take(event);
    feed.begun = () => void this.load();
    const stop = socket.subscribe(`video:${this.login}`, {
      message: ({ d }) => {
        this.state = d as VideoState | null;
      },
      // A gateway of before video: there is none.
      refused: () => {},
    });
    const refill = setInterval(() => void this.load(), REFILL_MS);
    void this.load();
    return () => {
      feed.seen = feed.begun = null;
      clearInterval(refill);
      stop();
    };
  }

  take(event: SeenEvent): void {
    switch (event.kind) {
      case "moment":
        this.board = withMoment(this.board, event.moment);
        break;
      case "decision":
        this.board = withDecision(this.board, event.decision.momentId, event.decision);
        break;
      case "lag":
        this.lag = event.lag;
        break;
      case "shot":
        this.takeShots([event.shot]);
        break;
      case "audio":
        this.loudness.put(
          event.audio.startMs,
          1000,
          event.audio.shortTerm === null ? null : event.audio.aboveUsual,
        );
        this.revision += 1;
        break;
      case "score":
        break;
    }
  }

  takeShots(shots: readonly VideoShot[]): void {
    if (shots.length === 0) return;
    const byId = new Map(this.shots.map((shot) => [shot.id, shot]));
    for (const shot of shots) byId.set(shot.id, shot);
    this.shots = [...byId.values()].sort((a, b) => a.startMs - b.startMs).slice(-SHOTS);
    this.revision += 1;
  }

  takeMoments(moments: readonly (Moment & { decision: MomentDecision | null })[]): void {
    let board = this.board;
    for (const { decision, ...moment } of moments) {
      board = withMoment(board, moment);
      if (decision !== null) board = withDecision(board, moment.id, decision);
    }
    this.board = board;
  }

  takeAudio({ stepMs, columns }: z.infer<typeof audio.answer>): void {
    for (const { startMs, aboveUsual } of columns) this.loudness.put(startMs, stepMs, aboveUsual);
    this.revision += 1;
  }

  /** What the store knows. The player and what comes live go on without it. */
  async load(): Promise<void> {
    const { login } = this;
    const now = this.now();
    const from = this.loaded ? now - 5 * 60_000 : now - LONGEST_MS;
    const query = { from, to: now + 60_000 };
    try {
      const [moments, shots, sound, video] = await Promise.all([
        ask("GET", "/api/v1/channels/{login}/moments", { login, query: { ...query, limit: MOMENTS } }),
        ask("GET", "/api/v1/channels/{login}/shots", { login, query: { ...query, limit: SHOTS } }),
        ask("GET", "/api/v1/channels/{login}/audio", {
          login,
          query: { ...query, columns: this.loaded ? 300 : 1500 },
        }),
        ask("GET", "/api/v1/channels/{login}/video", { login }),
      ]);
      this.takeMoments(moments.moments);
      this.lag ??= moments.lag;
      this.takeShots(shots.shots);
      this.takeAudio(sound);
      this.state ??= video.video;
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
}
