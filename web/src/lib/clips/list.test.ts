import { expect, test } from "vitest";
import { clip, type Clip } from "@hypecast/contracts/clip.ts";
import {
  addressOf,
  batched,
  countStates,
  filterFrom,
  lengthMsOf,
  merged,
  NO_FILTER,
  passes,
  type ClipFilter,
} from "./list.ts";

const made = (more: Partial<Clip> = {}): Clip =>
  clip.parse({
    login: "a",
    startMs: 0,
    endMs: 20_000,
    id: "clip-1",
    channelId: "1",
    createdAtMs: 1,
    revision: 1,
    state: "ready",
    stage: null,
    progress: 1,
    etaS: null,
    attempt: 1,
    error: null,
    leftOut: [],
    files: [],
    thumbKey: null,
    readyAtMs: 2,
    shareToken: null,
    twitchUrl: null,
    ...more,
  });

test("news of a clip counts when its revision is not older: an answer that comes late undoes nothing", () => {
  let clips = merged(new Map(), [made({ revision: 3, state: "ready" })]);
  clips = merged(clips, [made({ revision: 2, state: "running" })]);
  expect(clips.get("clip-1")?.state).toBe("ready");
  clips = merged(clips, [made({ revision: 4, title: "x" })]);
  expect(clips.get("clip-1")?.title).toBe("x");
});

test("a deleted clip goes", () => {
  expect(merged(new Map([["clip-1", made()]]), [{ id: "clip-1", removed: true }]).size).toBe(0);
});

test.each<ClipFilter>([
  NO_FILTER,
  { ...NO_FILTER, login: "a", state: "work" },
  { login: "b_c", state: "failed", kind: "funny", layout: "9:16-stacked", made: "film" },
])("a filter goes into the address and comes back: %o", (filter) => {
  expect(filterFrom(new URL(addressOf(filter), "http://x").searchParams)).toEqual(filter);
});

test("an address that says nonsense filters nothing", () => {
  expect(filterFrom(new URLSearchParams("state=yes&kind=<b>&layout=4:3"))).toEqual(NO_FILTER);
});

test("each filter keeps what it says", () => {
  const ready = made({ kind: "funny" });
  const running = made({ id: "clip-2", state: "running", login: "b", layouts: ["16:9"] });
  const cancelled = made({ id: "clip-3", state: "cancelled" });
  const kept = (more: Partial<ClipFilter>): string[] =>
    [ready, running, cancelled].filter((one) => passes(one, { ...NO_FILTER, ...more })).map(({ id }) => id);
  expect(kept({})).toEqual(["clip-1", "clip-2", "clip-3"]);
  expect(kept({ state: "work" })).toEqual(["clip-2"]);
  expect(kept({ state: "failed" })).toEqual(["clip-3"]);
  expect(kept({ login: "b" })).toEqual(["clip-2"]);
  expect(kept({ kind: "funny" })).toEqual(["clip-1"]);
  expect(kept({ kind: "span" })).toEqual(["clip-2", "clip-3"]);
  expect(kept({ layout: "9:16" })).toEqual(["clip-1", "clip-3"]);
  expect(countStates([ready, running, cancelled])).toEqual({ all: 3, ready: 1, work: 1, failed: 1 });
});

test("clips that were asked for together stand together by their numbers, where the newest stands", () => {
  const batch = (number: number) => ({ batch: { id: "batch-1", number, of: 3 } });
  const clips = [
    made({ id: "clip-9" }),
    made({ id: "clip-3", ...batch(3) }),
    made({ id: "clip-8" }),
    made({ id: "clip-1", ...batch(1) }),
  ];
  expect(batched(clips).map(({ of, clips: some }) => [of, some.map(({ id }) => id)])).toEqual([
    [null, ["clip-9"]],
    [3, ["clip-1", "clip-3"]],
    [null, ["clip-8"]],
  ]);
});

test("a film is as long as its parts, is of each of their streams, and is told from a clip of chat alone", () => {
  const part = (login: string) => ({
    login,
    channelId: "1",
    startMs: 0,
    endMs: 5000,
    picture: "chat" as const,
    title: "",
  });
  const film = made({ parts: [part("a"), part("_b")] });
  const chat = made({ id: "clip-2", picture: "chat" });
  const kept = (more: Partial<ClipFilter>): string[] =>
    [film, chat].filter((one) => passes(one, { ...NO_FILTER, ...more })).map(({ id }) => id);
  expect(lengthMsOf(film)).toBe(10_000);
  expect(kept({ made: "film" })).toEqual(["clip-1"]);
  expect(kept({ made: "chat" })).toEqual(["clip-2"]);
  expect(kept({ login: "_b" })).toEqual(["clip-1"]);
});
