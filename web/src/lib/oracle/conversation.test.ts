import { newAnswer } from "@hypecast/contracts/new-answer.ts";
import { expect, test, vi } from "vitest";
import type { Told } from "../vod/api.ts";
import type { OracleApi } from "./conversation.svelte.ts";

// Fields that Svelte would watch are plain here: what is tested is what they hold.
const plain = <Value>(value: Value): Value => value;
vi.stubGlobal("$state", Object.assign(plain, { raw: plain }));
const { Conversation, noneFits, rejected } = await import("./conversation.svelte.ts");

const told = (id: string, more: Partial<Told> = {}): Told => ({
  ...newAnswer(
    {
      id,
      question: `question ${id}`,
      within: [],
      scope: { kind: "all", stream: null, channel: null },
      language: "en",
      after: null,
    },
    Number(id.replaceAll(/\D/g, "")),
  ),
  hits: [],
  nearest: [],
  ...more,
});
const ALL = { kind: "all" as const, stream: null, channel: null };

/** A gateway that a test moves by hand. */
function hand(kept: readonly Told[] = []) {
  const followed: { id: string; take: (told: Told) => void; stopped: boolean }[] = [];
  const asked: { after: string | null | undefined; answer: (told: Told) => void; refuse: () => void }[] = [];
  const api: OracleApi = {
    ask: ({ after }) =>
      new Promise((resolve, reject) => {
        asked.push({ after, answer: resolve, refuse: () => reject(new Error("away")) });
      }),
    get: (id) => {
      const found = kept.find((one) => one.id === id);
      return found === undefined ? Promise.reject(new Error("gone")) : Promise.resolve(found);
    },
    judge: (id, { rank, verdict }) =>
      Promise.resolve(told(id, { revision: 9, feedback: [{ rank, verdict, atMs: 1 }] })),
    stop: () => Promise.resolve(),
    follow(id, { take }) {
      const one = { id, take, stopped: false };
      followed.push(one);
      return () => {
        one.stopped = true;
      };
    },
  };
  return { api, asked, followed };
}

test("an answer grows while it is written; an older state of it changes nothing", async () => {
  const { api, asked, followed } = hand();
  const talk = new Conversation(api);
  const id = talk.ask("lava?", ALL, false);
  asked[0]?.answer(told("a1"));
  expect(await id).toBe("a1");
  expect(talk.writing).toBe(true);
  followed[0]?.take(told("a1", { revision: 3, state: "reading", text: "Two" }));
  followed[0]?.take(told("a1", { revision: 2, state: "searching" }));
  expect(talk.current?.text).toBe("Two");
  followed[0]?.take(told("a1", { revision: 4, state: "done", text: "Two places." }));
  expect(talk.writing).toBe(false);
});

test("a second question overtakes the first: what comes of the first is not shown", async () => {
  const { api, asked } = hand();
  const talk = new Conversation(api);
  const first = talk.ask("one", ALL, false);
  const second = talk.ask("two", ALL, false);
  asked[1]?.answer(told("a2", { question: "two" }));
  asked[0]?.answer(told("a1", { question: "one" }));
  expect(await second).toBe("a2");
  expect(await first).toBeNull();
  expect(talk.current?.question).toBe("two");
  expect(talk.earlier).toEqual([]);
});

test("going on names the answer before, which stays readable", async () => {
  const { api, asked, followed } = hand();
  const talk = new Conversation(api);
  const first = talk.ask("one", ALL, false);
  asked[0]?.answer(told("a1", { state: "done" }));
  await first;
  const next = talk.ask("and the next?", ALL, true);
  expect(asked[1]?.after).toBe("a1");
  asked[1]?.answer(told("a2", { after: "a1" }));
  await next;
  expect(talk.earlier.map(({ id }) => id)).toEqual(["a1"]);
  // Reading the earlier one again stops nothing but the following of the later.
  await talk.open("a1");
  expect(talk.current?.id).toBe("a1");
  expect(talk.earlier.map(({ id }) => id)).toEqual(["a2"]);
  expect(followed.map(({ id, stopped }) => [id, stopped])).toEqual([["a2", true]]);
});

test("a link to an answer brings back the thread before it, as far as it is kept", async () => {
  const { api } = hand([
    told("a3", { after: "a2", state: "done" }),
    told("a2", { after: "a1", state: "done" }),
  ]);
  const talk = new Conversation(api);
  await talk.open("a3");
  expect(talk.earlier.map(({ id }) => id)).toEqual(["a2"]);
  await talk.open("a9");
  expect(talk.problem?.detail).toContain("gone");
});

test("a refused question says why and leaves the answer that was there", async () => {
  const { api, asked } = hand();
  const talk = new Conversation(api);
  const first = talk.ask("one", ALL, false);
  asked[0]?.answer(told("a1", { state: "done" }));
  await first;
  const second = talk.ask("two", ALL, false);
  asked[1]?.refuse();
  expect(await second).toBeNull();
  expect(talk.problem).not.toBeNull();
  expect(talk.current?.id).toBe("a1");
  expect(talk.asking).toBeNull();
});

test("stopping keeps what was written; a person's word is kept with the answer", async () => {
  const { api, asked, followed } = hand();
  const talk = new Conversation(api);
  const first = talk.ask("one", ALL, false);
  asked[0]?.answer(told("a1"));
  await first;
  followed[0]?.take(told("a1", { revision: 2, state: "reading", text: "Half" }));
  await talk.halt();
  expect([talk.current?.state, talk.current?.text, followed[0]?.stopped]).toEqual(["stopped", "Half", true]);
  await talk.judge(2, "wrong");
  expect(talk.current !== null && rejected(talk.current, 2)).toBe(true);
  expect(talk.current !== null && noneFits(talk.current)).toBe(false);
});
