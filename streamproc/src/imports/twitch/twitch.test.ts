import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { gqlNode, said } from "../chat/chats.fixture.ts";
import { ImportFailure } from "../chat/failure.ts";
import { surveyChat } from "../chat/read-chat.ts";
import { bytesSource } from "../chat/source.ts";
import { helixVideo } from "./helix-video.ts";
import { startTestTwitch, type Misbehaviour, type TestTwitch } from "./test-twitch.ts";
import { unofficialChat } from "./unofficial-chat.ts";

const ID = "2134567890";
const nodes = said(250).map(gqlNode);
let twitch: TestTwitch;
beforeAll(async () => {
  twitch = await startTestTwitch(ID, nodes);
});
afterAll(() => twitch.close());
beforeEach(() => {
  twitch.asked.length = 0;
});

const on = (): { TWITCH_UNOFFICIAL_CHAT_URL: string; TWITCH_UNOFFICIAL_CHAT_CLIENT: string } => ({
  TWITCH_UNOFFICIAL_CHAT_URL: `${twitch.url}/gql`,
  TWITCH_UNOFFICIAL_CHAT_CLIENT: "player",
});
const quick = { pauseMs: 0, retryMs: 1 };

async function whole(id = ID, settings = on()): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of unofficialChat(settings, id, quick)) parts.push(part);
  return Buffer.concat(parts);
}
const code = async (made: Promise<unknown>): Promise<string> =>
  made.then(
    () => "none",
    (error: unknown) => (error instanceof ImportFailure ? error.error.code : String(error)),
  );

test("the chat of a video comes page after page, in a form that the chat reader knows", async () => {
  const survey = await surveyChat(bytesSource(await whole()), { startMs: null, durationS: null });
  expect(survey).toMatchObject({
    dialect: "twitch-gql",
    lines: 250,
    badLines: { count: 0 },
    startKnown: true,
  });
  expect(twitch.asked).toEqual([
    { client: "player", offset: 0 },
    ...[60, 120, 180, 240].map((after) => ({ client: "player", cursor: `after-${after}` })),
  ]);
});

test("answers that fail are asked for again, and nothing is there twice", async () => {
  twitch.misbehave("429", "500", "cut", "null comments");
  expect((await whole()).toString().trim().split("\n").length).toBe(250);
});

test.each<[Misbehaviour[], string]>([
  [["integrity"], "protected"],
  [["unknown query"], "unreachable"],
  [["html"], "unreachable"],
  [["500", "500", "500", "500", "500", "500"], "unreachable"],
  [["same cursor"], "unreachable"],
])("%s ends the import with %s", async (how, expected) => {
  twitch.misbehave(...how);
  expect(await code(whole())).toBe(expected);
});

test("a video that is not there, a way that is not turned on, an address that does not answer", async () => {
  expect(await code(whole("7"))).toBe("not_found");
  expect(await code(whole(ID, { ...on(), TWITCH_UNOFFICIAL_CHAT_URL: "" }))).toBe("no_way");
  expect(await code(whole(ID, { ...on(), TWITCH_UNOFFICIAL_CHAT_URL: "http://127.0.0.1:1/gql" }))).toBe(
    "unreachable",
  );
  expect(await code(whole(ID, { ...on(), TWITCH_UNOFFICIAL_CHAT_CLIENT: "" }))).toBe("unreachable");
});

test("Helix says whose video it is, when it began and how long it is", async () => {
  const settings = {
    TWITCH_CLIENT_ID: "client",
    TWITCH_CLIENT_SECRET: "secret",
    TWITCH_HELIX_URL: `${twitch.url}/helix`,
    TWITCH_ID_URL: `${twitch.url}/oauth2`,
  };
  expect(await helixVideo(settings, ID)).toEqual({
    id: ID,
    title: "замок",
    broadcaster: { id: "655310001", login: "pepel_lamp", name: "Pepel_Lamp" },
    startMs: Date.UTC(2024, 4, 1, 18),
    durationS: 3 * 3600 + 8 * 60 + 33,
    muted: [{ fromS: 120, toS: 150 }],
  });
  expect(await code(helixVideo(settings, "7"))).toBe("not_found");
  expect(await code(helixVideo({ ...settings, TWITCH_CLIENT_SECRET: "wrong" }, ID))).toBe("unreachable");
  expect(await helixVideo({ ...settings, TWITCH_CLIENT_ID: "" }, ID)).toBeNull();
});
