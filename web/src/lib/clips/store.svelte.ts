import type { z } from "zod";
import type { Clip, clipRequest } from "@hypecast/contracts/clip.ts";
import type { Problem, routes } from "@hypecast/contracts/api.ts";
import { ask, problemOf } from "../live/api.ts";
import type { ClipChange } from "@hypecast/contracts/push.ts";
import type { LiveSocket } from "../live/socket.ts";
import { merged, withoutGone } from "./list.ts";

export type ClipWish = z.input<typeof clipRequest>;
type ClipEdit = z.input<(typeof routes)["changeClip"]["body"]>;

const PAGE = 60;

/** All clips that this page has heard of: one list for the gallery, the candidates, the jobs in the top bar. */
export class ClipStore {
  byId = $state.raw<ReadonlyMap<string, Clip>>(new Map());
  loaded = $state(false);
  more = $state(false);
  problem = $state.raw<Problem | null>(null);

  readonly list = $derived([...this.byId.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));
  readonly atWork = $derived(this.list.filter(({ state }) => state === "queued" || state === "running"));
  readonly failed = $derived(this.list.filter(({ state }) => state === "failed"));

  /** Called when a clip that was not ready a moment ago is. */
  ready: ((clip: Clip) => void) | null = null;
  readonly #gone = new Set<string>();

  follow(socket: LiveSocket): () => void {
    void this.load();
    return socket.subscribe("clips", {
      message: ({ d, snap }) => {
        // After a pause of the connection things may have happened that the topic no longer has.
        if (snap === true) void this.load();
        this.take([d as ClipChange]);
      },
      refused: () => {},
    });
  }

  take(clips: readonly ClipChange[]): void {
    const before = this.byId;
    this.byId = withoutGone(merged(before, clips), this.#gone);
    for (const clip of clips) {
      const was = before.get(clip.id)?.state;
      if ("removed" in clip) continue;
      if (clip.state === "ready" && (was === "queued" || was === "running")) this.ready?.(clip);
    }
  }

  async load(before?: number): Promise<void> {
    try {
      const { clips, more } = await ask("GET", "/api/v1/clips", { query: { limit: PAGE, before } });
      this.take(clips);
      if (before !== undefined || !this.loaded) this.more = more;
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** Older ones than all that are here. */
  loadMore(): Promise<void> {
    return this.load(this.list.at(-1)?.createdAtMs);
  }

  async make(wish: ClipWish): Promise<Clip> {
    const clip = await ask("POST", "/api/v1/clips", { body: wish });
    this.take([clip]);
    return clip;
  }

  async change(id: string, change: ClipEdit): Promise<Clip> {
    const clip = await ask("PATCH", "/api/v1/clips/{id}", { id, body: change });
    this.take([clip]);
    return clip;
  }

  /** Off the screen at once; `really` does it, `back` puts it there again. */
  hide(id: string): { really: () => Promise<void>; back: () => void } {
    const clip = this.byId.get(id);
    this.#gone.add(id);
    this.byId = withoutGone(this.byId, this.#gone);
    const back = (): void => {
      this.#gone.delete(id);
      if (clip !== undefined) this.take([clip]);
    };
    return {
      back,
      really: async () => {
        try {
          await ask("DELETE", "/api/v1/clips/{id}", { id });
        } catch (error) {
          back();
          throw error;
        }
      },
    };
  }

  /** The newest clip that was made of a moment. */
  ofMoment(momentId: string): Clip | null {
    return this.list.find((clip) => clip.momentId === momentId && clip.state !== "cancelled") ?? null;
  }
}
