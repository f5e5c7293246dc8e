import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const FROM = /(?:^|\n)\s*(?:import|export)(?!\s+type\b)[^;"']*?(?:from\s*)?["']([^"']+)["']/g;
const WORD = /\bm\.(\w+)/g;

export interface Needs {
  /** Absolute paths of our own modules. */
  readonly modules: ReadonlySet<string>;
  /** Icons by name. */
  readonly icons: ReadonlySet<string>;
  /** Messages by key. */
  readonly words: ReadonlySet<string>;
}

/**
 * What some pages load at once, read from their imports. The build puts what they share with other pages into a few files; with this
 * it puts nothing there that only others need, so that a new page does not make these heavier.
 */
export function needsOf(root: string, pages: readonly string[]): Needs {
  const modules = new Set<string>();
  const icons = new Set<string>();
  const words = new Set<string>();
  const visit = (file: string): void => {
    if (modules.has(file) || !existsSync(file)) return;
    modules.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, word] of text.matchAll(WORD)) if (word !== undefined) words.add(word);
    for (const [, name = ""] of text.matchAll(FROM)) {
      const icon = /^@lucide\/svelte\/icons\/(.+)$/.exec(name)?.[1];
      if (icon !== undefined) icons.add(icon);
      // Which words are used is read from whoever says them.
      else if (name.includes("/paraglide/")) continue;
      else if (name.startsWith("#lib/")) visit(join(root, "src/lib", name.slice(5)));
      else if (name.startsWith(".")) visit(resolve(dirname(file), name));
    }
  };
  for (const page of pages) visit(join(root, page));
  return { modules, icons, words };
}
