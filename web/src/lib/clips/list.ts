import type { Clip } from "@hypecast/contracts/clip.ts";
import { CLIP_LAYOUTS, type CLIP_STATES, type ClipLayout } from "@hypecast/contracts/clip-words.ts";
import { MOMENT_KINDS, type MomentKind } from "@hypecast/contracts/moment-kinds.ts";
import type { ClipChange } from "@hypecast/contracts/push.ts";

/** Clips by id after news of some: the record with the higher revision counts, whichever came last; a deleted one goes. */
export function merged(
  known: ReadonlyMap<string, Clip>,
  news: readonly ClipChange[],
): ReadonlyMap<string, Clip> {
  const next = new Map(known);
  for (const clip of news) {
    const was = next.get(clip.id);
    if ("removed" in clip) next.delete(clip.id);
    else if (was === undefined || was.revision <= clip.revision) next.set(clip.id, clip);
  }
  return next;
}

export function withoutGone(
  clips: ReadonlyMap<string, Clip>,
  gone: ReadonlySet<string>,
): ReadonlyMap<string, Clip> {
  return gone.size === 0 ? clips : new Map([...clips].filter(([id]) => !gone.has(id)));
}

/** What the gallery shows, as it stands in the address. Null: all. */
export interface ClipFilter {
  login: string | null;
  state: "ready" | "work" | "failed" | null;
  kind: MomentKind | "span" | null;
  layout: ClipLayout | null;
  /** What it is made of: a picture, chat alone, or several places one after the other. */
  made: (typeof MADE)[number] | null;
}
export const MADE = ["video", "chat", "film"] as const;
export const NO_FILTER: ClipFilter = { login: null, state: null, kind: null, layout: null, made: null };

/** A film's parts say for themselves what they show; it counts as a film. */
export const madeOf = ({ parts, picture }: Pick<Clip, "parts" | "picture">): (typeof MADE)[number] =>
  parts.length > 0 ? "film" : picture;
/** How long it is to be: all of a film's parts. */
export const lengthMsOf = ({ parts, startMs, endMs }: Pick<Clip, "parts" | "startMs" | "endMs">): number =>
  parts.length === 0 ? endMs - startMs : parts.reduce((sum, part) => sum + part.endMs - part.startMs, 0);

/** Clips that were asked for together stand together, by their numbers, where the newest of them would stand. */
export function batched(clips: readonly Clip[]): { id: string; of: number | null; clips: Clip[] }[] {
  const groups = new Map<string, { id: string; of: number | null; clips: Clip[] }>();
  for (const clip of clips) {
    const id = clip.batch?.id ?? clip.id;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { id, of: clip.batch?.of ?? null, clips: [clip] });
    else group.clips.push(clip);
  }
  for (const { clips: some } of groups.values())
    some.sort((a, b) => (a.batch?.number ?? 0) - (b.batch?.number ?? 0));
  return [...groups.values()];
}

const STATES: Record<NonNullable<ClipFilter["state"]>, readonly (typeof CLIP_STATES)[number][]> = {
  ready: ["ready"],
  work: ["queued", "running"],
  failed: ["failed", "cancelled"],
};

const oneOf = <Value extends string>(values: readonly Value[], text: string | null): Value | null =>
  values.find((value) => value === text) ?? null;

/** What an address does not say right says nothing. */
export const filterFrom = (query: Pick<URLSearchParams, "get">): ClipFilter => ({
  login: query.get("channel"),
  state: oneOf(["ready", "work", "failed"], query.get("state")),
  kind: oneOf([...MOMENT_KINDS, "span"], query.get("kind")),
  layout: oneOf(CLIP_LAYOUTS, query.get("layout")),
  made: oneOf(MADE, query.get("made")),
});

export function addressOf(filter: ClipFilter): string {
  const query = new URLSearchParams();
  if (filter.login !== null) query.set("channel", filter.login);
  if (filter.state !== null) query.set("state", filter.state);
  if (filter.kind !== null) query.set("kind", filter.kind);
  if (filter.layout !== null) query.set("layout", filter.layout);
  if (filter.made !== null) query.set("made", filter.made);
  return query.size === 0 ? "/clips" : `/clips?${query}`;
}

export function passes(clip: Clip, filter: ClipFilter): boolean {
  return (
    // A film is of every stream that is in it.
    (filter.login === null ||
      clip.login === filter.login ||
      clip.parts.some(({ login }) => login === filter.login)) &&
    (filter.made === null || madeOf(clip) === filter.made) &&
    (filter.state === null || STATES[filter.state].includes(clip.state)) &&
    (filter.kind === null || (clip.kind ?? "span") === filter.kind) &&
    (filter.layout === null || clip.layouts.includes(filter.layout))
  );
}

/** How many of a list stand in each state, for the filter's buttons. */
export function countStates(
  clips: readonly Clip[],
): Record<NonNullable<ClipFilter["state"]> | "all", number> {
  const count = (states: readonly string[]): number =>
    clips.filter(({ state }) => states.includes(state)).length;
  return {
    all: clips.length,
    ready: count(STATES.ready),
    work: count(STATES.work),
    failed: count(STATES.failed),
  };
}
