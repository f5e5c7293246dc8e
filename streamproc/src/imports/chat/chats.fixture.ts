/** One chat, written as each tool would have written it. Also what the bench makes its large files with. */
export interface Said {
  readonly atS: number;
  readonly login: string;
  readonly name: string;
  readonly userId: string;
  readonly text: string;
  /** A Twitch emote that is the text's first word. */
  readonly emoteId?: string;
}

export const START_MS = Date.UTC(2024, 4, 1, 18, 0, 0, 300);
export const VIDEO = {
  id: "2134567890",
  title: "замок, попытка 3",
  login: "pepel_lamp",
  name: "Pepel_Lamp",
  ownerId: "655310001",
  lengthS: 3600,
};
const WORDS = [
  "LUL",
  "он упал в лаву",
  "KEKW KEKW",
  "no way",
  "gg 😹👍",
  "what a jump",
  '"quoted" \\ text',
  "F",
  "a, b; c",
];

/** `count` messages over `seconds`, the same at every call. */
export function said(count: number, seconds = 1800): Said[] {
  return Array.from({ length: count }, (_, i) => {
    const viewer = (i * 7919) % 97;
    const word = WORDS[(i * 31) % WORDS.length]!;
    return {
      atS: Math.round(((i + 0.25) / count) * seconds * 1000) / 1000,
      login: `viewer_${viewer}`,
      name: viewer % 10 === 0 ? `Зритель${viewer}` : `Viewer_${viewer}`,
      userId: String(100_000 + viewer),
      text: `${word}${i % 5 === 0 ? ` ${i}` : ""}`,
      ...(word === "LUL" && { emoteId: "425618" }),
    };
  });
}

const iso = (one: Said): string => new Date(START_MS + Math.round(one.atS * 1000)).toISOString();
const fragments = (one: Said, emote: string, key: string): object[] =>
  one.emoteId === undefined
    ? [{ text: one.text, [emote]: null }]
    : [
        { text: one.text.slice(0, 3), [emote]: { [key]: one.emoteId } },
        ...(one.text.length > 3 ? [{ text: one.text.slice(3), [emote]: null }] : []),
      ];

export const v5Comment = (one: Said, i: number): object => ({
  _id: `c0ffee00-0000-4000-8000-${String(i).padStart(12, "0")}`,
  created_at: iso(one),
  channel_id: VIDEO.ownerId,
  content_type: "video",
  content_id: VIDEO.id,
  content_offset_seconds: one.atS,
  commenter: { display_name: one.name, _id: one.userId, name: one.login, bio: 'a } brace " and a [ bracket' },
  message: {
    body: one.text,
    bits_spent: 0,
    fragments: fragments(one, "emoticon", "emoticon_id"),
    is_action: false,
    user_badges: [{ _id: "subscriber", version: "3" }],
    user_color: "#1B58AE",
    user_notice_params: {},
  },
});

export const gqlNode = (one: Said, i: number): object => ({
  id: `c0ffee00-0000-4000-8000-${String(i).padStart(12, "0")}`,
  commenter: { id: one.userId, login: one.login, displayName: one.name, __typename: "User" },
  contentOffsetSeconds: Math.floor(one.atS),
  createdAt: iso(one),
  message: {
    fragments: fragments(one, "emote", "emoteID"),
    userBadges: [{ id: "x", setID: "subscriber", version: "3" }],
    userColor: "#1B58AE",
  },
});

const chatDownloaderItem = (one: Said, i: number): object => ({
  message_id: `c0ffee00-0000-4000-8000-${String(i).padStart(12, "0")}`,
  timestamp: Date.parse(iso(one)) * 1000,
  author: { id: one.userId, name: one.login, display_name: one.name },
  time_in_seconds: one.atS,
  time_text: clock(one.atS),
  author_colour: "#1B58AE",
  message: one.text,
  message_type: "text_message",
});

const tag = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll(" ", "\\s");
export const ircLine = (one: Said, i: number, channel = VIDEO.login, room = VIDEO.ownerId): string =>
  `@badges=subscriber/3;color=#1B58AE;display-name=${tag(one.name)};emotes=${one.emoteId === undefined ? "" : `${one.emoteId}:0-2`};id=c0ffee00-0000-4000-8000-${String(i).padStart(12, "0")};room-id=${room};tmi-sent-ts=${Date.parse(iso(one))};user-id=${one.userId} :${one.login}!${one.login}@${one.login}.tmi.twitch.tv PRIVMSG #${channel} :${one.text}`;

const rustlogItem = (one: Said, i: number): object => ({
  text: one.text,
  displayName: one.name,
  timestamp: iso(one),
  id: `c0ffee00-0000-4000-8000-${String(i).padStart(12, "0")}`,
  tags: {
    "user-id": one.userId,
    "room-id": VIDEO.ownerId,
    "display-name": one.name,
    color: "#1B58AE",
    login: one.login,
    emotes: one.emoteId === undefined ? "" : `${one.emoteId}:0-2`,
  },
  username: one.login,
  channel: VIDEO.login,
  type: 1,
});

export function clock(atS: number): string {
  const second = Math.floor(atS);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${Math.floor(second / 3600)}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
}
const stamp = (one: Said): string => iso(one).slice(0, 19).replace("T", " ");
const csvField = (text: string): string => (/[",\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const owner = { id: VIDEO.ownerId, login: VIDEO.login, displayName: VIDEO.name };
const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

/** The file of each dialect, and forms of the same dialect under names of their own. */
export const FORMS: Record<string, (chat: readonly Said[]) => string> = {
  "twitch-downloader": (chat) =>
    JSON.stringify({
      FileInfo: { Version: { Major: 1, Minor: 3, Patch: 1 }, CreatedAt: iso(chat[0]!) },
      streamer: { name: VIDEO.name, login: VIDEO.login, id: Number(VIDEO.ownerId) },
      video: {
        title: VIDEO.title,
        id: VIDEO.id,
        created_at: new Date(START_MS).toISOString(),
        start: 0,
        end: VIDEO.lengthS,
        length: VIDEO.lengthS,
        game: "Ashen",
        chapters: [{ id: "1", startMilliseconds: 0, lengthMilliseconds: 60_000, gameDisplayName: "Ashen" }],
      },
      comments: chat.map(v5Comment),
      embeddedData: {
        thirdParty: [
          {
            id: "60ae958e229664e8667aea38",
            imageScale: 2,
            data: "iVBORw0KGgo=",
            name: "KEKW",
            url: "https://cdn.betterttv.net/emote/60ae958e229664e8667aea38/2x",
            width: 56,
            height: 56,
          },
        ],
        firstParty: [],
        twitchBadges: [{ name: "subscriber", versions: { 3: "AAAA" } }],
        twitchBits: [],
      },
    }),
  // Before version 1.1 the metadata came last and had little in it.
  "twitch-downloader, old": (chat) =>
    JSON.stringify(
      {
        streamer: { name: VIDEO.name, id: Number(VIDEO.ownerId) },
        comments: chat.map(v5Comment),
        video: { start: 0, end: VIDEO.lengthS },
        emotes: { thirdParty: [], firstParty: [] },
      },
      null,
      2,
    ),
  "twitch-v5": (chat) => JSON.stringify(chat.map(v5Comment)),
  "twitch-v5, with its video": (chat) =>
    JSON.stringify({
      video: {
        id: VIDEO.id,
        title: VIDEO.title,
        created_at: new Date(START_MS).toISOString(),
        duration: "1h0m0s",
        user_id: VIDEO.ownerId,
        user_name: VIDEO.name,
      },
      comments: chat.map(v5Comment),
    }),
  "twitch-gql": (chat) => JSON.stringify(chat.map(gqlNode)),
  "twitch-gql, pages": (chat) =>
    JSON.stringify(
      pages(chat).map((page) => ({
        data: {
          video: { id: VIDEO.id, creator: owner, comments: { edges: page, pageInfo: { hasNextPage: true } } },
        },
      })),
    ),
  "twitch-gql, a page a line": (chat) =>
    lines(
      pages(chat).map((page) =>
        JSON.stringify([{ data: { video: { id: VIDEO.id, comments: { edges: page } } } }][0]),
      ),
    ),
  "twitch-gql, one answer": (chat) =>
    JSON.stringify({
      data: {
        video: {
          id: VIDEO.id,
          comments: { edges: chat.map((one, i) => ({ cursor: "x", node: gqlNode(one, i) })) },
        },
      },
    }),
  "chat-downloader": (chat) => JSON.stringify(chat.map(chatDownloaderItem)),
  "chat-downloader, a line each": (chat) =>
    lines(chat.map((one, i) => JSON.stringify(chatDownloaderItem(one, i)))),
  "twitch-dl": (chat) =>
    JSON.stringify({
      video: {
        id: VIDEO.id,
        title: VIDEO.title,
        publishedAt: new Date(START_MS).toISOString(),
        lengthSeconds: VIDEO.lengthS,
        game: { name: "Ashen" },
        creator: owner,
      },
      video_comments: { id: VIDEO.id, owner: { badges: [{ id: "1", title: "a" }] } },
      comments: chat.map(gqlNode),
    }),
  "rustlog-json": (chat) => JSON.stringify({ messages: chat.map(rustlogItem) }),
  "rustlog-json, raw lines in it": (chat) =>
    lines(chat.map((one, i) => JSON.stringify({ ...rustlogItem(one, i), raw: ircLine(one, i) }))),
  "irc-raw": (chat) => lines(chat.map((one, i) => ircLine(one, i))),
  "irc-log": (chat) => lines(chat.map((one) => `[${stamp(one)} UTC] ${one.login}: ${one.text}`)),
  "irc-log, of rustlog": (chat) =>
    lines(chat.map((one) => `[${stamp(one)}] #${VIDEO.login} ${one.login}: ${one.text}`)),
  "irc-log, offsets": (chat) => lines(chat.map((one) => `[${clock(one.atS)}] ${one.login}: ${one.text}`)),
  "irc-log, irssi": (chat) =>
    `--- Log opened Wed May 01 17:59:00 2024\n18:00 -!- viewer_1 [~v@x] has joined #${VIDEO.login}\n${lines(chat.map((one) => `${stamp(one).slice(11)} < ${one.login}> ${one.text}`))}`,
  "irc-log, weechat": (chat) =>
    `${stamp(chat[0]!)}\t-->\tviewer_1 (v@x) has joined\n${lines(chat.map((one) => `${stamp(one)}\t${one.login}\t${one.text}`))}`,
  "irc-log, chatterino": (chat) =>
    `# Start logging at 2024-05-01 17:59:58 UTC\n${lines(chat.map((one) => `[${stamp(one).slice(11)}]  ${one.login}: ${one.text}`))}`,
  ndjson: (chat) =>
    lines(
      chat.map((one, i) =>
        JSON.stringify({
          id: `l${i}`,
          channelId: VIDEO.ownerId,
          sentAtMs: Date.parse(iso(one)),
          userId: one.userId,
          login: one.login,
          name: one.name,
          text: one.text,
        }),
      ),
    ),
  csv: (chat) =>
    `offset_seconds,user_name,message\r\n${chat.map((one) => `${one.atS},${one.login},${csvField(one.text)}\r\n`).join("")}`,
  "csv, with semicolons": (chat) =>
    `"Time";"Author";"Message"\n${chat.map((one) => `${clock(one.atS)};${one.login};${csvField(one.text)}\n`).join("")}`,
};

function pages(chat: readonly Said[]): object[][] {
  const all: object[][] = [];
  // Two pages share their last and first comment, as pages by offset do.
  for (let from = 0; from < chat.length; from += 59)
    all.push(
      chat
        .slice(from, from + 60)
        .map((one, at) => ({ cursor: `c${from + at}`, node: gqlNode(one, from + at) })),
    );
  return all;
}
