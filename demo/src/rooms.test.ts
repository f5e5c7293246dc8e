import { afterEach, expect, test } from "vitest";
import { insulter, PEPEL_ID } from "./chatters.ts";
import { notificationsOf, OPEN_ROOM, type Deed, type RoomSettings } from "./deeds.ts";
import { channels, Moderators, whoIs } from "./directory.ts";
import { Rooms } from "./rooms.ts";
import { ANCHOR_MS, linesBetween } from "./schedule.ts";
import { scriptedDeeds } from "./scripted-deeds.ts";
import { troubleScenes } from "./trouble-scenes.ts";
import { dasha, scammers } from "./trouble.ts";
import { PERIOD_MS } from "./world.ts";

const LOOP_MS = ANCHOR_MS + 20_000 * PERIOD_MS;
const pepel = channels.get(PEPEL_ID)!;
const flood = troubleScenes.find(({ kind }) => kind === "flood")!;
let nowMs = LOOP_MS;
const rooms = (): Rooms => {
  const made = new Rooms({ now: () => nowMs, moderators: new Moderators(), acting: true });
  open.push(made);
  return made;
};
const open: Rooms[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  nowMs = LOOP_MS;
});

/** What is left of the flood, and of everybody else's lines meanwhile. */
function heardIn(room: Rooms): { flood: number; others: number } {
  const names = new Set(scammers.map(({ login }) => login));
  const heard = { flood: 0, others: 0 };
  for (const { atMs, line } of linesBetween("pepel_lamp", LOOP_MS + flood.fromMs, LOOP_MS + flood.toMs)) {
    nowMs = atMs;
    if (!/ PRIVMSG #/.test(line) || !room.lets(PEPEL_ID, line)) continue;
    if (names.has(/ :(\w+)!/.exec(line)?.[1] ?? "")) heard.flood++;
    else heard.others++;
  }
  return heard;
}
const change = (settings: Partial<RoomSettings>): Deed => ({
  ...{ channel: pepel, by: dasha, atMs: nowMs, action: "settings", before: OPEN_ROOM },
  after: { ...OPEN_ROOM, ...settings },
});

test("what moderators set calms a flood, and leaves the others more or less alone", () => {
  const all = heardIn(rooms());
  expect(all.flood).toBe(137);
  const slow = rooms();
  slow.do(change({ slowS: 10 }));
  const slowed = heardIn(slow);
  expect(slowed.flood).toBeLessThan(50);
  expect(slowed.others).toBeGreaterThan(all.others * 0.7);
  const followers = rooms();
  followers.do(change({ followersMin: 10 }));
  expect(heardIn(followers).flood).toBe(0);
  expect(heardIn(followers).others).toBeGreaterThan(all.others * 0.8);
  const shield = rooms();
  shield.do({ channel: pepel, by: dasha, atMs: nowMs, action: "shield", on: true });
  expect(heardIn(shield).flood).toBe(0);
});

test("who is banned is silent for the rest of the run, and who is timed out for their time", () => {
  const room = rooms();
  const line = `@user-id=${insulter.userId} :x!x@x PRIVMSG #pepel_lamp :hi`;
  const act = { channel: pepel, by: dasha, target: insulter, reason: "" };
  room.do({ ...act, atMs: nowMs, action: "timeout", durationS: 60 });
  expect(room.lets(PEPEL_ID, line)).toBe(false);
  nowMs += 61_000;
  expect(room.lets(PEPEL_ID, line)).toBe(true);
  room.do({ ...act, atMs: nowMs, action: "ban" });
  nowMs = LOOP_MS + PERIOD_MS - 1;
  expect(room.lets(PEPEL_ID, line)).toBe(false);
  expect(room.bans(PEPEL_ID).map(({ target }) => target.login)).toEqual([insulter.login]);
  nowMs = LOOP_MS + PERIOD_MS;
  expect(room.lets(PEPEL_ID, line)).toBe(true);
});

test("the script's own moderators, AutoMod and Twitch tell of themselves in every run", () => {
  const deeds = [...scriptedDeeds(LOOP_MS, LOOP_MS + PERIOD_MS)];
  expect(
    deeds.reduce<Record<string, number>>(
      (sum, { action }) => ({ ...sum, [action]: (sum[action] ?? 0) + 1 }),
      {},
    ),
  ).toEqual({
    ...{ timeout: 2, ban: 7, delete: 5, warn: 1, settings: 2 },
    ...{ hold: 2, decide: 1, suspicious: 2, unban_request: 1 },
  });
  // Everything that is told names its channel, and by which subscription.
  for (const told of deeds.flatMap(notificationsOf))
    expect(told.event).toMatchObject({ broadcaster_user_id: PEPEL_ID });
});

test("everybody of the trouble has an account", () => {
  for (const { login, userId } of scammers) expect(whoIs(login)?.userId).toBe(userId);
});
