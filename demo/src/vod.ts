import { PEPEL_ID, streamer } from "./chatters.ts";
import { emoteByName } from "./emotes.ts";
import type { Said } from "./chat-event.ts";
import { scriptOf } from "./stream.ts";
import { FIRST_ATTEMPT, GAME, PERIOD_MS, scenes } from "./world.ts";
import { idOf, spoken } from "./wire.ts";

const CHANNEL = "pepel_lamp";
/** The run that the picture shows. */
const LOOP = 0;

/** The number that the stand-in gives this video: what stands behind twitch.tv/videos/. */
export const VOD_ID = "1310000031";
export const VOD_CREATED_AT_MS = Date.UTC(2026, 10, 14, 18);
export const VOD_TITLE = `«${GAME}», попытка ${FIRST_ATTEMPT}`;
export const VOD_S = PERIOD_MS / 1000;

const iso = (ms: number): string => new Date(ms).toISOString();

/** One message as the saved chat and the unofficial call both tell it. */
export interface VodMessage {
  readonly id: string;
  readonly channelId: string;
  readonly atMs: number;
  readonly createdAt: string;
  readonly userId: string;
  readonly login: string;
  readonly name: string;
  readonly text: string;
  readonly action: boolean;
  readonly bits: number;
  readonly fragments: readonly Fragment[];
  readonly badges: readonly { readonly id: string; readonly version: string }[];
  readonly color: string | null;
}

interface Fragment {
  readonly text: string;
  /** Id of one of Twitch's own emotes; those of others are words. */
  readonly emote: string | null;
}

let made: readonly VodMessage[] | null = null;
/** What is left of the loop's chat: without what a moderator removed, as with Twitch, and without raids and gifts, which were no messages. */
export function vodMessages(): readonly VodMessage[] {
  if (made !== null) return made;
  const removed = new Set<Said>();
  for (const event of scriptOf(CHANNEL))
    if (event.type === "timeout" || event.type === "ban" || event.type === "delete")
      removed.add(event.target);
  made = scriptOf(CHANNEL).flatMap((event) =>
    event.type === "message" && !removed.has(event) && event.atMs >= 0 && event.atMs < PERIOD_MS
      ? [messageOf(event)]
      : [],
  );
  return made;
}

function messageOf({ who, atMs, n, bits, action, text: written }: Said): VodMessage {
  const text = spoken(written, LOOP);
  return {
    id: idOf(CHANNEL, LOOP, n),
    channelId: PEPEL_ID,
    atMs,
    createdAt: iso(VOD_CREATED_AT_MS + atMs),
    userId: who.userId,
    login: who.login,
    name: who.name,
    text,
    action,
    bits,
    fragments: fragmentsOf(text),
    badges: who.badges
      .split(",")
      .filter((badge) => badge !== "")
      .map((badge) => {
        const [id = "", version = ""] = badge.split("/");
        return { id, version };
      }),
    color: who.color === "" ? null : who.color,
  };
}

function fragmentsOf(text: string): Fragment[] {
  const fragments: Fragment[] = [];
  let words = "";
  for (const part of text.split(/( )/)) {
    const emote = emoteByName.get(part);
    if (emote?.provider !== "twitch") {
      words += part;
      continue;
    }
    if (words !== "") fragments.push({ text: words, emote: null });
    words = "";
    fragments.push({ text: part, emote: emote.id });
  }
  if (words !== "") fragments.push({ text: words, emote: null });
  return fragments;
}

/** One loop as a finished stream's chat, in the form that TwitchDownloader saves (its `ChatRoot`: FileInfo, streamer, video, comments). */
export function vodChat(): object {
  return {
    FileInfo: {
      Version: { Major: 1, Minor: 4, Patch: 0 },
      CreatedAt: iso(VOD_CREATED_AT_MS + 86_400_000),
      UpdatedAt: "0001-01-01T00:00:00",
    },
    streamer: { name: streamer.name, login: CHANNEL, id: Number(PEPEL_ID) },
    video: {
      title: VOD_TITLE,
      description: null,
      id: VOD_ID,
      created_at: iso(VOD_CREATED_AT_MS),
      start: 0,
      end: VOD_S,
      length: VOD_S,
      viewCount: 1204,
      game: GAME,
      chapters: scenes.map(({ fromMs, title }, i) => ({
        id: `${VOD_ID}-${i}`,
        startMilliseconds: fromMs,
        lengthMilliseconds: (scenes[i + 1]?.fromMs ?? PERIOD_MS) - fromMs,
        _type: "GAME_CHANGE",
        description: title,
        subDescription: "",
        thumbnailUrl: "",
        gameId: null,
        gameDisplayName: GAME,
        gameBoxArtUrl: "",
      })),
    },
    comments: vodMessages().map(commentOf),
    embeddedData: null,
  };
}

function commentOf(message: VodMessage): object {
  return {
    _id: message.id,
    created_at: message.createdAt,
    channel_id: message.channelId,
    content_type: "video",
    content_id: VOD_ID,
    // Twitch gives whole seconds.
    content_offset_seconds: Math.floor(message.atMs / 1000),
    commenter: {
      display_name: message.name,
      _id: message.userId,
      name: message.login,
      bio: null,
      created_at: "2019-05-01T10:00:00Z",
      updated_at: "0001-01-01T00:00:00",
      logo: null,
    },
    message: {
      body: message.text,
      bits_spent: message.bits,
      is_action: message.action,
      fragments: message.fragments.map(({ text, emote }) => ({
        text,
        emoticon: emote === null ? null : { emoticon_id: emote },
      })),
      user_badges: message.badges.map(({ id, version }) => ({ _id: id, version })),
      user_color: message.color,
      emoticons: emoticonsOf(message.fragments),
    },
  };
}

function emoticonsOf(fragments: readonly Fragment[]): object[] {
  let at = 0;
  return fragments.flatMap(({ text, emote }) => {
    const begin = at;
    at += text.length;
    return emote === null ? [] : [{ _id: emote, begin, end: at - 1 }];
  });
}
