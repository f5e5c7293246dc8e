import { describe, expect, it } from "vitest";
import { ChannelMemory, CONTEXT, contextRow, hasGameTerm, NO_CONTEXT, type SeenLine } from "./context.ts";
import { tokensOf } from "./normalise.ts";

const line = (userId: string, text: string, atS: number): SeenLine => ({
  userId,
  text,
  sentAtMs: atS * 1000,
});

describe("a channel's memory", () => {
  it("counts an author's lines, their copies and everybody's copies of the last minute", () => {
    const memory = new ChannelMemory();
    memory.see(line("ana", "Hello THERE", 0));
    memory.see(line("bob", "hello there!", 1));
    memory.see(line("bob", "hello there", 2));
    expect(memory.see(line("ana", "hello there", 3))).toMatchObject({
      authorLines: 2,
      authorCopies: 2,
      copies: 4,
      channelLines: 4,
      authorSeen: 1,
    });
    expect(memory.see(line("ana", "hello there", 64))).toMatchObject({
      authorLines: 1,
      copies: 1,
      channelLines: 1,
      authorSeen: 2,
    });
  });

  it("remembers on whom and on what moderators acted, less with time, and one action once", () => {
    const memory = new ChannelMemory();
    memory.see(line("ana", "buy gold", 0));
    memory.acted("ana", 1000);
    memory.acted("ana", 1500);
    expect(memory.see(line("bob", "BUY gold", 2))).toMatchObject({ authorActed: 0, channelActed: 1 });
    expect(memory.see(line("bob", "buy gold", 1801)).copiesActed).toBeCloseTo(0.5, 2);
    expect(memory.see(line("ana", "sorry", 1801)).authorActed).toBeCloseTo(0.5, 2);
  });

  it("remembers whose lines were flagged", () => {
    const memory = new ChannelMemory();
    memory.flag("ana", 0);
    memory.flag("ana", 0);
    expect(memory.see(line("ana", "hi", 300)).authorFlagged).toBeCloseTo(1, 5);
  });

  it("holds no more than a bounded number of lines and people", () => {
    const memory = new ChannelMemory();
    for (let i = 0; i < 70_000; i++) memory.see(line(`u${i}`, "x", 0), []);
    expect(memory.see(line("last", "x", 0)).channelLines).toBeLessThanOrEqual(60_000);
    expect(memory.see(line("u0", "x", 0)).authorSeen).toBe(0);
  });

  it("knows nothing of a person who was erased", () => {
    const memory = new ChannelMemory();
    memory.see(line("ana", "hello", 0));
    memory.acted("ana", 0);
    memory.erase("ana");
    expect(memory.see(line("ana", "hello", 1))).toMatchObject({
      authorLines: 1,
      authorCopies: 1,
      authorActed: 0,
      authorSeen: 0,
    });
    expect(memory.see(line("bob", "other", 61))).toMatchObject({ channelLines: 1 });
  });
});

it("a row of context has a finite value for every name, whatever the line", () => {
  for (const text of ["", "     ", "AAAA!!!!", "𝓪𝓫", "x".repeat(700), "12345"]) {
    const row = contextRow(text, tokensOf(text), NO_CONTEXT);
    expect(row).toHaveLength(CONTEXT.length);
    expect(row.every((value) => Number.isFinite(value))).toBe(true);
  }
});

it.each([
  ["kill him at mid", true],
  ["нас убили на базе, катка всё", true],
  ["i will find you", false],
])("%s: a word of the game stands near: %s", (text, near) => {
  expect(hasGameTerm(tokensOf(text))).toBe(near);
});
