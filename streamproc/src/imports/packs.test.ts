import { expect, test } from "vitest";
import { chatGap, chatLines, unpackLines, type ChatLine, type ChatNotice } from "@hypecast/contracts/chat.ts";
import type { ChatBatch } from "./chat/read-chat.ts";
import { EVERYBODY } from "@hypecast/runtime/opt-outs.ts";
import { gapOf, gapsOf, messagesOf, readMark, type At, type Out } from "./packs.ts";

const T = Date.UTC(2026, 3, 5, 18);
const BEGIN: At = { from: 0, items: 0, gaps: 0, heardMs: T };
const line = (atS: number): ChatLine => ({
  id: `l${atS}`,
  channelId: "c",
  sentAtMs: T + Math.round(atS * 1000),
  userId: "1",
  login: "a",
  text: "hello",
});
const notice = (atS: number): ChatNotice => ({
  id: `n${atS}`,
  channelId: "c",
  sentAtMs: T + atS * 1000,
  kind: "sub",
  userId: "2",
  login: "b",
});
/** Items in batches of `size`, the first `skip` of them left out. */
async function* batches(
  items: readonly (ChatLine | ChatNotice)[],
  size: number,
  skip = 0,
): AsyncGenerator<ChatBatch> {
  for (let at = skip; at < items.length; at += size) {
    const part = items.slice(at, at + size);
    yield {
      lines: part.filter((one): one is ChatLine => "text" in one && !("kind" in one)),
      notices: part.filter((one): one is ChatNotice => "kind" in one),
      moderation: [],
      done: at + part.length,
    };
  }
}
async function all(outs: AsyncIterable<Out>): Promise<Out[]> {
  const list: Out[] = [];
  for await (const out of outs) list.push(out);
  return list;
}
const shown = (out: Out): string =>
  out.alive === undefined
    ? `${out.type.name} ${
        out.type === chatLines
          ? unpackLines(out.body as Uint8Array)
              .map(({ id }) => id)
              .join()
          : (JSON.parse(String(out.body)) as { id: string }).id
      }`
    : `alive ${(out.alive - T) / 1000}`;

test("lines are packed by two seconds of their time, a notice stands where it was said", async () => {
  const items = [line(0), line(1.9), line(2), notice(3), line(3.5), line(30)];
  expect((await all(messagesOf(batches(items, 100), [], BEGIN, EVERYBODY))).map(shown)).toEqual([
    "alive 0",
    "chat.lines l0,l1.9",
    "chat.lines l2",
    "chat.notice n3",
    "chat.lines l3.5",
    "alive 30",
    "chat.lines l30",
  ]);
});

test("half a character is no character, and the rest of the line stays", async () => {
  const cut: ChatLine = { ...line(0), text: "lava \ud83d", emotes: [["twitch:1", "\ude4f", 0, 0]] };
  const [, out] = await all(
    messagesOf(batches([cut, { ...line(1), text: "\\ud83d 🙏" }], 9), [], BEGIN, EVERYBODY),
  );
  const [first, second] = unpackLines((out as { body: Uint8Array }).body);
  expect(first).toMatchObject({ text: "lava \ufffd", emotes: [["twitch:1", "\ufffd", 0, 0]] });
  expect(second?.text).toBe("\\ud83d 🙏");
});

test("a long silence is heard in steps, and a gap is said before the clock passes it", async () => {
  const gaps = gapsOf("c", T, [
    { kind: "gap", fromS: 10, toS: 40, lines: 0 },
    { kind: "capped", fromS: 1, toS: 2, lines: 9 },
  ]);
  const outs = await all(messagesOf(batches([line(0), line(45), line(1500)], 100), gaps, BEGIN, EVERYBODY));
  expect(outs.map(shown)).toEqual([
    "alive 0",
    "chat.lines l0",
    `${chatGap.name} ${gapOf("c", T + 10_000, T + 40_000).id}`,
    "chat.lines l45",
    "alive 640",
    "alive 1240",
    "alive 1500",
    "chat.lines l1500",
  ]);
});

test("from any mark on, the rest is what would have been said, however the file is read then", async () => {
  const items = Array.from({ length: 400 }, (_, i) => (i % 37 === 5 ? notice(i / 4) : line(i / 4)));
  const gaps = gapsOf("c", T, [{ kind: "gap", fromS: 20, toS: 24, lines: 0 }]);
  const said = async (outs: AsyncIterable<Out>): Promise<string[]> =>
    (await all(outs)).filter(({ alive }) => alive === undefined).map(shown);
  const whole = (await all(messagesOf(batches(items, 64), gaps, BEGIN, EVERYBODY))).filter(
    (out) => out.alive === undefined,
  );
  expect(whole.length).toBeGreaterThan(50);
  for (const [i, { mark }] of whole.entries()) {
    const at = readMark(mark)!;
    const rest = await said(messagesOf(batches(items, 50, at.from), gaps, at, EVERYBODY));
    expect(rest, mark).toEqual(whole.slice(i + 1).map(shown));
  }
});

test("whoever opted out is not in any pack, and an import that goes on finds its place all the same", async () => {
  const other = (atS: number): ChatLine => ({ ...line(atS), userId: "9", login: "quiet" });
  const items = [
    line(0),
    other(0.5),
    notice(0.6),
    { ...notice(0.7), userId: "9", login: "quiet" },
    other(1),
    line(1.5),
  ];
  const optOuts = { leavesOut: (_channel: string, userId: string) => userId === "9" };
  const outs = (await all(messagesOf(batches(items, 100), [], BEGIN, optOuts))).filter(
    (out) => out.alive === undefined,
  );
  expect(outs.map(shown)).toEqual(["chat.lines l0", "chat.notice n0.6", "chat.lines l1.5"]);
  expect(JSON.stringify(outs.map(({ body }) => String(body)))).not.toContain("quiet");
  const at = readMark(outs[1]!.mark)!;
  const rest = await all(messagesOf(batches(items, 100, at.from), [], at, optOuts));
  expect(rest.filter((out) => out.alive === undefined).map(shown)).toEqual(["chat.lines l1.5"]);
});
