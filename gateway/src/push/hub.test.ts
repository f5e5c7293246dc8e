import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Topic } from "@hypecast/contracts/push.ts";
import type { Role } from "@hypecast/contracts/account.ts";
import type { Who } from "../access.ts";
import { reaches } from "../roles.ts";
import { allowedTopics, type Allowed } from "./allowed.ts";
import { Hub, lingerMs, type Member, type Socket } from "./hub.ts";

/** The wire as a list of frames: what uWebSockets.js does for real in gateway.int.test.ts. */
function simulate(allowed?: Allowed) {
  const groups = new Map<string, Set<string[]>>();
  const writes: { frame: string; sockets: number }[] = [];
  const hub = new Hub({
    epoch: "e1",
    build: "b",
    ...(allowed === undefined ? {} : { allowed }),
    wire: {
      publish(group, frame) {
        const heard = groups.get(group) ?? new Set();
        writes.push({ frame, sockets: heard.size });
        for (const frames of heard) frames.push(frame);
      },
    },
  });
  let nowMs = 1_000_000;
  const open = (who?: Who) => {
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
    const member = hub.open(socket, nowMs, who);
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

/** People whose roles a test sets, by user id and channel. */
function people() {
  const roles = new Map<string, Map<string, Role>>();
  const of = (userId: string): Map<string, Role> => roles.get(userId) ?? new Map<string, Role>();
  const allowed = allowedTopics(
    {
      may: ({ userId }, login, needed) => reaches(of(userId).get(login) ?? null, needed),
      placesOf: ({ userId }) =>
        [...of(userId)].map(([login, role]) => ({ login, channelId: `id-${login}`, role })),
      isCrew: ({ userId }) => of(userId).get("lamp") === "moderator",
    },
    { get: () => ({ broadcaster: null }) },
  );
  const who = (userId: string): Who => ({
    person: { kind: "twitch", userId, login: userId },
    session: null,
  });
  return {
    allowed,
    who,
    set: (userId: string, given: Record<string, Role>) =>
      void roles.set(userId, new Map(Object.entries(given))),
  };
}
const stays = (who: Who): Who => who;

test("a topic that one may not hold is refused by name, and the rest goes on", () => {
  const { allowed, who, set } = people();
  set("ana", { lamp: "moderator", other: "analyst" });
  const { open, say, wait, publish } = simulate(allowed);
  const ana = open(who("ana"));
  for (const ch of ["mod:lamp", "mod:other", "live:other", "live:third", "sys"])
    say(ana.member, { op: "sub", ch });
  wait(50);
  expect(ana.envelopes().flatMap(({ op, ch, code }) => (op === "err" ? [[ch, code]] : []))).toEqual([
    ["mod:other", "forbidden"],
    ["live:third", "forbidden"],
  ]);
  for (const topic of ["mod:lamp", "mod:other", "live:other", "live:third"] as const) publish(topic, 1);
  wait(100);
  for (const [ch, heard] of [
    ["mod:lamp", [1]],
    ["mod:other", []],
    ["live:other", [1]],
    ["live:third", []],
  ] as const)
    expect([ch, values(ana, ch)]).toEqual([ch, heard]);
});

test("a role that was taken away ends what needed it before anything more is written, also to one who is behind", () => {
  const { allowed, who, set } = people();
  set("ana", { lamp: "moderator" });
  set("boris", { lamp: "moderator" });
  const { hub, open, say, wait, publish } = simulate(allowed);
  const [ana, slow, boris] = [open(who("ana")), open(who("ana")), open(who("boris"))];
  for (const page of [ana, slow, boris])
    for (const ch of ["mod:lamp", "events:lamp"]) say(page.member, { op: "sub", ch });
  wait(50);
  slow.state.buffered = 1;
  hub.dropped(slow.member);
  wait(10);
  publish("mod:lamp", "before");
  set("ana", { lamp: "analyst" });
  hub.recheck("ana", stays, 0);
  publish("mod:lamp", "after");
  publish("events:lamp", 1);
  wait(100);
  slow.state.buffered = 0;
  wait(1000);
  for (const page of [ana, slow]) {
    expect(values(page, "mod:lamp")).toEqual([]);
    expect(values(page, "events:lamp")).toEqual([1]);
    expect(page.envelopes().filter(({ op }) => op === "err")).toMatchObject([
      { ch: "mod:lamp", code: "forbidden" },
    ]);
  }
  expect(values(boris, "mod:lamp")).toEqual(["before", "after"]);
  expect(boris.envelopes().filter(({ op }) => op === "err")).toEqual([]);
  // Given back, it may be asked for again.
  set("ana", { lamp: "moderator" });
  hub.recheck("ana", stays, 0);
  say(ana.member, { op: "sub", ch: "mod:lamp" });
  publish("mod:lamp", "again");
  wait(100);
  expect(values(ana, "mod:lamp")).toEqual(["before", "after", "again"]);
});

test("of a list each hears what is theirs; who has the same roles shares the write, and a change of roles brings it anew", () => {
  const { allowed, who, set } = people();
  set("ana", { lamp: "analyst" });
  set("boris", { lamp: "analyst" });
  set("crew", { lamp: "moderator" });
  const { hub, writes, open, say, wait, publish } = simulate(allowed);
  const list = (...logins: string[]) => logins.map((login) => ({ login }));
  publish("channels", list("lamp", "other"));
  const [ana, boris, crew, operator] = [open(who("ana")), open(who("boris")), open(who("crew")), open()];
  for (const page of [ana, boris, crew, operator])
    for (const ch of ["channels", "clips", "streams"]) say(page.member, { op: "sub", ch });
  wait(50);
  expect(hub.groups).toBe(3);
  writes.length = 0;
  publish("channels", list("lamp", "other", "third"));
  publish("clips", { id: "c1", login: "lamp", parts: [] });
  publish("clips", { id: "c2", login: "other", parts: [] });
  publish("clips", { id: "c3", login: "lamp", parts: [{ login: "other" }] });
  publish("clips", { id: "c4", removed: true });
  publish("streams", { id: "_1", broadcaster: { id: null, login: "lamp" } });
  publish("streams", { id: "_2", broadcaster: { id: "id-other", login: "lamp" } });
  wait(100);
  expect(writes.map(({ sockets }) => sockets).toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
  const ids = (page: { envelopes: () => Envelope[] }, ch: string) =>
    values(page, ch).map((d) => (d as { id: string }).id);
  for (const page of [ana, boris]) {
    expect(values(page, "channels")).toEqual([list("lamp"), list("lamp")]);
    expect(ids(page, "clips")).toEqual(["c1", "c4"]);
    expect(ids(page, "streams")).toEqual(["_1"]);
  }
  expect(ids(crew, "streams")).toEqual(["_1", "_2"]);
  expect(values(operator, "channels").at(-1)).toEqual(list("lamp", "other", "third"));
  expect(ids(operator, "clips")).toEqual(["c1", "c2", "c3", "c4"]);

  set("ana", { other: "analyst" });
  hub.recheck("ana", stays, 0);
  wait(100);
  expect(values(ana, "channels").at(-1)).toEqual(list("other"));
  expect(values(boris, "channels")).toHaveLength(2);
});

test("a list that was forgotten because nobody looked is heard again by who sees a part of it", () => {
  const { allowed, who, set } = people();
  set("ana", { lamp: "analyst" });
  const { hub, open, say, wait, publish } = simulate(allowed);
  const first = open(who("ana"));
  say(first.member, { op: "sub", ch: "clips" });
  wait(50);
  hub.close(first.member);
  expect(hub.topics).toBe(0);
  const back = open(who("ana"));
  say(back.member, { op: "sub", ch: "clips" });
  wait(50);
  publish("clips", { id: "c1", login: "lamp", parts: [] });
  wait(100);
  expect(values(back, "clips")).toEqual([{ id: "c1", login: "lamp", parts: [] }]);
});

test("a session that has ended closes its sockets, and nobody else's", () => {
  const { allowed, who } = people();
  const { hub, open, wait } = simulate(allowed);
  const [ana, boris, operator] = [open(who("ana")), open(who("boris")), open()];
  hub.recheck(null, ({ person, session }) => (person.userId === "ana" ? null : { person, session }), 0);
  wait(50);
  expect([ana, boris, operator].map(({ state }) => state.ended)).toEqual([4401, null, null]);
});
