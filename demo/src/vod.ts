import { PEPEL_ID, streamer } from "./chatters.ts";
import { emoteByName } from "./emotes.ts";
import { scriptOf, type Said } from "./stream.ts";
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

/**
 * One loop as a finished stream's chat, in the form that TwitchDownloader saves (its `ChatRoot`: FileInfo, streamer, video, comments). What a
 * moderator removed is not in it, as with Twitch; neither are raids and gifts, which were no messages.
 */
export function vodChat(): object {
  const removed = new Set<Said>();
  for (const event of scriptOf(CHANNEL))
    if (event.type === "timeout" || event.type === "ban" || event.type === "delete")
      removed.add(event.target);
  const comments = scriptOf(CHANNEL).flatMap((event) =>
    event.type === "message" && !removed.has(event) && event.atMs >= 0 && event.atMs < PERIOD_MS
      ? [commentOf(event)]
      : [],
  );
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
    comments,
    embeddedData: null,
  };
}

function commentOf(said: Said): object {
  const { who, atMs, n, bits, action } = said;
  const text = spoken(said.text, LOOP);
  const fragments = fragmentsOf(text);
  return {
    _id: idOf(CHANNEL, LOOP, n),
    created_at: iso(VOD_CREATED_AT_MS + atMs),
    channel_id: PEPEL_ID,
    content_type: "video",
    content_id: VOD_ID,
    // Twitch gives whole seconds.
    content_offset_seconds: Math.floor(atMs / 1000),
    commenter: {
      display_name: who.name,
      _id: who.userId,
      name: who.login,
      bio: null,
      created_at: "2019-05-01T10:00:00Z",
      updated_at: "0001-01-01T00:00:00",
      logo: null,
    },
    message: {
      body: text,
      bits_spent: bits,
      is_action: action,
      fragments: fragments.map((fragment) => ({
        text: fragment.text,
        emoticon: fragment.emote === null ? null : { emoticon_id: fragment.emote },
      })),
      user_badges: who.badges
        .split(",")
        .filter((badge) => badge !== "")
        .map((badge) => {
          const [id, version] = badge.split("/");
          return { _id: id, version };
        }),
      user_color: who.color === "" ? null : who.color,
      emoticons: emoticonsOf(fragments),
    },
  };
}

interface Fragment {
  readonly text: string;
  readonly emote: string | null;
}

/** Twitch's own emotes are fragments; those of others are words. */
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

function emoticonsOf(fragments: readonly Fragment[]): object[] {
  let at = 0;
  return fragments.flatMap(({ text, emote }) => {
    const begin = at;
    at += text.length;
    return emote === null ? [] : [{ _id: emote, begin, end: at - 1 }];
  });
}
