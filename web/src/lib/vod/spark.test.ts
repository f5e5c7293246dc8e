import { expect, test } from "vitest";
import { readShareOf, sparkColumns } from "./spark.ts";

test("what is not read yet, or was not heard, is not measured: it is no zero", () => {
  const columns = sparkColumns({ rate: [10, null, 0, 40], hype: [1, null, 3, 4] }, 0.75);
  expect(columns.map(({ rate }) => rate)).toEqual([10, Number.NaN, 0, Number.NaN]);
  expect(sparkColumns(null)).toEqual([]);
});

test("a stream is read as far as it can be searched", () => {
  const of = { status: "processing", searchableS: 900, durationS: 3600 } as const;
  expect(readShareOf(of)).toBe(0.25);
  expect(readShareOf({ ...of, status: "ready" })).toBe(1);
  expect(readShareOf({ ...of, durationS: null })).toBe(1);
});
