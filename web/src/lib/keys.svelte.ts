import { createKeybindingsHandler } from "tinykeys";

/** A key and what it does. Help is made from the registry, so it cannot list a key that does nothing. */
export interface Binding {
  /** As tinykeys spells it: "t", "g c", "Shift+D", "$mod+a" (Ctrl, ⌘ on a Mac). */
  keys: string;
  what: () => string;
  run: () => void;
}

let bindings = $state.raw<readonly Binding[]>([]);
export const allBindings = (): readonly Binding[] => bindings;

/** Adds keys for as long as a component lives; returns the end. A key bound twice is a bug, said at once. */
export function bind(...added: Binding[]): () => void {
  for (const { keys } of added)
    if (bindings.some((known) => known.keys === keys)) throw new Error(`key "${keys}" is bound twice`);
  bindings = [...bindings, ...added];
  return () => {
    bindings = bindings.filter((binding) => !added.includes(binding));
  };
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches("input:not([type=checkbox], [type=range], [type=color]), textarea, select"));

/** Enter, space and arrows belong to what has the focus, where it has a use for them. */
const hasUse = (target: EventTarget | null, key: string): boolean =>
  target instanceof HTMLElement &&
  (key.startsWith("Arrow")
    ? target.matches("input, [role=slider], [role=tab], [role=radio]")
    : (key === "Enter" || key === " ") &&
      target.matches("button, a, summary, input, [role=slider], [role=tab], [role=radio]"));

/** On a Cyrillic keyboard the letters lie where the Latin ones do. */
const places = (keys: string): string =>
  keys.replaceAll(/(?<![A-Za-z])[A-Za-z](?![A-Za-z])/g, (letter) => `Key${letter.toUpperCase()}`);
const CYRILLIC = /^\p{Script=Cyrillic}$/u;

/** The second key of two ("g c") comes within so long, and then does not mean what it means alone. */
const SECOND_MS = 1000;

type Handle = (event: KeyboardEvent) => void;
function handlerOf(some: readonly Binding[], spell: (keys: string) => string): Handle {
  return createKeybindingsHandler(
    Object.fromEntries(
      some.map(({ keys, run }) => [
        spell(keys),
        (event: KeyboardEvent) => {
          event.preventDefault();
          run();
        },
      ]),
    ),
    { timeout: SECOND_MS },
  );
}

/** Listens on the window until the returned function is called. Keys rest while one types or a dialog is open. */
export function listen(): () => void {
  let known: readonly Binding[] | null = null;
  let singles: Record<"letters" | "places", Handle>;
  let pairs: Record<"letters" | "places", Handle>;
  let held: Record<"letters" | "places", Handle>;
  let firstAtMs = Number.NEGATIVE_INFINITY;
  const both = (some: readonly Binding[]): Record<"letters" | "places", Handle> => ({
    letters: handlerOf(some, (keys) => keys),
    places: handlerOf(some, places),
  });
  const onKey = (event: Event): void => {
    if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
    if (typing(event.target) || hasUse(event.target, event.key)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.altKey || event.key === "Shift") return;
    if (known !== bindings) {
      known = bindings;
      held = both(known.filter(({ keys }) => keys.startsWith("$mod+")));
      singles = both(known.filter(({ keys }) => !keys.includes(" ") && !keys.startsWith("$mod+")));
      pairs = both(known.filter(({ keys }) => keys.includes(" ")));
    }
    const by = CYRILLIC.test(event.key) ? "places" : "letters";
    // Ctrl and ⌘ are the browser's, but for what somebody bound to them.
    if (event.ctrlKey || event.metaKey) return held[by](event);
    const second = event.timeStamp - firstAtMs < SECOND_MS;
    firstAtMs = Number.NEGATIVE_INFINITY;
    pairs[by](event);
    if (second) return;
    const begins = known.some(({ keys }) => {
      const [first = "", then] = keys.split(" ");
      return then !== undefined && (event.key === first || event.code === places(first));
    });
    if (begins) firstAtMs = event.timeStamp;
    else singles[by](event);
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
