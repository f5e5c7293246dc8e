import { BROOK_ID, FERN_ID, PEPEL_ID } from "./chatters.ts";
import { emotes, lateEmote, type Emote, type Provider } from "./emotes.ts";
import type { Faults } from "./faults.ts";
import type { Answer } from "./answer.ts";
import { hash32 } from "./random.ts";
import { positionAt } from "./schedule.ts";
import { LATE_EMOTE } from "./world.ts";

/** Rooms that the emote services know. */
const ROOMS: Readonly<Record<string, string>> = {
  [PEPEL_ID]: "pepel_lamp",
  [FERN_ID]: "nightfern",
  [BROOK_ID]: "tihiy_ruchey",
};

/** Whether the moderators' new emote is in the set just now. */
export function lateEmoteIsThere(nowMs: number): boolean {
  const { atMs } = positionAt(nowMs);
  return atMs >= LATE_EMOTE.addedAtMs || atMs < LATE_EMOTE.removedAtMs;
}

function setOf(
  provider: Exclude<Provider, "twitch">,
  channel: string | null,
  faults: Faults,
  nowMs: number,
): Emote[] {
  const set = emotes.filter((emote) => emote.provider === provider && emote.channel === channel);
  if (provider === "7tv" && channel === "pepel_lamp" && lateEmoteIsThere(nowMs)) set.push(lateEmote);
  const extra = channel === null ? 0 : (faults.extraEmotes.get(provider) ?? 0);
  for (let i = 0; i < extra; i++)
    set.push({
      name: `extra${i}`,
      provider,
      id: provider === "ffz" ? String(5_000_000 + i) : i.toString(16).padStart(24, "f"),
      channel,
      mood: null,
      face: "heart",
    });
  return set;
}

const notFound = (json: object): Answer => ({ status: 404, json });

/** GET /bttv/3/cached/… */
export function bttv(path: string, faults: Faults, nowMs: number): Answer {
  const emote = ({ id, name }: Emote): object => ({
    id,
    code: name,
    imageType: "png",
    animated: false,
    userId: "5aaa1111bbbb2222cccc3333",
  });
  if (path === "emotes/global") return { status: 200, json: setOf("bttv", null, faults, nowMs).map(emote) };
  const channel = ROOMS[/^users\/twitch\/(\d+)$/.exec(path)?.[1] ?? ""];
  if (channel === undefined) return notFound({ message: "user not found" });
  const set = setOf("bttv", channel, faults, nowMs);
  const shared = set.slice(0, 1).map((one) => ({
    ...emote(one),
    user: {
      id: "5aaa1111bbbb2222cccc3333",
      name: "lampmaker",
      displayName: "lampmaker",
      providerId: "120044556",
    },
  }));
  return {
    status: 200,
    json: {
      id: "5e0f1a2b3c4d5e6f70819203",
      bots: ["moobot", "nightbot"],
      avatar: "",
      channelEmotes: set.slice(1).map(emote),
      sharedEmotes: shared,
    },
  };
}

/** GET /ffz/v1/… */
export function ffz(path: string, origin: string, faults: Faults, nowMs: number): Answer {
  const emoticon = ({ id, name }: Emote): object => ({
    id: Number(id),
    name,
    height: 28,
    width: 28,
    public: true,
    hidden: false,
    modifier: false,
    modifier_flags: 0,
    offset: null,
    margins: null,
    css: null,
    owner: { _id: 1, name: "lampmaker", display_name: "lampmaker" },
    artist: null,
    urls: Object.fromEntries([1, 2, 4].map((size) => [size, `${origin}/ffz/emote/${id}/${size}`])),
    status: 1,
    usage_count: 1,
    created_at: "2019-01-01T00:00:00.000Z",
    last_updated: "2019-01-01T00:00:00.000Z",
  });
  const setBody = (id: number, title: string, set: readonly Emote[]): object => ({
    [id]: { id, _type: 1, icon: null, title, css: null, emoticons: set.map(emoticon) },
  });
  if (path === "set/global")
    return {
      status: 200,
      json: {
        default_sets: [3],
        sets: setBody(3, "Global Emotes", setOf("ffz", null, faults, nowMs)),
        users: {},
      },
    };
  const twitchId = /^room\/id\/(\d+)$/.exec(path)?.[1] ?? "";
  const channel = ROOMS[twitchId];
  if (channel === undefined) return notFound({ status: 404, error: "Not Found", message: "No such room" });
  const set = 100_000 + (hash32(channel) % 900_000);
  const room = {
    _id: set,
    twitch_id: Number(twitchId),
    youtube_id: null,
    id: channel,
    is_group: false,
    display_name: channel,
    set,
    moderator_badge: null,
    vip_badge: null,
    mod_urls: null,
    user_badges: {},
    user_badge_ids: {},
    css: null,
  };
  return {
    status: 200,
    json: { room, sets: setBody(set, `Channel: ${channel}`, setOf("ffz", channel, faults, nowMs)) },
  };
}

export const SEVENTV_SET = "64a0b1c2d3e4f5061728394a";
export const SEVENTV_USER = "60f1e2d3c4b5a69788796a5b";
const SEVENTV_ACTOR = {
  id: "61a1b2c3d4e5f60718293a4b",
  username: "dasha_risuet",
  display_name: "dasha_risuet",
  avatar_url: "",
  style: {},
  roles: [],
};
export const sevenTvActor = SEVENTV_ACTOR;

const ZERO_WIDTH = 1;
/** An emote as it stands in a set, with its files; `host` has no scheme, as 7TV writes it. */
export function sevenTvActiveEmote(emote: Emote, host: string): object {
  const flags = emote.zeroWidth === true ? ZERO_WIDTH : 0;
  const file = (name: string, format: string, scale: number): object => ({
    name: `${scale}x.${name}`,
    static_name: `${scale}x_static.${name}`,
    width: 32 * scale,
    height: 32 * scale,
    frame_count: 1,
    size: 400 * scale,
    format,
  });
  return {
    id: emote.id,
    name: emote.name,
    flags,
    timestamp: 1_672_506_026_185,
    actor_id: SEVENTV_ACTOR.id,
    data: {
      id: emote.id,
      name: emote.name,
      flags: flags === 0 ? 0 : 256,
      tags: [],
      lifecycle: 3,
      state: ["LISTED", "PERSONAL"],
      listed: true,
      animated: false,
      owner: SEVENTV_ACTOR,
      host: {
        url: `//${host}/7tv/emote/${emote.id}`,
        files: [1, 2, 3, 4].flatMap((scale) => [file("avif", "AVIF", scale), file("webp", "WEBP", scale)]),
      },
    },
  };
}

/** GET /7tv/v3/… */
export function sevenTv(path: string, host: string, faults: Faults, nowMs: number): Answer {
  const set = (id: string, name: string, members: readonly Emote[]): object => ({
    id,
    name,
    flags: 0,
    tags: [],
    immutable: false,
    privileged: false,
    emotes: members.map((emote) => sevenTvActiveEmote(emote, host)),
    emote_count: members.length,
    capacity: 1000,
    owner: SEVENTV_ACTOR,
  });
  const own = (): object => set(SEVENTV_SET, "лампа", setOf("7tv", "pepel_lamp", faults, nowMs));
  if (path === "emote-sets/global")
    return {
      status: 200,
      json: set("62cdd34e72a832540de95857", "7TV Global", setOf("7tv", null, faults, nowMs)),
    };
  if (path === `emote-sets/${SEVENTV_SET}`) return { status: 200, json: own() };
  const twitchId = /^users\/twitch\/(\d+)$/.exec(path)?.[1] ?? "";
  if (twitchId !== PEPEL_ID)
    return notFound({ status_code: 404, status: "Not Found", error: "Unknown User", error_code: 70_442 });
  const user = {
    id: SEVENTV_USER,
    username: "pepel_lamp",
    display_name: "pepel_lamp",
    created_at: 1_622_031_401_000,
    avatar_url: "",
    style: {},
    roles: [],
  };
  return {
    status: 200,
    json: {
      id: twitchId,
      platform: "TWITCH",
      username: "pepel_lamp",
      display_name: "pepel_lamp",
      linked_at: 1_622_031_401_000,
      emote_capacity: 1000,
      emote_set_id: null,
      emote_set: own(),
      user,
    },
  };
}
