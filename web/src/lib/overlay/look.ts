/** What an overlay shows and how, as it stands in its address: OBS keeps nothing but that. */
export const OVERLAY_PARTS = ["meter", "bursts", "forecast"] as const;
export type OverlayPart = (typeof OVERLAY_PARTS)[number];
export const OVERLAY_ALIGNS = ["left", "center", "right"] as const;

export interface OverlayChoice {
  parts: readonly OverlayPart[];
  /** Percent of the usual size. */
  size: number;
  align: (typeof OVERLAY_ALIGNS)[number];
  /** Opacity of the ground behind each part, 0–1. */
  ground: number;
  /** Six hexadecimal digits. */
  text: string;
  accent: string;
}
export const USUAL_OVERLAY: OverlayChoice = {
  parts: ["meter", "bursts"],
  size: 100,
  align: "left",
  ground: 0.72,
  text: "f0eff2",
  accent: "87d9ed",
};

const colour = (text: string | null, otherwise: string): string =>
  text !== null && /^[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : otherwise;
function within(text: string | null, low: number, high: number, otherwise: number): number {
  const value = text === null || text === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise;
}

/** Whatever an address says, something can be shown: what is not understood is as usual. */
export function overlayFrom(query: Pick<URLSearchParams, "get">): OverlayChoice {
  const wanted = query.get("parts")?.split(",") ?? [];
  const parts = OVERLAY_PARTS.filter((part) => wanted.includes(part));
  const align = OVERLAY_ALIGNS.find((one) => one === query.get("align"));
  return {
    parts: parts.length === 0 ? USUAL_OVERLAY.parts : parts,
    size: within(query.get("size"), 50, 300, USUAL_OVERLAY.size),
    align: align ?? USUAL_OVERLAY.align,
    ground: within(query.get("ground"), 0, 1, USUAL_OVERLAY.ground),
    text: colour(query.get("text"), USUAL_OVERLAY.text),
    accent: colour(query.get("accent"), USUAL_OVERLAY.accent),
  };
}

/** Only what is not as usual, so that the address stays readable. */
export function overlayAddress(login: string, choice: OverlayChoice): string {
  const query = new URLSearchParams();
  if (choice.parts.join() !== USUAL_OVERLAY.parts.join()) query.set("parts", choice.parts.join());
  for (const name of ["size", "align", "ground", "text", "accent"] as const)
    if (choice[name] !== USUAL_OVERLAY[name]) query.set(name, String(choice[name]));
  const text = query.toString().replaceAll("%2C", ",");
  return `/overlay/${encodeURIComponent(login)}${text === "" ? "" : `?${text}`}`;
}

/** A burst pops up for so long; while one stands, the next waits: nothing changes more often than the eye may be asked to follow. */
export const POP_MS = 5000;
export const LEAST_BETWEEN_MS = 1000;

export interface Pop<Thing extends { id: string }> {
  readonly shown: Thing | null;
  readonly sinceMs: number;
  /** Ids that have had their turn. */
  readonly seen: ReadonlySet<string>;
}
/**
 * Which burst stands on the overlay now. `fresh` are those worth showing, newest first: one that has had its turn does not come
 * again, and no two changes come closer than a second (far below three a second).
 */
export function popped<Thing extends { id: string }>(
  was: Pop<Thing>,
  fresh: readonly Thing[],
  nowMs: number,
): Pop<Thing> {
  const age = nowMs - was.sinceMs;
  if (was.shown !== null && age < POP_MS) {
    // The same burst goes on: its numbers are the newest, its turn is not longer.
    const now = fresh.find(({ id }) => id === was.shown?.id);
    return now === undefined || now === was.shown ? was : { ...was, shown: now };
  }
  if (was.shown === null && age < LEAST_BETWEEN_MS) return was;
  const next = was.shown === null ? fresh.find(({ id }) => !was.seen.has(id)) : undefined;
  if (next === undefined) return was.shown === null ? was : { shown: null, sinceMs: nowMs, seen: was.seen };
  return { shown: next, sinceMs: nowMs, seen: new Set([...was.seen, next.id].slice(-200)) };
}
