import { expect, test } from "vitest";
import type { Role } from "@hypecast/contracts/account.ts";
import { OPERATOR, SYSTEM, type Person } from "@hypecast/contracts/journal.ts";
import { reaches, rolesFrom, ROLES_TRUSTED_MS, type Roles } from "./roles.ts";

const NOW = 10_000_000;
/** lamp and guest were added by the operator, own by its broadcaster; quiet has not been heard yet; video is a channel of video alone. */
const IDS: Record<string, string> = { lamp: "1", guest: "2", own: "3", video: "video-video", gone: "9" };
const WATCHED = new Map<string, { login: string; addedBy?: string }>([
  ["lamp", { login: "lamp" }],
  ["guest", { login: "guest" }],
  ["own", { login: "own", addedBy: "3" }],
  ["quiet", { login: "quiet" }],
  ["video", { login: "video" }],
]);
const VOD = "_000000000000000000";
const OTHER_VOD = "_000000000000000001";
const LOOP_VOD = "_000000000000000002";
const VODS = new Map([
  [VOD, { broadcaster: { id: "1", login: "lamp", name: "Lamp" } }],
  [OTHER_VOD, { broadcaster: null }],
  [LOOP_VOD, { broadcaster: { id: null, login: LOOP_VOD, name: "" } }],
]);

interface Known {
  readonly moderates?: string[];
  readonly rolesAtMs?: number;
  readonly grants?: Record<string, Role>;
}
/** One person, and what is known of them. */
function personOf(login: string, userId: string, known: Known = {}): { person: Person; roles: Roles } {
  const { moderates = [], rolesAtMs = NOW - 1000, grants = {} } = known;
  const account = {
    userId,
    login,
    rolesAtMs,
    moderates: moderates.map((id) => ({ channelId: id, login: "" })),
  };
  const roles = rolesFrom({
    account: (id) => (id === userId ? account : null),
    grant: (channelId, id) => (id === userId && grants[channelId] ? { role: grants[channelId] } : null),
    grantsOf: () => Object.entries(grants).map(([channelId, role]) => ({ channelId, role })),
    channels: {
      get: (name) => WATCHED.get(name) ?? null,
      list: () => [...WATCHED.values()],
      idOf: (name) => IDS[name] ?? null,
      loginOf: (id) => Object.entries(IDS).find(([, one]) => one === id)?.[0] ?? null,
    },
    vods: { get: (id) => VODS.get(id) ?? null },
    nowMs: () => NOW,
  });
  return { person: { kind: "twitch", userId, login }, roles };
}

test.each([
  ["their own channel", personOf("lamp", "1"), "lamp", "broadcaster"],
  ["somebody else's", personOf("eve", "66"), "lamp", null],
  ["one that they moderate at Twitch", personOf("ana", "77", { moderates: ["1"] }), "lamp", "moderator"],
  ["another than the one that they moderate", personOf("ana", "77", { moderates: ["1"] }), "guest", null],
  ["one that was granted", personOf("ana", "77", { grants: { 2: "analyst" } }), "guest", "analyst"],
  [
    "one with both, of which the higher counts",
    personOf("ana", "77", { moderates: ["1"], grants: { 1: "analyst" } }),
    "lamp",
    "moderator",
  ],
  [
    "one with both, the grant being higher",
    personOf("ana", "77", { moderates: ["1"], grants: { 1: "broadcaster" } }),
    "lamp",
    "broadcaster",
  ],
  [
    "one of which Twitch's word is too old",
    personOf("ana", "77", { moderates: ["1"], rolesAtMs: NOW - ROLES_TRUSTED_MS }),
    "lamp",
    null,
  ],
  [
    "one that was granted, however old Twitch's word is",
    personOf("ana", "77", { rolesAtMs: 0, grants: { 1: "moderator" } }),
    "lamp",
    "moderator",
  ],
  ["one that nobody has heard yet, of their name", personOf("quiet", "5"), "quiet", "broadcaster"],
  ["one that nobody has heard yet, of another name", personOf("eve", "66"), "quiet", null],
  ["one whose name they have but whose number is another", personOf("lamp", "66"), "lamp", null],
  ["one of video alone that has their name", personOf("video", "66"), "video", null],
  ["an imported stream of their own", personOf("lamp", "1"), VOD, "broadcaster"],
  [
    "an imported stream of a channel that they look at",
    personOf("ana", "77", { grants: { 1: "analyst" } }),
    VOD,
    "analyst",
  ],
  [
    "an imported stream of nobody, as crew",
    personOf("ana", "77", { moderates: ["2"] }),
    OTHER_VOD,
    "moderator",
  ],
  [
    "an imported stream, looking at another channel",
    personOf("ana", "77", { grants: { 2: "analyst" } }),
    VOD,
    null,
  ],
  ["an imported stream, having added one's own channel", personOf("own", "3"), OTHER_VOD, null],
  ["an imported stream that names itself as its broadcaster", personOf("eve", "66"), LOOP_VOD, null],
  ["an imported stream that is not there", personOf("eve", "66"), "_zzzzzzzzzzzzzzzzzz", null],
] as const)("in %s a person is what they are", (_where, { person, roles }, login, role) => {
  expect(roles.roleIn(person, login)).toBe(role);
  for (const needed of ["analyst", "moderator", "broadcaster"] as const) {
    const may = reaches(role, needed);
    expect(roles.may(person, login, needed)).toBe(may);
    if (may) roles.authorise(person, login, needed);
    else expect(() => roles.authorise(person, login, needed)).toThrow(/needs the role/);
  }
});

test("by the number under which it stands in the store it is the same", () => {
  const { person, roles } = personOf("ana", "77", { moderates: ["1"] });
  expect(roles.roleInChannel(person, "1")).toBe("moderator");
  expect(roles.roleInChannel(person, "2")).toBeNull();
  expect(roles.roleInChannel(person, "vod-000000000000000000-1")).toBe("moderator");
  expect(() => roles.authoriseChannel(person, "2", "analyst")).toThrow(/needs the role/);
});

test("the operator and the program are everything everywhere", () => {
  const { roles } = personOf("ana", "77");
  for (const person of [OPERATOR, SYSTEM])
    for (const login of ["lamp", "nobody_knows", VOD])
      expect(roles.roleIn(person, login)).toBe("broadcaster");
  expect(roles.placesOf(OPERATOR).map(({ login }) => login)).toEqual([...WATCHED.keys()]);
});

test("people's places are the watched channels in which they have a role", () => {
  const { person, roles } = personOf("own", "3", { moderates: ["1", "9", "404"], grants: { 2: "analyst" } });
  expect(roles.placesOf(person)).toEqual([
    { login: "own", channelId: "3", role: "broadcaster" },
    { login: "lamp", channelId: "1", role: "moderator" },
    { login: "guest", channelId: "2", role: "analyst" },
  ]);
});

test("crew is who moderates a channel of the operator's; nobody becomes it by adding a channel of their own", () => {
  const isCrew = ({ person, roles }: ReturnType<typeof personOf>): boolean => roles.isCrew(person);
  expect(isCrew(personOf("lamp", "1"))).toBe(true);
  expect(isCrew(personOf("ana", "77", { moderates: ["1"] }))).toBe(true);
  expect(isCrew(personOf("ana", "77", { grants: { 1: "analyst" } }))).toBe(false);
  expect(isCrew(personOf("own", "3"))).toBe(false);
  expect(isCrew(personOf("gone", "9"))).toBe(false);
});

test("who has no account here any more has no role, whatever was granted", () => {
  const { roles } = personOf("ana", "77", { grants: { 1: "moderator" } });
  const ghost: Person = { kind: "twitch", userId: "1", login: "lamp" };
  expect(roles.roleIn(ghost, "lamp")).toBeNull();
  expect(roles.placesOf(ghost)).toEqual([]);
});
