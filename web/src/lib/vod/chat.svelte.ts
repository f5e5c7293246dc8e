import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { ask } from "../live/api.ts";
import { CHUNK_MS, chunkOf, firstAfter, linesUpTo } from "./chat.ts";

const CHUNKS = 90;
const LINES = 5000;
const AGAIN_MS = 4000;

type Load = (fromMs: number, toMs: number) => Promise<{ lines: readonly ChatLine[]; complete: boolean }>;

/** Chat of a stream beside its clock: minutes are asked for as the clock comes to them, and as somebody scrolls back. */
export class StreamChat {
  /** Up to the clock, oldest first. */
  lines = $state.raw<readonly ChatLine[]>([]);
  loading = $state(false);
  failed = $state(false);
  /** A minute held more lines than are asked for. */
  partial = $state(false);
  /** Nothing lies before what is shown. */
  atStart = $state(false);
  #chunks = new Map<number, readonly ChatLine[]>();
  #asked = new Set<number>();
  #first: number | null = null;
  #atMs: number | null = null;
  #shown = "";

  constructor(
    readonly login: string,
    readonly load: Load = (from, to) =>
      ask("GET", "/api/v1/channels/{login}/chat", { login, query: { from, to, limit: LINES } }),
    public startMs = 0,
  ) {}

  /** Called as the clock moves. */
  at(atMs: number): void {
    const last = this.#atMs === null ? null : chunkOf(this.#atMs);
    this.#first = Math.max(chunkOf(this.startMs), firstAfter(this.#first, last, atMs));
    this.#atMs = atMs;
    const chunk = chunkOf(atMs);
    for (let one = Math.max(this.#first, chunk - 1); one <= chunk; one++) void this.#want(one);
    if (atMs - chunk * CHUNK_MS > CHUNK_MS * 0.6) void this.#want(chunk + 1);
    this.#show();
  }

  /** Somebody has scrolled to the top: the minute before. */
  async earlier(): Promise<void> {
    if (this.#first === null || this.atStart || this.loading) return;
    const before = this.#first - 1;
    if (before < chunkOf(this.startMs)) {
      this.atStart = true;
      return;
    }
    await this.#want(before);
    if (this.#chunks.has(before)) this.#first = before;
    this.#show();
  }

  /** What was asked for is no longer true: a later run of the import answers. */
  forget(): void {
    this.#chunks.clear();
    this.#asked.clear();
    this.#shown = "";
    if (this.#atMs !== null) this.at(this.#atMs);
  }

  #show(): void {
    if (this.#atMs === null || this.#first === null) return;
    const lines = linesUpTo(this.#chunks, this.#first, this.#atMs);
    this.atStart = this.#first <= chunkOf(this.startMs);
    const shown = `${lines.length} ${lines[0]?.id} ${lines.at(-1)?.id}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.lines = lines;
  }

  async #want(chunk: number): Promise<void> {
    if (this.#asked.has(chunk)) return;
    this.#asked.add(chunk);
    this.loading = true;
    const chunks = this.#chunks;
    try {
      const { lines, complete } = await this.load(chunk * CHUNK_MS, (chunk + 1) * CHUNK_MS);
      if (chunks !== this.#chunks) return;
      chunks.set(chunk, lines);
      if (!complete) this.partial = true;
      this.failed = false;
      this.#show();
    } catch {
      this.failed = true;
      setTimeout(() => this.#asked.delete(chunk), AGAIN_MS);
    } finally {
      this.loading = false;
    }
    const here = this.#atMs === null ? chunk : chunkOf(this.#atMs);
    while (chunks.size > CHUNKS) {
      const far = [...chunks.keys()].reduce((a, b) => (Math.abs(b - here) > Math.abs(a - here) ? b : a));
      chunks.delete(far);
      this.#asked.delete(far);
      if (this.#first !== null && far >= this.#first) this.#first = far + 1;
    }
  }
}
