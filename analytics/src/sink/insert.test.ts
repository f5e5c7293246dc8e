import { ClickHouseError } from "@clickhouse/client";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { insertApart } from "./insert.ts";

const refusal = new ClickHouseError({
  message: "bad",
  code: "27",
  type: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
});
const away = new ClickHouseError({ message: "full", code: "243", type: "NOT_ENOUGH_SPACE" });

/** A store that takes a part unless a bad row is in it, and knows parts that it has. */
function storeOf(bad: ReadonlySet<number>) {
  const parts = new Map<string, [number, number]>();
  return {
    attempt: async (from: number, to: number): Promise<void> => {
      for (let row = from; row < to; row++) if (bad.has(row)) throw refusal;
      parts.set(`${from}-${to}`, [from, to]);
    },
    rows: () =>
      [...parts.values()].flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)),
  };
}

describe("storing what may hold refused rows", () => {
  test("every good row is stored once and every bad one is named, wherever they stand, also when it is done twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), fc.array(fc.nat(59)), async (count, at) => {
        const bad = new Set(at.filter((row) => row < count));
        const store = storeOf(bad);
        for (let time = 0; time < 2; time++) {
          const refused = await insertApart(store.attempt, count);
          expect(refused.map(({ row }) => row)).toEqual([...bad].sort((a, b) => a - b));
        }
        const good = Array.from({ length: count }, (_, row) => row).filter((row) => !bad.has(row));
        expect(store.rows().sort((a, b) => a - b)).toEqual(good);
      }),
    );
  });

  test("trouble of the store itself is no refusal: it ends the attempt", async () => {
    const attempt = async (): Promise<void> => Promise.reject(away);
    await expect(insertApart(attempt, 3)).rejects.toBe(away);
  });
});
