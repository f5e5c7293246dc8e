import { MOD_ACTIONS, modEvent } from "@hypecast/contracts/mod-event.ts";
import { expect, test } from "vitest";
import { CHANNEL, moderate, notification, SENT_MS, told } from "./payload.fixture.ts";
import { READERS, readNotification } from "./payload.ts";
import { KINDS, kindsFor } from "./subscriptions.ts";

test.each(told)("%s is read", (_what, wire, expected) => {
  const reading = readNotification(notification(wire));
  expect(reading).toMatchObject({ kind: "act", act: { channelId: CHANNEL, messageId: "n-1", ...expected } });
  if (reading.kind === "act")
    expect(modEvent.schema.safeParse({ id: "x", ...reading.act }).error).toBe(undefined);
});

test("every type that is subscribed to and every action that there is has its payload here", () => {
  expect(new Set(told.map(([, [type]]) => type))).toEqual(new Set(Object.keys(READERS)));
  const actions = told.map(([, wire]) => readNotification(notification(wire)));
  const read = new Set(actions.map((reading) => (reading.kind === "act" ? reading.act.action : "")));
  expect(MOD_ACTIONS.filter((action) => !read.has(action))).toEqual(["unheard"]);
});

test.each([
  ["an action without its part", moderate("timeout"), "malformed"],
  [
    "a target that is no id",
    moderate("ban", { ban: { user_id: "6 6; DROP", user_login: "x", reason: "" } }),
    "malformed",
  ],
  [
    "a time that is none",
    moderate("timeout", { timeout: { user_id: "6", user_login: "x", reason: "", expires_at: "soon" } }),
    "malformed",
  ],
  ["no event at all", ["channel.moderate", "2", null] as const, "malformed"],
  ["an action of tomorrow", moderate("obliterate"), "unknown_action"],
  ["an older version", ["channel.moderate", "1", {}] as const, "unknown_type"],
  ["a type that was not asked for", ["channel.follow", "2", {}] as const, "unknown_type"],
  ["a name of every object", ["constructor", "1", {}] as const, "unknown_type"],
])("%s is no act", (_what, wire, kind) => {
  expect(readNotification(notification(wire)).kind).toBe(kind);
});

test("a login that is none says nothing, and endless texts are cut", () => {
  const reading = readNotification(
    notification(
      moderate("delete", {
        delete: { user_id: "6", user_login: "<script>", message_id: "m", message_body: "a".repeat(9_000) },
      }),
    ),
  );
  expect(reading).toMatchObject({ kind: "act", act: { targetLogin: "", atMs: SENT_MS } });
  if (reading.kind === "act") expect(reading.act.text).toHaveLength(2_000);
});

test("channel.moderate comes first, and only the broadcaster may hear channel.ban", () => {
  expect(KINDS[0]?.type).toBe("channel.moderate");
  const everything = KINDS.flatMap((kind) => kind.scopes.flatMap((group) => group[0] ?? []));
  const [own, others] = [
    kindsFor({ channelId: "1", userId: "1" }, everything),
    kindsFor({ channelId: "1", userId: "2" }, everything),
  ];
  expect(own).toEqual({ kinds: KINDS, missing: [] });
  expect(others.kinds.map(({ type }) => type)).not.toContain("channel.ban");
  expect(kindsFor({ channelId: "1", userId: "2" }, ["user:read:chat"]).missing).toContain("channel.moderate");
  expect(kindsFor({ channelId: "1", userId: "2" }, []).kinds).toEqual([]);
});
