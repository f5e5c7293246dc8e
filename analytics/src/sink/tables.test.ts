import { describe, expect, test } from "vitest";
import { foldEvents, inputEvents, streams, type StreamName } from "@hypecast/contracts/streams.ts";
import { chatAlive, chatEnded } from "@hypecast/contracts/chat.ts";
import { modErase, modPolicy } from "@hypecast/contracts/mod-case.ts";
import { videoMeasured } from "@hypecast/contracts/measured.ts";
import { rowsOf, singleRows, targetOf, targets } from "./tables.ts";

const text = (parts: Uint8Array[]): string => Buffer.concat(parts).toString("utf8");
const lines = targetOf("INPUT", "chat.lines.3.42");
const windows = targetOf("FOLD", "chat.window.3");
const gap = targetOf("INPUT", "chat.gap.3.42");

test("every event of the log has a table, except signs of life and end, the bulk of what was measured, and what only folds hear", () => {
  const names = (stream: StreamName): string[] =>
    targets[stream].map(({ filter }) => filter.split(".", 2).join("."));
  expect(names("INPUT")).toEqual(
    inputEvents
      .map(({ name }) => name)
      .filter(
        (name) =>
          ![chatAlive, chatEnded, videoMeasured, modPolicy, modErase].some((one) => one.name === name),
      ),
  );
  expect(names("FOLD")).toEqual(foldEvents.map(({ name }) => name));
  for (const stream of Object.keys(streams) as StreamName[])
    for (const { filter } of targets[stream]) expect(streams[stream].subjects).toContain(filter);
});

test("a subject finds its table, also where the channel follows the stream's name at once", () => {
  expect(targetOf("JOURNAL", "journal.811204512").table).toBe("journal");
  expect(targetOf("JOURNAL", "journal._house").table).toBe("journal");
  expect(targetOf("DEAD", "dead.letter.eventsub").table).toBe("dead_letters");
  expect(() => targetOf("INPUT", "chat.alive.3.42")).toThrow("has no table");
});

test("raw chat of an imported stream has tables of its own, everything else of it stands with the others", () => {
  expect(targetOf("INPUT", "chat.lines.33.vod-0a-1").table).toBe("vod_lines");
  expect(targetOf("INPUT", "chat.lines.33.vod-0a-1")).toBe(targetOf("INPUT", "chat.lines.34.vod-0b-2"));
  expect(targetOf("INPUT", "chat.notice.33.vod-0a-1").table).toBe("vod_notices");
  expect(targetOf("INPUT", "chat.moderation.33.vod-0a-1").table).toBe("vod_moderation");
  expect(targetOf("INPUT", "chat.gap.33.vod-0a-1").table).toBe("chat_gaps");
  expect(targetOf("FOLD", "chat.chunk.33.vod-0a-1").table).toBe("chat_chunks");
});

describe("a body becomes rows without being decoded", () => {
  test.each([
    ["lines as they are", lines, '{"a":1}\n{"a":2}\n', '{"a":1}\n{"a":2}\n'],
    ["a missing line end is added", lines, '{"a":1}', '{"a":1}\n'],
    ["an array loses its brackets", windows, '[{"a":1},{"a":2}]', '{"a":1},{"a":2}\n'],
    ["an empty array is nothing", windows, "[]", ""],
    ["an empty body is nothing", lines, "", ""],
    ["one object", gap, '{"a":1}', '{"a":1}\n'],
    ["what is no array stays, to be refused", windows, '[{"a":', '[{"a":\n'],
  ])("%s", (_what, target, body, rows) => expect(text(rowsOf(target, Buffer.from(body)))).toBe(rows));
});

describe("a body is taken apart row by row", () => {
  test.each([
    ["lines", lines, '{"a":1}\n\nbroken\n{"a":2}\n', ['{"a":1}', "broken", '{"a":2}']],
    ["an array", windows, '[{"a":1},{"a":2}]', ['{"a":1}', '{"a":2}']],
    ["a broken array is one row", windows, '[{"a":1},{"a', ['[{"a":1},{"a']],
    ["one object", gap, '{"a":1}', ['{"a":1}']],
  ])("%s", (_what, target, body, rows) =>
    expect(singleRows(target, Buffer.from(body)).map((row) => text([row]))).toEqual(rows),
  );
});
