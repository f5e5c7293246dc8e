import { expect, test } from "vitest";
import { chatLines, packLines } from "@hypecast/contracts/chat.ts";
import type { Commit } from "./commit.ts";
import { Partition, type Stored } from "./partition.ts";
import { countFold, line } from "./test-folds.ts";

const fold = (partition: Partition, seq: number, ids: string[]): Commit => {
  const lines = ids.map((id, i) => line("a", id, 1_000_000 + seq * 1000 + i));
  partition.apply({
    seq,
    subject: `${chatLines.name}.3.a`,
    data: packLines(lines),
    header: () => "",
    storedAtMs: seq,
  });
  return partition.take("log", "me", 1_000_000);
};
const stored = ({ checkpoint, states }: Commit): Stored => ({ revision: 1, checkpoint, states });
const restore = (from: Stored, log = "log"): Partition | null => Partition.restore(3, [countFold], from, log);

test("a checkpoint and states of different moments are not taken for one", () => {
  const partition = new Partition(3, [countFold]);
  const first = stored(fold(partition, 1, ["1"]));
  const second = stored(fold(partition, 2, ["2"]));
  expect(restore(second)?.channels.get("a")?.linesIn).toBe(2);
  expect(restore({ ...second, states: first.states })).toBeNull();
  expect(restore({ ...second, states: [] })).toBeNull();
});

test("only channels that changed are saved again", () => {
  const partition = new Partition(3, [countFold]);
  expect(fold(partition, 1, ["1"]).states).toHaveLength(1);
  partition.apply({
    seq: 2,
    subject: "chat.alive.3",
    data: Buffer.from(`{"atMs":1000000,"channels":["b"]}`),
    header: () => "",
    storedAtMs: 2,
  });
  const { states } = partition.take("log", "me", 1_000_000);
  expect(states).toHaveLength(1);
  expect(Buffer.from(states[0]!.data).toString()).toContain('"id":"b"');
});

test("a channel that the log has not named for 48 hours is forgotten, its place on the log too", () => {
  const partition = new Partition(3, [countFold]);
  fold(partition, 1, ["1"]);
  partition.step("b", { type: "alive", atMs: 1 }, 49 * 3600 * 1000);
  const work = partition.take("log", "me", 1_000_000);
  expect([...partition.channels.keys()]).toEqual(["b"]);
  expect(work.states.map(({ data }) => data.length > 0)).toEqual(expect.arrayContaining([true, false]));
  expect(restore(stored(work))?.channels.size).toBe(1);
});

test("on a log that was created anew, positions start over and what is known of the channels stays", () => {
  const partition = new Partition(3, [countFold]);
  const work = fold(partition, 7, ["1"]);
  const again = restore(stored(work), "another log");
  expect(again?.position).toBe(0);
  expect(again?.channels.get("a")?.linesIn).toBe(1);
});

test("a checkpoint of a form that this program does not know is refused in words", () => {
  const checkpoint = Buffer.from(JSON.stringify({ form: 2 }));
  expect(() => restore({ revision: 1, checkpoint, states: [] })).toThrow(
    "the checkpoint of partition 3 has form 2, this program reads form 1",
  );
});
