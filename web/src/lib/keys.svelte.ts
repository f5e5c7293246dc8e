import { createKeybindingsHandler } from "tinykeys";

/** A key and what it does. Help is made from the registry, so it cannot list a key that does nothing. */
export interface Binding {
  /** As tinykeys spells it: "t", "g c", "Shift+D". */
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
  (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"));

/** Listens on the window until the returned function is called. Keys rest while one types or a dialog is open. */
export function listen(): () => void {
  let known = bindings;
  let handle = make();
  function make(): (event: KeyboardEvent) => void {
    return createKeybindingsHandler(
      Object.fromEntries(
        known.map(({ keys, run }) => [
          keys,
          (event: KeyboardEvent) => {
            event.preventDefault();
            run();
          },
        ]),
      ),
    );
  }
  const onKey = (event: Event): void => {
    if (!(event instanceof KeyboardEvent) || typing(event.target) || document.querySelector("dialog[open]"))
      return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (known !== bindings) {
      known = bindings;
      handle = make();
    }
    handle(event);
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
