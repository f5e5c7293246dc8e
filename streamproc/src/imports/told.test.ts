import { expect, test } from "vitest";
import { cancelVod, newVod, replaceVod } from "@hypecast/contracts/vod-steps.ts";
import { vodRequest, type Vod } from "@hypecast/contracts/vod.ts";
import type { VodRecords } from "./records.ts";
import { tellOf } from "./told.ts";

const request = vodRequest.parse({ chatUpload: "u0000000" });
interface Book {
  vod: Vod;
  records: VodRecords;
  writes: number;
}
function kept(): Book {
  const book: Book = {
    vod: newVod("_0abcdefghijklmnopq", request, 0),
    writes: 0,
    records: {
      change: async (_id: string, change: (vod: Vod) => Partial<Vod> | null) => {
        const changed = change(book.vod);
        if (changed !== null) book.writes++;
        book.vod = { ...book.vod, ...changed };
        return book.vod;
      },
    } as VodRecords,
  };
  return book;
}
const stage = (vod: Vod, name: string): Vod["stages"][number] => vod.stages.find((one) => one.name === name)!;

test("a stage's percent is of what it has done, with the rate of the last seconds, and never falls", async () => {
  const book = kept();
  let nowMs = 0;
  const told = tellOf(book.records, book.vod, () => nowMs);
  for (const [atMs, done] of [
    [0, 0],
    [5000, 500],
    [10_000, 1500],
    [20_000, 3500],
    [21_000, 3400],
  ] as const) {
    nowMs = atMs;
    told.run("parse", done, 5000);
  }
  await told.written();
  expect(stage(book.vod, "parse")).toMatchObject({
    state: "running",
    done: 3500,
    of: 5000,
    progress: 0.7,
    tookS: 21,
    // 2000 in the last 11 s.
    rate: 181.8,
    etaS: 9,
  });
  await told.end("parse", "done");
  expect(stage(book.vod, "parse")).toMatchObject({ state: "done", progress: 1, done: 5000, etaS: null });
  expect(book.vod.attempt).toBe(1);
});

test("what is left out does not count, and all of the rest done is the whole", async () => {
  const book = kept();
  const told = tellOf(book.records, book.vod);
  for (const name of ["video", "measure", "merge"] as const) await told.end(name, "skipped");
  const before = book.vod.progress;
  for (const name of ["download", "parse", "windows", "chunks", "embed"] as const)
    await told.end(name, "done");
  expect(before).toBe(0);
  expect(book.vod.progress).toBe(0.9);
  await told.end("moments", "done");
  expect(book.vod.progress).toBe(1);
});

test("nothing is told of an import that was cancelled, deleted or given other files", async () => {
  for (const change of [
    cancelVod,
    (): Partial<Vod> => ({ deleting: true }),
    (vod: Vod) => replaceVod(vod, vodRequest.parse({ chatUpload: "u0000001" })),
  ]) {
    const book = kept();
    const told = tellOf(book.records, book.vod);
    book.vod = { ...book.vod, ...change(book.vod) };
    const { stages } = book.vod;
    told.run("parse", 1, 2);
    told.note({ title: "too late" });
    await told.written();
    expect(book.writes).toBe(0);
    expect(book.vod).toMatchObject({ stages, title: "" });
  }
});
