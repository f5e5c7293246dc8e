import type { Problem } from "@hypecast/contracts/api.ts";
import type { StreamChange as StreamNews } from "@hypecast/contracts/push.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import type { VodStatus } from "@hypecast/contracts/vod-words.ts";
import { problemOf } from "../live/api.ts";
import type { LiveSocket } from "../live/socket.ts";
import { addStream, changeStream, listStreams, removeStream } from "./api.ts";
import type { ResultOf, StreamChange, StreamQuery, StreamWish } from "./api.ts";
import { newer, withNews } from "./records.ts";

/** Several changes at once are one question. */
const SOON_MS = 400;
/** Without news, or without an answer, it is asked for again so often. */
const AGAIN_MS = 20_000;

/** Imported streams that this page has heard of, in the order in which the gateway listed them. */
export class StreamStore {
  byId = $state.raw<ReadonlyMap<string, Vod>>(new Map());
  ids = $state.raw<readonly string[]>([]);
  /** Of all streams, whatever is asked for. */
  counts = $state.raw<Readonly<Record<VodStatus, number>>>({ processing: 0, ready: 0, error: 0 });
  query = $state.raw<StreamQuery>({});
  /** The list that is asked for has come. */
  loaded = $state(false);
  next = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly list = $derived(
    this.ids.flatMap((id) => {
      const stream = this.byId.get(id);
      return stream === undefined || stream.deleting || this.#gone.has(id) ? [] : [stream];
    }),
  );
  readonly all = $derived(this.counts.processing + this.counts.ready + this.counts.error);
  /** Called when a stream that was being imported a moment ago is ready. */
  ready: ((stream: Vod) => void) | null = null;
  readonly #gone = new Set<string>();
  readonly #hearers = new Set<(news: StreamNews) => void>();
  #turn = 0;
  #followers = 0;
  #stop: () => void = () => {};

  /**
   * Keeps the list fresh until the returned function is called; several may, a topic has one listener. Records come by push; which of
   * them stand in the list that is asked for, and in what order, is the gateway's word and is asked for again when it may have changed.
   */
  follow(socket: LiveSocket): () => void {
    if (this.#followers++ === 0) this.#stop = this.#begin(socket);
    return () => {
      if (--this.#followers === 0) this.#stop();
    };
  }

  /** Each change as it is pushed, while somebody follows; until the returned function is called. */
  hear(take: (news: StreamNews) => void): () => void {
    this.#hearers.add(take);
    return () => this.#hearers.delete(take);
  }

  #begin(socket: LiveSocket): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.#refresh().then(() => soon(AGAIN_MS)), ms);
    };
    soon(0);
    const stop = socket.subscribe("streams", {
      message: ({ d, snap }) => {
        // After a pause of the connection things may have happened that the topic no longer has.
        if (snap === true || this.#takeNews(d as StreamNews)) soon(SOON_MS);
      },
      refused: () => {},
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }

  /** True when the list itself may be another now. */
  #takeNews(news: StreamNews): boolean {
    for (const take of this.#hearers) take(news);
    const was = this.byId.get(news.id);
    if ("removed" in news) {
      this.ids = this.ids.filter((id) => id !== news.id);
      return true;
    }
    this.take([news]);
    if (was?.status === "processing" && news.status === "ready") this.ready?.(news);
    return was === undefined || was.status !== news.status || news.deleting;
  }

  /** Another filter or order: what stands there stays until the answer comes. */
  async show(query: StreamQuery): Promise<void> {
    this.query = query;
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const turn = ++this.#turn;
    try {
      // As many as are on screen already, so that a refresh takes nothing away.
      const limit = Math.min(200, Math.max(60, this.ids.length));
      const { streams, counts, next } = await listStreams({ ...this.query, limit });
      if (turn !== this.#turn) return;
      this.take(streams);
      this.ids = streams.map(({ id }) => id);
      this.counts = { ...this.counts, ...counts };
      this.next = next;
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    }
  }

  async more(): Promise<void> {
    if (this.next === null) return;
    const turn = this.#turn;
    try {
      const { streams, next } = await listStreams({ ...this.query, cursor: this.next });
      if (turn !== this.#turn) return;
      this.take(streams);
      this.ids = [...new Set([...this.ids, ...streams.map(({ id }) => id)])];
      this.next = next;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  take(streams: readonly Vod[]): void {
    this.byId = withNews(this.byId, streams);
  }

  async add(wish: StreamWish): Promise<ResultOf<"addStream">> {
    const added = await addStream(wish);
    this.take([added.stream]);
    if (!this.ids.includes(added.stream.id)) this.ids = [added.stream.id, ...this.ids];
    return added;
  }
  async change(id: string, change: StreamChange): Promise<Vod> {
    const stream = newer(this.byId.get(id), await changeStream(id, change));
    this.take([stream]);
    return stream;
  }

  /** Off the screen at once; `really` does it, `back` puts it there again. */
  hide(id: string): { really: () => Promise<void>; back: () => void } {
    this.#gone.add(id);
    this.ids = [...this.ids];
    const back = (): void => {
      this.#gone.delete(id);
      this.ids = [...this.ids];
    };
    return {
      back,
      really: async () => {
        try {
          await removeStream(id);
        } catch (error) {
          back();
          throw error;
        }
      },
    };
  }
}

/** One list for the library, the oracle and the player: going from one to the other asks nothing anew. */
export const streams = new StreamStore();
