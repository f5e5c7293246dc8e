import { expect, test } from "vitest";
import type { Envelope } from "@hypecast/contracts/push.ts";
import { LiveSocket, waitMs, type Link } from "./socket.ts";

/** A browser's socket in the test's hand. */
class Wire {
  readyState = 1;
  sent: unknown[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  say(...messages: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(messages) });
  }
  drop(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: "" });
  }
}

function world() {
  const wires: Wire[] = [];
  const links: Link[] = [];
  let now = 1000;
  let timers: { at: number; run: () => void; id: number }[] = [];
  let id = 0;
  const socket = new LiveSocket(
    {
      open: () => {
        const wire = new Wire();
        wires.push(wire);
        return wire as unknown as WebSocket;
      },
      now: () => now,
      random: () => 0.5,
      later: (run, ms) => {
        id += 1;
        timers.push({ at: now + ms, run, id });
        return id;
      },
      cancel: (timer) => {
        timers = timers.filter((one) => one.id !== timer);
      },
    },
    (link) => links.push(link),
  );
  const pass = (ms: number): void => {
    const until = now + ms;
    for (;;) {
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((one) => one !== next);
      now = next.at;
      next.run();
    }
    now = until;
  };
  const got: Envelope[] = [];
  socket.start();
  socket.subscribe("live:demo", { message: (envelope) => got.push(envelope) });
  const hello = (epoch: string) => ({ op: "hello", epoch, heartbeatMs: 5000, topics: 64, build: "1" });
  const tick = (n: number, more: object = {}) => ({ ch: "live:demo", id: n, t: now, d: n, ...more });
  const wire = (): Wire => wires.at(-1) ?? new Wire();
  return { socket, wires, links, got, pass, hello, tick, wire };
}

test("topics are asked for after the hello, and again with the last id after a lost connection", () => {
  const { wire, hello, tick, pass } = world();
  expect(wire().sent).toEqual([]);
  wire().say(hello("a"));
  expect(wire().sent).toEqual([{ op: "sub", ch: "live:demo" }]);
  wire().say(tick(41), tick(42));
  wire().drop(1006);
  pass(5000);
  wire().say(hello("a"));
  expect(wire().sent).toEqual([{ op: "sub", ch: "live:demo", since: 42, epoch: "a" }]);
});

test("what was seen is not taken twice", () => {
  const { wire, hello, tick, got } = world();
  wire().say(hello("a"), tick(7), tick(8));
  wire().say(tick(8), tick(7), tick(9));
  expect(got.map(({ id }) => id)).toEqual([7, 8, 9]);
});

test("a restarted gateway counts from the start: its new epoch makes the page forget its ids", () => {
  const { wire, hello, tick, got, pass } = world();
  wire().say(hello("a"), tick(900));
  wire().drop(1012);
  pass(5000);
  wire().say(hello("b"));
  expect(wire().sent).toEqual([{ op: "sub", ch: "live:demo" }]);
  wire().say(tick(1));
  expect(got.map(({ id }) => id)).toEqual([900, 1]);
});

test("a snapshot replaces, also with an id from before", () => {
  const { wire, hello, tick, got } = world();
  wire().say(hello("a"), tick(50));
  wire().say(tick(10, { snap: true }), tick(11));
  expect(got.map(({ id }) => id)).toEqual([50, 10, 11]);
});

test.each([
  [1006, true],
  [1012, true],
  [4408, true],
  [4400, false],
  [4401, false],
  [4429, false],
])("after close code %d it returns by itself: %s", (code, returns) => {
  const { wires, wire, hello, links, pass } = world();
  wire().say(hello("a"));
  wire().drop(code);
  pass(30_000);
  expect(wires.length > 1).toBe(returns);
  if (!returns) expect(links.at(-1)).toMatchObject({ state: "refused", code });
});

test("a refused page comes back when a person asks for it", () => {
  const { wires, wire, hello, socket } = world();
  wire().say(hello("a"));
  wire().drop(4401);
  socket.connectNow();
  expect(wires).toHaveLength(2);
});

test("waits grow to five seconds and are spread by at least half", () => {
  expect(waitMs(0, 0)).toBe(250);
  expect(waitMs(0, 1)).toBe(500);
  expect(waitMs(3, 1)).toBe(4000);
  expect(waitMs(20, 1)).toBe(5000);
  expect(waitMs(20, 0)).toBe(2500);
});

test("a connection that has said nothing for 15 s, not even a pong, is given up; one that pongs is not", () => {
  const { wires, wire, hello, pass } = world();
  wire().say(hello("a"));
  for (let i = 0; i < 10; i++) {
    pass(5000);
    wire().say({ op: "pong" });
  }
  expect(wires).toHaveLength(1);
  expect(wire().sent).toContainEqual({ op: "ping" });
  pass(20_000);
  expect(wires.length).toBeGreaterThan(1);
});

test("a frame that is no JSON, and a word about an unknown topic, change nothing", () => {
  const { wire, hello, tick, got } = world();
  wire().say(hello("a"));
  wire().onmessage?.({ data: "{" });
  wire().say({ ch: "live:other", id: 1, t: 1, d: 1 }, null, tick(1));
  expect(got).toHaveLength(1);
});
