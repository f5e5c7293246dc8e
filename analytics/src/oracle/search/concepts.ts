import type { BURST_KINDS } from "@hypecast/contracts/burst.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import list from "../concepts.json" with { type: "json" };
import { stemOf, wordsOf } from "./words.ts";

/** One thing that people ask about, with the words of both languages for it (concepts.json). */
export interface Concept {
  readonly id: string;
  readonly stems: ReadonlySet<string>;
  readonly mood: Mood | null;
  readonly burst: (typeof BURST_KINDS)[number] | null;
  /** Twitch's own word for it: `raid`, `submysterygift`. */
  readonly notice: string | null;
}

interface Listed {
  readonly id: string;
  readonly en: string;
  readonly ru: string;
  readonly mood?: string;
  readonly burst?: string;
  readonly notice?: string;
}

const stemsIn = (text: string): string[] => wordsOf(text).map(({ text: word }) => stemOf(word));

const concepts: readonly Concept[] = (list.concepts as readonly Listed[]).map((listed) => ({
  id: listed.id,
  stems: new Set([...stemsIn(listed.en), ...stemsIn(listed.ru)]),
  mood: (listed.mood ?? null) as Mood | null,
  burst: (listed.burst ?? null) as Concept["burst"],
  notice: listed.notice ?? null,
}));

const byStem = new Map<string, Concept[]>();
for (const concept of concepts)
  for (const stem of concept.stems) {
    const known = byStem.get(stem);
    if (known === undefined) byStem.set(stem, [concept]);
    else known.push(concept);
  }

/** The concepts that a stem may stand for. */
export const conceptsOf = (stem: string): readonly Concept[] => byStem.get(stem) ?? [];
