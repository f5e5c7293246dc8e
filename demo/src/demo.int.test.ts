import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startDemo, type Demo } from "./demo.ts";
import { DEMO_CLIENT } from "./helix.ts";
import { ANCHOR_MS, linesBetween } from "./schedule.ts";
import { PERIOD_MS } from "./world.ts";

let demo: Demo;
/** Added to the wall clock: puts the stream where a test needs it, for every limit and schedule at once. */
let shiftMs = 0;
const now = (): number => Date.now() + shiftMs;
const atStreamMs = (ms: number): void => void (shiftMs = ANCHOR_MS + 20_000 * PERIOD_MS + ms - Date.now());

beforeEach(async () => {
  atStreamMs(70_000);
  demo = await startDemo({
    http: 0,
    ircWs: 0,
    ircTcp: 0,
    now,
    sevenTvHeartbeatMs: 200,
    pingEveryMs: 600_000,
    pongWithinMs: 300,
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await demo.close();
});

interface Client {
  readonly lines: string[];
  send(...lines: string[]): void;
  /** The first line that fits, heard before or after; throws after four seconds. */
  hear(what: RegExp): Promise<string>;
  readonly closed: () => boolean;
  readonly close: () => void;
}
const clients: Client[] = [];

function client(
  send: (text: string) => void,
  close: () => void,
): { readonly client: Client; readonly take: (chunk: string) => void; readonly end: () => void } {
  const lines: string[] = [];
  let rest = "";
  let closed = false;
  const made: Client = {
    lines,
    send: (...sent) => send(sent.map((line) => `${line}\r\n`).join("")),
    async hear(what) {
      for (let i = 0; i < 400; i++) {
        const found = lines.find((line) => what.test(line));
        if (found !== undefined) return found;
        await sleep(10);
      }
      throw new Error(
        `never heard ${what}; heard:\n${lines
          .slice(-10)
          .map((line) => line.slice(0, 300))
          .join("\n")}`,
      );
    },
    closed: () => closed,
    close,
  };
  clients.push(made);
  return {
    client: made,
    take(chunk) {
      const parts = (rest + chunk).split("\r\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
    },
    end: () => void (closed = true),
  };
}

async function overWebsocket(): Promise<Client & { protocol: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${demo.ports.ircWs}`, "irc");
  const made = client(
    (text) => socket.send(text),
    () => socket.terminate(),
  );
  socket.on("message", (data) => made.take((data as Buffer).toString("utf8")));
  socket.on("close", made.end);
  socket.on("error", made.end);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return { ...made.client, protocol: socket.protocol };
}
async function overTcp(): Promise<Client & { socket: Socket }> {
  const socket = connect(demo.ports.ircTcp, "127.0.0.1");
  const made = client(
    (text) => void socket.write(text),
    () => socket.destroy(),
  );
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => made.take(chunk));
  socket.on("close", made.end);
  socket.on("error", made.end);
  await new Promise((resolve) => socket.once("connect", resolve));
  return { ...made.client, socket };
}
const REQUEST = "CAP REQ :twitch.tv/tags twitch.tv/commands";
async function viewer(...channels: string[]): Promise<Client> {
  const made = await overWebsocket();
  made.send(
    REQUEST,
    "PASS SCHMOOPIIE",
    "NICK justinfan4242",
    `JOIN ${channels.map((channel) => `#${channel}`).join(",")}`,
  );
  return made;
}
const until = async (what: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !what(); i++) await sleep(10);
  expect(what()).toBe(true);
};
const url = (path: string): string => `http://127.0.0.1:${demo.ports.http}${path}`;
const json = async (path: string, init?: RequestInit): Promise<any> => (await fetch(url(path), init)).json();
const fault = (name: string, body: object = {}): Promise<Response> =>
  fetch(url(`/control/${name}`), { method: "POST", body: JSON.stringify(body) });

test("an anonymous viewer is greeted, joined and told the room, as Twitch's documents show", async () => {
  const viewer = await overWebsocket();
  expect(viewer.protocol).toBe("irc");
  viewer.send(
    "CAP LS 302",
    "CAP REQ :twitch.tv/tags twitch.tv/unheard-of",
    REQUEST,
    "NICK justinfan4242",
    "JOIN #Pepel_Lamp",
    "PING :a b",
    "WHO #x",
    "PART #pepel_lamp",
  );
  await viewer.hear(/ PART #pepel_lamp$/);
  expect(viewer.lines.filter((line) => !/ PRIVMSG | USERNOTICE /.test(line))).toEqual([
    ":tmi.twitch.tv CAP * LS :twitch.tv/tags twitch.tv/commands twitch.tv/membership",
    ":tmi.twitch.tv CAP * NAK :twitch.tv/tags twitch.tv/unheard-of",
    ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands",
    ":tmi.twitch.tv 001 justinfan4242 :Welcome, GLHF!",
    ":tmi.twitch.tv 002 justinfan4242 :Your host is tmi.twitch.tv",
    ":tmi.twitch.tv 003 justinfan4242 :This server is rather new",
    ":tmi.twitch.tv 004 justinfan4242 :-",
    ":tmi.twitch.tv 375 justinfan4242 :-",
    ":tmi.twitch.tv 372 justinfan4242 :You are in a maze of twisty passages, all alike.",
    ":tmi.twitch.tv 376 justinfan4242 :>",
    ":justinfan4242!justinfan4242@justinfan4242.tmi.twitch.tv JOIN #pepel_lamp",
    ":justinfan4242.tmi.twitch.tv 353 justinfan4242 = #pepel_lamp :justinfan4242",
    ":justinfan4242.tmi.twitch.tv 366 justinfan4242 #pepel_lamp :End of /NAMES list",
    "@emote-only=0;followers-only=-1;r9k=0;room-id=811204512;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #pepel_lamp",
    ":tmi.twitch.tv PONG tmi.twitch.tv :a b",
    ":tmi.twitch.tv 421 justinfan4242 WHO :Unknown command",
    ":justinfan4242!justinfan4242@justinfan4242.tmi.twitch.tv PART #pepel_lamp",
  ]);
});

test("a token is checked: right, wrong, badly written, and too often", async () => {
  const right = await overTcp();
  right.send(REQUEST, "PASS oauth:hypecast-demo-token", "NICK pepel_lamp", "JOIN #nightfern");
  await right.hear(/GLOBALUSERSTATE$/);
  await right.hear(/^@.*display-name=pepel_lamp.* USERSTATE #nightfern$/);
  for (const [pass, words] of [
    ["oauth:wrong", "Login authentication failed"],
    ["nonsense", "Improperly formatted auth"],
  ] as const) {
    const wrong = await overTcp();
    wrong.send(`PASS ${pass}`, "NICK pepel_lamp", "JOIN #pepel_lamp");
    await until(wrong.closed);
    expect(wrong.lines).toEqual([`:tmi.twitch.tv NOTICE * :${words}`]);
  }
  for (let i = 0; i < 17; i++) {
    const again = await overTcp();
    again.send("PASS oauth:wrong", "NICK pepel_lamp");
    await until(again.closed);
  }
  const late = await overTcp();
  late.send("PASS oauth:hypecast-demo-token", "NICK pepel_lamp");
  await until(late.closed);
  expect(demo.irc.counts).toMatchObject({ logins: 1, loginsOverLimit: 1 });
});

test("of 30 JOINs at once 20 are heard; ten seconds later there is room again", async () => {
  const viewer = await overTcp();
  viewer.send(
    REQUEST,
    "NICK justinfan1",
    ...Array.from({ length: 30 }, (_, i) => `JOIN #flood_${i + 1}`),
    "PING done",
  );
  await viewer.hear(/PONG/);
  expect(viewer.lines.filter((line) => / JOIN #/.test(line))).toHaveLength(20);
  expect(demo.irc.counts).toMatchObject({ joins: 20, joinsOverLimit: 10 });
  shiftMs += 10_001;
  viewer.send("JOIN #nightfern");
  await viewer.hear(/ROOMSTATE #nightfern/);
});

test("every line of the schedule arrives once, in order and on time, over websocket and TCP alike", async () => {
  atStreamMs(96_000);
  await sleep(60);
  const ws = await viewer("pepel_lamp");
  const tcp = await overTcp();
  tcp.send(REQUEST, "NICK justinfan2", "JOIN #pepel_lamp");
  await Promise.all([ws.hear(/ROOMSTATE/), tcp.hear(/ROOMSTATE/)]);
  const fromMs = now() + 100;
  await sleep(2600);
  const toMs = now() - 100;
  const expected = linesBetween("pepel_lamp", fromMs, toMs).map(({ line }) => line);
  expect(expected.length).toBeGreaterThan(15);
  for (const { lines } of [ws, tcp]) {
    const heard = lines.filter((line) => {
      const sentMs = Number(/tmi-sent-ts=(\d+)/.exec(line)?.[1] ?? 0);
      return sentMs >= fromMs && sentMs < toMs;
    });
    expect(heard).toEqual(expected);
  }
});

test("who did not ask for tags or commands gets none", async () => {
  const plain = await overTcp();
  plain.send("NICK justinfan3", "JOIN #flood_200,#pepel_lamp,#zakrytaya_dver");
  await plain.hear(/ PRIVMSG #flood_200 /);
  await plain.hear(/ PRIVMSG #pepel_lamp /);
  expect(
    plain.lines.filter((line) => line.startsWith("@") || / (?:ROOMSTATE|NOTICE|USERNOTICE) /.test(line)),
  ).toEqual([]);
});

test("a channel that is closed, unknown or bans us answers a NOTICE; one that closes later throws us out", async () => {
  await fault("channel", { channel: "tihiy_ruchey", mode: "banned" });
  const guest = await viewer(
    "zakrytaya_dver",
    "no_such_channel",
    "tihiy_ruchey",
    "offline_mila",
    "pepel_lamp",
  );
  await guest.hear(
    /^@msg-id=msg_channel_suspended :tmi\.twitch\.tv NOTICE #zakrytaya_dver :This channel does not exist or has been suspended\.$/,
  );
  await guest.hear(/^@msg-id=msg_channel_suspended .* #no_such_channel /);
  await guest.hear(/^@msg-id=msg_banned .* #tihiy_ruchey /);
  await guest.hear(/ROOMSTATE #offline_mila/);
  await fault("channel", { channel: "pepel_lamp", mode: "renamed" });
  await guest.hear(/^@msg-id=msg_channel_suspended .* #pepel_lamp /);
});

test("connections drop, freeze, are asked to come back, and die without a PONG", async () => {
  const first = await viewer("flood_100");
  await first.hear(/PRIVMSG/);
  await fault("freeze", { forMs: 700 });
  await sleep(60);
  const before = first.lines.length;
  first.send("PING x");
  await sleep(300);
  expect(first.lines).toHaveLength(before);
  expect(first.closed()).toBe(false);
  await until(() => first.lines.length > before);
  await fault("reconnect", { graceMs: 100 });
  await first.hear(/^:tmi\.twitch\.tv RECONNECT$/);
  await until(first.closed);
  const second = await viewer("flood_100");
  await second.hear(/PRIVMSG/);
  await fault("drop");
  await until(second.closed);
  const third = await viewer("offline_mila");
  await third.hear(/ROOMSTATE/);
  shiftMs += 600_001;
  await third.hear(/^PING :tmi\.twitch\.tv$/);
  third.send("PONG :tmi.twitch.tv");
  await sleep(400);
  expect(third.closed()).toBe(false);
  shiftMs += 600_001;
  await until(third.closed);
  expect(demo.irc.counts.pongsMissed).toBe(1);
});

test("the clock can be wrong and lines can be malformed", async () => {
  const guest = await viewer("pepel_lamp", "flood_50");
  await fault("clock", { shiftMs: -7_200_000 });
  const late = (line: string): boolean =>
    Number(/tmi-sent-ts=(\d+)/.exec(line)?.[1] ?? Infinity) < now() - 7_100_000;
  await until(() => guest.lines.some((line) => line.includes("#flood_50") && late(line)));
  await fault("inject", { channel: "pepel_lamp" });
  await guest.hear(/FROBNICATE/);
  await until(() => guest.lines.some((line) => line.length > 60_000));
  await fault("inject", { channel: "pepel_lamp", lines: ["only this"] });
  await guest.hear(/^only this$/);
});

test("a token server and Helix that check who asks, and count", async () => {
  const token = (form: Record<string, string>): Promise<Response> =>
    fetch(url("/oauth2/token"), { method: "POST", body: new URLSearchParams(form) });
  const right = {
    client_id: DEMO_CLIENT.id,
    client_secret: DEMO_CLIENT.secret,
    grant_type: "client_credentials",
  };
  expect((await token({ ...right, client_secret: "no" })).status).toBe(403);
  expect((await token({ ...right, client_id: "no" })).status).toBe(400);
  const { access_token: access, token_type: type } = (await (await token(right)).json()) as {
    access_token: string;
    token_type: string;
  };
  expect([access.length, type]).toEqual([30, "bearer"]);
  const headers = { authorization: `Bearer ${access}`, "client-id": DEMO_CLIENT.id };
  const users = await json("/helix/users?login=pepel_lamp&login=offline_mila&login=no_such_channel", {
    headers,
  });
  expect(users.data.map(({ id }: { id: string }) => id)).toEqual(["811204512", "644120031"]);
  const streams = await json("/helix/streams?user_login=pepel_lamp&user_login=offline_mila", { headers });
  expect(streams.data).toHaveLength(1);
  expect(streams.data[0]).toMatchObject({
    type: "live",
    user_id: "811204512",
    game_name: "Пепельный замок",
    title: expect.stringMatching(/^«Пепельный замок», попытка \d+$/),
  });
  expect(Date.parse(streams.data[0].started_at)).toBeLessThanOrEqual(now());
  expect(await json("/helix/search/channels?query=lamp", { headers })).toMatchObject({
    data: [{ broadcaster_login: "pepel_lamp", is_live: true }],
  });
  for (const bad of [
    {},
    { authorization: headers.authorization },
    { ...headers, "client-id": "other" },
    { ...headers, authorization: "Bearer nonsense" },
  ])
    expect((await fetch(url("/helix/users?login=pepel_lamp"), { headers: bad })).status).toBe(401);
  expect((await fetch(url("/helix/users"), { headers })).status).toBe(400);
  let last = new Response();
  for (let i = 0; i < 900 && last.status !== 429; i++)
    last = await fetch(url("/helix/users?id=811204512"), { headers });
  expect(last.status).toBe(429);
  expect(last.headers.get("ratelimit-remaining")).toBe("0");
  expect(Number(last.headers.get("ratelimit-reset"))).toBeGreaterThan(now() / 1000);
  await fault("tokens");
  expect((await fetch(url("/helix/users?id=811204512"), { headers })).status).toBe(401);
});

test("the emote services list their sets, know no strangers, and fail on demand", async () => {
  const bttv = await json("/bttv/3/cached/users/twitch/811204512");
  expect(
    [...bttv.channelEmotes, ...bttv.sharedEmotes].map(({ code }: { code: string }) => code).sort(),
  ).toEqual(["KEKW", "catJAM"]);
  expect((await json("/bttv/3/cached/emotes/global")).map(({ code }: { code: string }) => code)).toContain(
    "monkaS",
  );
  const ffz = await json("/ffz/v1/room/id/811204512");
  expect(ffz.sets[ffz.room.set].emoticons.map(({ name }: { name: string }) => name).sort()).toEqual([
    "LULW",
    "OMEGALUL",
  ]);
  expect((await json("/ffz/v1/set/global")).sets[3].emoticons[0].name).toBe("PepeHands");
  const seven = await json("/7tv/v3/users/twitch/811204512");
  expect(seven.emote_set.emotes.find(({ name }: { name: string }) => name === "RainTime")).toMatchObject({
    flags: 1,
    data: { host: { url: expect.stringContaining("/7tv/emote/") } },
  });
  for (const path of ["/bttv/3/cached/users/twitch/1", "/ffz/v1/room/id/1", "/7tv/v3/users/twitch/1"])
    expect((await fetch(url(path))).status).toBe(404);
  await fault("emotes", { provider: "7tv", extra: 10_000 });
  expect((await json("/7tv/v3/users/twitch/811204512")).emote_set.emotes.length).toBeGreaterThan(10_000);
  await fault("provider", { provider: "ffz", mode: "down" });
  await expect(fetch(url("/ffz/v1/set/global"))).rejects.toThrow("fetch failed");
  await fault("provider", { provider: "ffz", mode: "error" });
  expect((await fetch(url("/ffz/v1/set/global"))).status).toBe(503);
  await fault("provider", { provider: "ffz", mode: "slow", slowMs: 250 });
  const began = performance.now();
  await json("/ffz/v1/set/global");
  expect(performance.now() - began).toBeGreaterThan(240);
  await fault("reset");
  expect((await fetch(url("/ffz/v1/set/global"))).status).toBe(200);
});

test("pictures come in every service's sizes, and wrong ones on demand", async () => {
  const own = "emotesv2_4c1d0b5e7a3f4e0c9b1a2d3c4e5f6071";
  const sizes: Record<string, number> = {
    [`/emoticons/v2/${own}/default/dark/1.0`]: 28,
    "/emoticons/v2/25/default/light/3.0": 112,
    "/bttv/emote/5e9c6c187e090362f8b0b9e8/2x": 56,
    "/ffz/emote/128054/4": 112,
    "/7tv/emote/60ae958e229664e8667aea38/4x.webp": 128,
  };
  for (const [path, pixels] of Object.entries(sizes)) {
    const answer = await fetch(url(path));
    expect(answer.headers.get("content-type"), path).toBe("image/png");
    expect(Buffer.from(await answer.arrayBuffer()).readUInt32BE(16), path).toBe(pixels);
  }
  expect((await fetch(url("/emoticons/v2/no_such/default/dark/1.0"))).status).toBe(404);
  await fault("image", { id: own, mode: "html" });
  expect((await fetch(url(`/emoticons/v2/${own}/default/dark/1.0`))).headers.get("content-type")).toContain(
    "text/html",
  );
  await fault("image", { id: own, mode: "huge" });
  const huge = await fetch(url(`/emoticons/v2/${own}/default/dark/1.0`));
  expect(huge.headers.get("content-length")).toBe(String(50 * 1024 * 1024));
  await huge.body?.cancel();
});

test("7TV's changes arrive live: hello, heartbeat, the schedule's new emote, resume after a lost session", async () => {
  atStreamMs(1_621_000);
  await sleep(300);
  const dial = async (): Promise<{ socket: WebSocket; frames: any[] }> => {
    const socket = new WebSocket(`ws://127.0.0.1:${demo.ports.http}/7tv/events`);
    const frames: any[] = [];
    socket.on("message", (data) => frames.push(JSON.parse((data as Buffer).toString("utf8"))));
    await new Promise((resolve) => socket.once("open", resolve));
    await until(() => frames.length > 0);
    return { socket, frames };
  };
  const set = (await json("/7tv/v3/users/twitch/811204512")).emote_set.id;
  const first = await dial();
  expect(first.frames[0]).toMatchObject({
    op: 1,
    d: { heartbeat_interval: 200, subscription_limit: 500, session_id: expect.any(String) },
  });
  first.socket.send(
    JSON.stringify({ op: 35, d: { type: "emote_set.update", condition: { object_id: set } } }),
  );
  await until(() => first.frames.some(({ op, d }) => op === 5 && d.command === "SUBSCRIBE"));
  await until(() => first.frames.some(({ op }) => op === 2));
  await until(() =>
    first.frames.some(({ op, d }) => op === 0 && d.body.pushed?.[0]?.value?.name === "mechVSTENE"),
  );
  expect(
    (await json("/7tv/v3/users/twitch/811204512")).emote_set.emotes.map(({ name }: { name: string }) => name),
  ).toContain("mechVSTENE");
  await fault("seventv", { mode: "reconnect" });
  await until(() => first.frames.some(({ op }) => op === 4) && first.socket.readyState === WebSocket.CLOSED);
  await fault("seventv", { mode: "remove", id: "64f0a1b2c3d4e5f60718293a", name: "mechVSTENE" });
  const second = await dial();
  second.socket.send(JSON.stringify({ op: 34, d: { session_id: first.frames[0].d.session_id } }));
  await until(() =>
    second.frames.some(({ op, d }) => op === 5 && d.data.success && d.data.dispatches_replayed === 1),
  );
  await until(() =>
    second.frames.some(({ op, d }) => op === 0 && d.body.pulled?.[0]?.old_value?.name === "mechVSTENE"),
  );
  second.socket.send(
    JSON.stringify({ op: 35, d: { type: "emote_set.update", condition: { object_id: set } } }),
  );
  const code = await new Promise((resolve) => second.socket.once("close", resolve));
  expect(code).toBe(4009);
});

test("the control page says what is wrong with an order", async () => {
  expect(await json("/control")).toMatchObject({ stream: { scene: "cave", next: { id: "lava-1" } } });
  expect(await (await fault("nonsense")).json()).toMatchObject({
    error: expect.stringContaining('no fault "nonsense"; there are drop, freeze'),
  });
  expect(await (await fault("channel", { channel: "x", mode: "sideways" })).json()).toEqual({
    error: "mode must be one of suspended, banned, renamed, silent, ok",
  });
  expect((await fetch(url("/control/clock"), { method: "POST", body: "{" })).status).toBe(400);
});

test("a taken port is named with the options that change it", async () => {
  await expect(startDemo({ http: 0, ircWs: demo.ports.ircWs, ircTcp: 0 })).rejects.toThrow(
    `port ${demo.ports.ircWs} is taken: choose another with --http, --irc-ws or --irc-tcp`,
  );
});
