import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { folds } from "../../streamproc/src/processors/index.ts";

const root = join(import.meta.dirname, "../..");
const pages = ["README.md", ...markdownIn("docs"), ...markdownIn("docs/decisions")];

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `${folder}/${file}`);
}

test("README's table of processors is the list that runs, in its order", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const rows = folds.map(({ name, says }) => `| \`${name}\` | ${says} |`);
  expect(readme).toContain(`| fold | says |\n|---|---|\n${rows.join("\n")}\n`);
});

test.each(pages)("%s links only to what exists", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
    expect(existsSync(join(root, dirname(page), target ?? "")), `${page} → ${target}`).toBe(true);
});

test.each(pages)("%s names only files and folders that exist", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  for (const [, path] of text.matchAll(
    /`((?:contracts|runtime|streamproc|analytics|clickhouse|gateway|web|up|demo|bench|tests|deploy|training|models)\/[\w./-]+)`/g,
  ))
    expect(existsSync(join(root, path ?? "")), `${page} names ${path}`).toBe(true);
});
