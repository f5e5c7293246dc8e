import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const web = join(import.meta.dirname, "../..");
type Messages = Record<string, string | { match: Record<string, string>; declarations: string[] }[]>;
const read = (locale: string): Messages =>
  JSON.parse(readFileSync(join(web, "messages", `${locale}.json`), "utf8")) as Messages;
const ru = read("ru");
const en = read("en");

const sources = readdirSync(join(web, "src"), { recursive: true, encoding: "utf8" }).filter(
  (file) =>
    /\.(?:svelte|ts)$/.test(file) &&
    !/\.test\.ts$|paraglide/.test(file) &&
    // Invented chat of the development page: lines are in their writers' languages.
    !/dev\/parts\/sample(?:-video)?\.ts$/.test(file),
);

test("both languages have the same messages, with the same parameters", () => {
  expect(Object.keys(en)).toEqual(Object.keys(ru));
  const parameters = (text: Messages[string] | undefined): string[] =>
    [...new Set([...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ""))].sort();
  for (const key of Object.keys(ru)) expect([key, parameters(en[key])]).toEqual([key, parameters(ru[key])]);
});

test("Russian plurals have one, few and many; English one and other", () => {
  for (const [key, text] of Object.entries(ru)) {
    if (!Array.isArray(text)) continue;
    const forms = (of: Messages[string] | undefined): string[] =>
      Array.isArray(of) ? Object.keys(of[0]?.match ?? {}).map((form) => form.replace("plural=", "")) : [];
    expect([key, forms(text)]).toEqual([key, ["one", "few", "many", "other"]]);
    expect([key, forms(en[key])]).toEqual([key, ["one", "other"]]);
  }
});

test("no Russian stands in the code: every word that is shown is a message", () => {
  const found = sources.filter((file) =>
    /[а-яё]/i.test(
      readFileSync(join(web, "src", file), "utf8").replaceAll(
        /\/\*[\s\S]*?\*\/|\/\/.*$|<!--[\s\S]*?-->/gm,
        "",
      ),
    ),
  );
  expect(found).toEqual([]);
});

test("every message is used, so that nobody translates for nothing", () => {
  const code = sources.map((file) => readFileSync(join(web, "src", file), "utf8")).join("\n");
  const unused = Object.keys(ru).filter(
    (key) => key !== "$schema" && !new RegExp(`\\bm\\.${key}\\b`).test(code),
  );
  expect(unused).toEqual([]);
});
