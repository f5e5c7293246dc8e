import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Topic } from "@hypecast/contracts/push.ts";
import { Hub, lingerMs, type Member, type Socket } from "./hub.ts";

/** The wire as a list of frames: what uWebSockets.js does for real in gateway.int.test.ts. */
function simulate() {
  const groups = new Map<string, Set<string[]>>();
  const writes: { frame: string; sockets: number }[] = [];
  const hub = new Hub({
    epoch: "e1",
    build: "b",
    wire: {
      publish(group, frame) {
        const heard = groups.get(group) ?? new Set();
        writes.push({ frame, sockets: heard.size });
        for (const frames of heard) frames.push(frame);
      },
    },
  });
  let nowMs = 1_000_000;
  const open = () => {
    const frames: string[] = [];
    const state = { buffered: 0, ended: null as number | null };
    const socket: Socket = {
      send: (frame) => void frames.push(frame),
      bufferedBytes: () => state.buffered,
      join: (group) => void groups.set(group, (groups.get(group) ?? new Set()).add(frames)),
      leave: (group) => void groups.get(group)?.delete(frames),
      end: (code) => void (state.ended = code),
      cut: () => undefined,
    };
    const member = hub.open(socket, nowMs);
    return {
      member,
      frames,
      state,
      envelopes: () => frames.flatMap((frame) => JSON.parse(frame) as Envelope[]),
    };
  };
  const say = (member: Member, message: unknown): void => {
    const bytes = new TextEncoder().encode(typeof message === "string" ? message : JSON.stringify(message));
    hub.receive(member, bytes.buffer, nowMs);
  };
  const wait = (ms: number): void => {
    for (const until = nowMs + ms; nowMs < until;) {
      nowMs += 5;
      if (nowMs % 500 === 0) hub.beat(nowMs);
      hub.tick(nowMs);
    }
  };
  return {
    hub,
    writes,
    open,
    say,
    wait,
    publish: (topic: Topic, d: unknown) => hub.publish(topic, JSON.stringify(d), nowMs),
  };
}
interface Envelope {
  op?: string;
  ch?: string;
  id?: number;
  snap?: true;
  d?: unknown;
  resumed?: boolean;
  code?: string;
}
const values = (page: { envelopes: () => Envelope[] }, ch: string): unknown[] =>
  page
    .envelopes()
    .filter((envelope) => envelope.ch === ch && "d" in envelope)
    .map((envelope) => envelope.d);

test("everything published between two writes reaches a socket in one frame, and sockets with the same topics share it", () => {
  const { hub, writes, open, say, wait, publish } = simulate();
  const pages = [open(), open(), open()];
  for (const page of pages.slice(0, 2)) {
    say(page.member, { op: "sub", ch: "events:a" });
    say(page.member, { op: "sub", ch: "live:a" });
  }
  say(pages[2]?.member as Member, { op: "sub", ch: "events:b" });
  wait(100);
  writes.length = 0;
  publish("events:a", 1);
  publish("live:a", 2);
  publish("events:a", 3);
  wait(lingerMs(3));
  expect(writes.map(({ sockets }) => sockets)).toEqual([2]);
  expect((JSON.parse(writes[0]?.frame ?? "") as Envelope[]).map(({ d }) => d)).toEqual(
    expect.arrayContaining([1, 2, 3]),
  );
  expect(hub.groups).toBe(2);
});

test("of a conflated topic a write carries the newest value alone, of a resumable one every value", () => {
  const { open, say, wait, publish } = simulate();
  const page = open();
  for (const ch of ["live:a", "events:a"]) say(page.member, { op: "sub", ch });
  wait(50);
  for (let i = 1; i <= 5; i++) for (const topic of ["live:a", "events:a"] as const) publish(topic, i);
  wait(50);
  expect(values(page, "live:a")).toEqual([5]);
  expect(values(page, "events:a")).toEqual([1, 2, 3, 4, 5]);
});

test("a page that comes back gets exactly what it missed; of another epoch, or too late, a snapshot", () => {
  const { open, say, wait, publish } = simulate();
  const keeper = open();
  say(keeper.member, { op: "sub", ch: "events:a" });
  wait(50);
  for (let i = 1; i <= 4; i++) publish("events:a", i);
  wait(50);
  const back = open();
  say(back.member, { op: "sub", ch: "events:a", since: 2, epoch: "e1" });
  const stranger = open();
  say(stranger.member, { op: "sub", ch: "events:a", since: 2, epoch: "e0" });
  wait(50);
  expect(back.envelopes().find(({ op }) => op === "subbed")?.resumed).toBe(true);
  expect(values(back, "events:a")).toEqual([3, 4]);
  expect(back.envelopes().some(({ snap }) => snap === true)).toBe(false);
  expect(stranger.envelopes().find(({ op }) => op === "subbed")?.resumed).toBe(false);
  expect(stranger.envelopes().flatMap(({ snap, d }) => (d === undefined ? [] : [[d, snap]]))).toEqual([
    [1, true],
    [2, undefined],
    [3, undefined],
    [4, undefined],
  ]);
  wait(61_000);
  publish("events:a", 5);
  wait(50);
  const late = open();
  say(late.member, { op: "sub", ch: "events:a", since: 2, epoch: "e1" });
  wait(50);
  expect(late.envelopes().find(({ op }) => op === "subbed")?.resumed).toBe(false);
  expect(values(late, "events:a")).toEqual([5]);
});

test("a socket that stays behind is closed with 4408; the others do not notice", () => {
  const { hub, open, say, wait, publish } = simulate();
  const [slow, quick] = [open(), open()];
  for (const page of [slow, quick]) say(page.member, { op: "sub", ch: "events:a" });
  wait(50);
  publish("events:a", 1);
  slow.state.buffered = 300_000;
  wait(50);
  hub.dropped(slow.member);
  const before = slow.frames.length;
  for (let i = 2; i <= 30; i++) {
    publish("events:a", i);
    wait(500);
  }
  expect(slow.state.ended).toBe(4408);
  expect(slow.frames.length).toBe(before);
  expect(values(quick, "events:a")).toHaveLength(30);
});

test("a socket that was behind and has caught up is given what it missed, in order and without a gap", () => {
  const { hub, open, say, wait, publish } = simulate();
  const page = open();
  for (const ch of ["events:a", "live:a"]) say(page.member, { op: "sub", ch });
  wait(50);
  publish("events:a", 1);
  wait(50);
  publish("events:a", 2);
  wait(50);
  // The wire says that the frame with 2 did not go out.
  page.frames.pop();
  page.state.buffered = 300_000;
  hub.dropped(page.member);
  for (let i = 3; i <= 6; i++) {
    publish("events:a", i);
    publish("live:a", i);
    wait(500);
  }
  page.state.buffered = 0;
  wait(1000);
  publish("events:a", 7);
  wait(50);
  expect(values(page, "events:a")).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(values(page, "live:a")).toEqual([6]);
});

test.each([
  ["no JSON", "{", 4400],
  ["an unknown op", { op: "shout" }, 4400],
  ["a topic of no kind", { op: "sub", ch: "secrets:a" }, 4400],
  ["a login that is none", { op: "sub", ch: "live:../x" }, 4400],
  ["over 4 KB", JSON.stringify({ op: "sub", ch: `live:${"a".repeat(5000)}` }), 4400],
])("a client message that is %s closes with %d", (_name, message, code) => {
  const { open, say } = simulate();
  const page = open();
  say(page.member, message);
  expect(page.state.ended).toBe(code);
});

test("the 65th topic of a socket closes it with 4429, and ten thousand asked at once do no more", () => {
  const { hub, open, say, wait } = simulate();
  const page = open();
  for (let i = 0; i < 65; i++) say(page.member, { op: "sub", ch: `live:c${i}` });
  wait(50);
  expect(page.state.ended).toBe(4429);
  expect(page.envelopes().find(({ op }) => op === "err")?.code).toBe("too_many_topics");
  hub.close(page.member);
  const flood = open();
  for (let i = 0; i < 10_000; i++) say(flood.member, { op: "sub", ch: `live:c${i}` });
  expect(flood.state.ended).toBe(4400);
  hub.close(flood.member);
  expect([hub.sockets, hub.topics, hub.groups]).toEqual([0, 0, 0]);
});

test("with silence on every topic a frame still says that the connection lives", () => {
  const { open, say, wait } = simulate();
  const page = open();
  say(page.member, { op: "sub", ch: "events:a" });
  wait(50);
  const before = page.frames.length;
  wait(16_000);
  expect(page.frames.slice(before)).toEqual(["[]", "[]", "[]"]);
});

test("whatever pages do, each sees every value of a resumable topic once and in order from its first on", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.constantFrom("publish", "open", "leave", "ping", "drop", "recover"),
          fc.nat(3),
          fc.integer({ min: 0, max: 120 }),
        ),
        { maxLength: 120 },
      ),
      (steps) => {
        const { hub, open, say, wait, publish } = simulate();
        const pages: ReturnType<typeof open>[] = [];
        let next = 1;
        for (const [what, which, ms] of steps) {
          const page = pages[which];
          if (what === "publish") publish("events:a", next++);
          else if (what === "open" && pages.length < 4) {
            const opened = open();
            pages.push(opened);
            say(opened.member, { op: "sub", ch: "events:a" });
          } else if (page !== undefined && page.state.ended === null) {
            if (what === "ping") say(page.member, { op: "ping" });
            if (what === "drop" && page.member.group !== null) {
              page.state.buffered = 300_000;
              hub.dropped(page.member);
            }
            if (what === "recover") page.state.buffered = 0;
          }
          wait(ms - (ms % 5));
        }
        for (const page of pages) page.state.buffered = 0;
        wait(2000);
        for (const page of pages) {
          if (page.state.ended !== null) continue;
          // A frame that was told to be dropped did arrive here, so what it held comes again: a page skips ids that it has.
          const ids = page.envelopes().flatMap(({ id }) => id ?? []);
          const seen = new Set(ids);
          const first = Math.min(...ids);
          for (let id = first; id < next && ids.length > 0; id++) expect(seen.has(id)).toBe(true);
        }
      },
    ),
    { numRuns: 150 },
  );
});
