import { ChannelMemory } from "../../toxicity/context.ts";

/** Channels whose last minutes are remembered; the one that has been silent longest is forgotten first. */
const CHANNELS_BOUND = 2000;
/** What a channel was like so long ago says nothing about its next line. */
const SILENT_MS = 1_800_000;

/** The last minutes of each channel, as context of its next lines. */
export class Memories {
  readonly #channels = new Map<string, { memory: ChannelMemory; usedAtMs: number }>();

  of(channelId: string, nowMs: number): ChannelMemory {
    let known = this.#channels.get(channelId);
    if (known === undefined) known = { memory: new ChannelMemory(), usedAtMs: nowMs };
    // The order of the map is that of their last use.
    else this.#channels.delete(channelId);
    known.usedAtMs = nowMs;
    this.#channels.set(channelId, known);
    for (const [id, { usedAtMs }] of this.#channels)
      if (this.#channels.size > CHANNELS_BOUND || usedAtMs < nowMs - SILENT_MS) this.#channels.delete(id);
      else break;
    return known.memory;
  }

  get size(): number {
    return this.#channels.size;
  }

  forget(channelId: string): void {
    this.#channels.delete(channelId);
  }

  erase(channelId: string, userId: string): void {
    this.#channels.get(channelId)?.memory.erase(userId);
  }
}
