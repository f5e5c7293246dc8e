import { expect, test } from "vitest";
import { FORMS, said } from "./chats.fixture.ts";
import { scanJson } from "./json-scan.ts";
import { fieldsOf, splitRecords } from "./records.ts";

function scan(
  text: string,
  cut: number,
): { elements: [string, unknown][]; scalars: [string, unknown][]; whole: boolean } {
  const elements: [string, unknown][] = [];
  const scalars: [string, unknown][] = [];
  const scanner = scanJson({
    element: (path, bytes, from, to) => {
      elements.push([path, JSON.parse(bytes.toString("utf8", from, to))]);
      return true;
    },
    isElement: () => false,
    scalar: (path, json) => scalars.push([path, JSON.parse(json)]),
    tooLong: (path) => elements.push([path, "too long"]),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += cut) scanner.push(bytes.subarray(at, at + cut));
  return { elements, scalars, whole: scanner.whole() };
}

test("a document cut at any place is the same document", () => {
  for (const name of [
    "twitch-downloader",
    "twitch-downloader, old",
    "twitch-gql, pages",
    "twitch-dl",
    "twitch-gql, one answer",
  ]) {
    const text = FORMS[name]!(said(12));
    const expected = scan(text, text.length * 4);
    expect(expected.whole).toBe(true);
    for (let cut = 1; cut < 40; cut++) expect(scan(text, cut)).toEqual(expected);
  }
});

test("braces, brackets, quotes and backslashes in strings are text", () => {
  const hard = { a: '}{][",:', b: "\\", c: '\\"', d: ["]", { e: "}" }], 'k}["': "é😹" };
  for (let cut = 1; cut < 30; cut++)
    expect(
      scan(
        JSON.stringify({ 'x"y': '1"}', n: -1.5e3, t: true, z: null, comments: [hard, 1, "s", [hard], hard] }),
        cut,
      ),
    ).toEqual({
      elements: [
        ["comments", hard],
        ["comments", hard],
        ["comments", hard],
      ],
      scalars: [
        ['x"y', '1"}'],
        ["n", -1500],
        ["t", true],
        ["z", null],
      ],
      whole: true,
    });
});

test("a document that is cut off is not whole", () => {
  const text = FORMS["twitch-downloader"]!(said(5));
  for (let length = 1; length < text.length; length += 97)
    expect(scan(text.slice(0, length), 64).whole).toBe(false);
});

test("records cut at any place are the same records, line feeds in quotes included", () => {
  const records = ['1,a,"one\nline, two ""quoted"""', '2,b,5" screen', "3,c,", '4,d,"last"'];
  for (const end of ["\n", "\r\n"])
    for (let cut = 1; cut < 30; cut++) {
      const seen: string[] = [];
      const split = splitRecords(
        {
          record: (bytes, from, to) => seen.push(bytes.toString("utf8", from, to)),
          tooLong: () => seen.push("long"),
        },
        44,
      );
      const bytes = Buffer.from(records.join(end));
      for (let at = 0; at < bytes.length; at += cut) split.push(bytes.subarray(at, at + cut));
      split.end();
      expect(seen).toEqual(records);
    }
  expect(records.map((record) => fieldsOf(record, ","))).toEqual([
    ["1", "a", 'one\nline, two "quoted"'],
    ["2", "b", '5" screen'],
    ["3", "c", ""],
    ["4", "d", "last"],
  ]);
});
