import type { Evidence } from "@hypecast/contracts/oracle.ts";
import { problemOf } from "../live/api.ts";
import { getLocale } from "../paraglide/runtime.js";
import { problemWords } from "../text/problems.ts";
import { search } from "./api.ts";

const LIMIT = 30;

/** Words in a stream's chat: the whole of it is looked through by the store, not what the page happens to have. */
export class ChatSearch {
  text = $state("");
  /** What the list answers; empty: nothing was asked. */
  asked = $state("");
  /** In order of time. Null: not answered yet. */
  found = $state.raw<readonly Evidence[] | null>(null);
  problem = $state<string | null>(null);
  #turn = 0;

  constructor(readonly stream: string) {}

  async run(): Promise<void> {
    const query = this.text.trim();
    if (query === "") return this.end();
    const turn = ++this.#turn;
    this.asked = query;
    this.found = this.problem = null;
    try {
      const { hits } = await search({
        query,
        scope: { kind: "stream", stream: this.stream, channel: null },
        mode: "keyword",
        limit: LIMIT,
        language: getLocale() === "ru" ? "ru" : "en",
      });
      if (turn !== this.#turn) return;
      this.found = linesOf(hits.map(({ lines }) => lines));
    } catch (error) {
      if (turn === this.#turn) this.problem = problemWords(problemOf(error));
    }
  }

  end(): void {
    this.#turn += 1;
    this.text = this.asked = "";
    this.found = this.problem = null;
  }
}

/** Each line once, in order of time; lines that say none of the words are company of those that do and stay out. */
export function linesOf(hits: readonly (readonly Evidence[])[]): Evidence[] {
  const byId = new Map<string, Evidence>();
  for (const lines of hits) for (const line of lines) if (line.marks.length > 0) byId.set(line.id, line);
  return [...byId.values()].sort((a, b) => a.sentAtMs - b.sentAtMs);
}
