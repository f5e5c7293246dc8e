import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { ask } from "../live/api.ts";
import { CHAT_ROWS, type ChatRow } from "../live/chat.ts";

const CHUNK_MS = 60_000;
const CHUNKS = 12;

/** Rows of the last minutes before `atMs`, oldest first, from lines in the order in which they were sent. */
export function rowsAt(lines: readonly ChatLine[], atMs: number): ChatRow[] {
  let end = lines.length;
  while (end > 0 && (lines[end - 1]?.sentAtMs ?? 0) > atMs) end--;
  return lines.slice(Math.max(0, end - CHAT_ROWS), end).map((line) => ({ key: line.id, kind: "line", line }));
}

/** Chat as it was beside the picture that is on screen: minutes are asked for as the player comes to them. */
export class ChatReplay {
  rows = $state.raw<readonly ChatRow[]>([]);
  failed = $state(false);
  readonly #chunks = new Map<number, readonly ChatLine[]>();
  readonly #asked = new Set<number>();
  #shown = "";

  constructor(
    readonly login: string,
    readonly load: (fromMs: number, toMs: number) => Promise<readonly ChatLine[]> = async (from, to) =>
      (await ask("GET", "/api/v1/channels/{login}/chat", { login, query: { from, to, limit: 2000 } })).lines,
  ) {}

  /** Called as the clock moves. */
  at(atMs: number): void {
    const chunk = Math.floor(atMs / CHUNK_MS);
    void this.#want(chunk - 1);
    void this.#want(chunk);
    if (atMs - chunk * CHUNK_MS > CHUNK_MS * 0.7) void this.#want(chunk + 1);
    const lines = [...(this.#chunks.get(chunk - 1) ?? []), ...(this.#chunks.get(chunk) ?? [])];
    const rows = rowsAt(lines, atMs);
    const shown = `${rows.length} ${rows[0]?.key} ${rows.at(-1)?.key}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.rows = rows;
  }

  async #want(chunk: number): Promise<void> {
    if (this.#asked.has(chunk)) return;
    this.#asked.add(chunk);
    try {
      const from = chunk * CHUNK_MS;
      this.#chunks.set(chunk, await this.load(from, from + CHUNK_MS));
      this.failed = false;
      // A minute that is not over yet has more to come.
      if (Date.now() < from + CHUNK_MS + 15_000) setTimeout(() => this.#asked.delete(chunk), 4000);
    } catch {
      this.failed = true;
      setTimeout(() => this.#asked.delete(chunk), 4000);
    }
    while (this.#chunks.size > CHUNKS) {
      const oldest = this.#chunks.keys().next().value;
      if (oldest === undefined) break;
      this.#chunks.delete(oldest);
      this.#asked.delete(oldest);
    }
  }
}
