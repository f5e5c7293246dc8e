export interface Toast {
  id: number;
  text: string;
  action?: { word: string; run: () => void };
}

const SHOWN_MS = 8000;
const MOST = 3;

let shown = $state.raw<readonly Toast[]>([]);
let counter = 0;
export const toasts = (): readonly Toast[] => shown;

/** An answer to what a person did, for 8 seconds. At most three at once: the oldest goes. */
export function toast(text: string, action?: Toast["action"]): void {
  const id = ++counter;
  shown = [...shown, action === undefined ? { id, text } : { id, text, action }].slice(-MOST);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  shown = shown.filter((one) => one.id !== id);
}
