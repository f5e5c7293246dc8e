import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { inOrder } from "./in-order.ts";

async function* upTo(count: number, then?: Error): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    await sleep(1);
    yield i;
  }
  if (then !== undefined) throw then;
}

/** Later items are done earlier. */
function worker() {
  const seen = { under: 0, most: 0, done: 0 };
  const work = async (item: number): Promise<number> => {
    seen.most = Math.max(seen.most, ++seen.under);
    await sleep(20 - item * 3);
    seen.under--;
    seen.done++;
    return item * item;
  };
  return { seen, work };
}

test("what came of the items comes in their order, however long each took, and never more are under way", async () => {
  const { seen, work } = worker();
  const results: number[] = [];
  for await (const { item, result } of inOrder(upTo(6), 3, work)) {
    expect(result).toBe(item * item);
    results.push(item);
  }
  expect(results).toEqual([0, 1, 2, 3, 4, 5]);
  expect(seen.most).toBe(3);
});

test("a source that breaks is heard of behind what it gave; work that fails in its turn; and nothing goes on unseen", async () => {
  const { seen, work } = worker();
  const results: number[] = [];
  const broken = (async () => {
    for await (const { item } of inOrder(upTo(3, new Error("broken")), 3, work)) results.push(item);
  })();
  await expect(broken).rejects.toThrow("broken");
  expect(results).toEqual([0, 1, 2]);

  const failing = (async () => {
    const fail = (item: number): Promise<number> =>
      item === 1 ? Promise.reject(new Error("failed")) : work(item);
    for await (const { item } of inOrder(upTo(6), 3, fail)) results.push(item);
  })();
  await expect(failing).rejects.toThrow("failed");
  expect(results).toEqual([0, 1, 2, 0]);

  for await (const { item } of inOrder(upTo(6), 3, work)) if (item === 0) break;
  expect(seen.under).toBe(0);
});
