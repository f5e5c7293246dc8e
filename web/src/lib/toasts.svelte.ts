export interface Toast {
  id: number;
  text: string;
  /** `keyless`: its key means something else where it is shown. */
  action?: { word: string; run: () => void; keyless?: boolean };
  /** A later toast with the same tag takes its place. */
  tag?: string;
  /** The seconds that are left for its action stand beside it. */
  counts?: boolean;
  /** When it was first shown. */
  atMs: number;
  gone?: () => void;
}

export const SHOWN_MS = 8000;
const MOST = 3;

let shown = $state.raw<readonly Toast[]>([]);
let counter = 0;
export const toasts = (): readonly Toast[] => shown;

/** An answer to what a person did, for 8 seconds. At most three at once: the oldest goes. */
export function toast(
  text: string,
  action?: Toast["action"],
  more: Pick<Toast, "tag" | "gone" | "counts"> = {},
): void {
  const id = ++counter;
  const others = shown.filter(({ tag }) => tag === undefined || tag !== more.tag);
  shown = [
    ...others,
    { id, text, atMs: Date.now(), ...more, ...(action === undefined ? {} : { action }) },
  ].slice(-MOST);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  const one = shown.find((known) => known.id === id);
  if (one === undefined) return;
  shown = shown.filter((known) => known !== one);
  one.gone?.();
}
export function dismissTag(tag: string): void {
  for (const one of shown) if (one.tag === tag) dismiss(one.id);
}

/** Takes the newest action that can still be taken, by its key; false: there is none. */
export function runNewest(): boolean {
  const newest = shown.findLast(({ action }) => action !== undefined && action.keyless !== true);
  if (newest?.action === undefined) return false;
  newest.action.run();
  dismiss(newest.id);
  return true;
}
