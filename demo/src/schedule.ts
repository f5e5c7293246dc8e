import { audience, BROOK_ID, FERN_ID, PEPEL_ID, type Chatter } from "./chatters.ts";
import { uuidOf } from "./random.ts";
import type { Said } from "./chat-event.ts";
import { scriptOf, scriptedChannels, streamAt, type ScriptedChannel } from "./stream.ts";
import { emotesTag, idOf, linesOf, spoken, tagLine } from "./wire.ts";
import { PERIOD_MS, SHARED_CHAT } from "./world.ts";

/** The stream's loops are counted from here, so that a restart goes on where the clock is. A whole number of loops since 1970. */
export const ANCHOR_MS = Math.floor(Date.UTC(2026, 0, 1) / PERIOD_MS) * PERIOD_MS;

export interface RawLine {
  readonly atMs: number;
  readonly line: string;
}

export const ROOMS: Readonly<Record<ScriptedChannel, string>> = {
  pepel_lamp: PEPEL_ID,
  nightfern: FERN_ID,
  tihiy_ruchey: BROOK_ID,
};
const SHARING: readonly ScriptedChannel[] = ["pepel_lamp", "nightfern"];
const isShared = (streamMs: number): boolean => {
  const ms = ((streamMs % PERIOD_MS) + PERIOD_MS) % PERIOD_MS;
  return ms >= SHARED_CHAT.fromMs && ms < SHARED_CHAT.toMs;
};

/** Ids of a loop's lines: made when one is asked for. */
const ids = new Map<string, ReadonlyMap<string, Said>>();
const KEPT_LOOPS = 30;
function idsOf(channel: ScriptedChannel, loop: number): ReadonlyMap<string, Said> {
  const key = `${channel} ${loop}`;
  const known = ids.get(key);
  if (known !== undefined) return known;
  const made = new Map(
    scriptOf(channel).flatMap((event) =>
      event.type === "message" ? [[idOf(channel, loop, event.n), event] as const] : [],
    ),
  );
  ids.set(key, made);
  const oldest = ids.keys().next().value;
  if (ids.size > KEPT_LOOPS && oldest !== undefined) ids.delete(oldest);
  return made;
}

/** The line with this id, if the channel's script said it in [fromMs, toMs) of the wall clock. */
export function messageOf(
  channel: ScriptedChannel,
  id: string,
  fromMs: number,
  toMs: number,
): { readonly author: Chatter; readonly text: string } | null {
  for (let loop = positionAt(toMs).loop; loop >= positionAt(fromMs).loop; loop--) {
    const said = idsOf(channel, loop).get(id);
    if (said === undefined) continue;
    const atMs = ANCHOR_MS + loop * PERIOD_MS + said.atMs;
    return atMs >= fromMs && atMs < toMs ? { author: said.who, text: spoken(said.text, loop) } : null;
  }
  return null;
}

export const isScripted = (channel: string): channel is ScriptedChannel =>
  (scriptedChannels as readonly string[]).includes(channel);

/**
 * Raw IRC lines with all tags that the room heard, or will hear, in [fromMs, toMs) of the wall clock, in order.
 * `shiftMs` is added to tmi-sent-ts (a server whose clock is wrong).
 */
export function linesBetween(channel: ScriptedChannel, fromMs: number, toMs: number, shiftMs = 0): RawLine[] {
  const lines: RawLine[] = [];
  for (const origin of scriptedChannels) {
    const foreign = origin !== channel;
    if (foreign && !(SHARING.includes(origin) && SHARING.includes(channel))) continue;
    for (const { event, loop, atMs } of streamAt(origin, fromMs - ANCHOR_MS, toMs - ANCHOR_MS)) {
      const shared = SHARING.includes(origin) && isShared(atMs);
      if (foreign && !shared) continue;
      const wallMs = ANCHOR_MS + atMs;
      const heard = {
        channel,
        roomId: ROOMS[channel],
        loop,
        sentAtMs: wallMs + shiftMs,
        source: shared ? { channel: origin, roomId: ROOMS[origin] } : null,
      };
      for (const line of linesOf(event, heard)) lines.push({ atMs: wallMs, line });
    }
  }
  return lines.sort((a, b) => a.atMs - b.atMs);
}

/** The past of all channels as one sorted list: what a fresh data folder is seeded with. */
export function pastLines(fromMs: number, toMs: number): RawLine[] {
  return scriptedChannels
    .flatMap((channel) => linesBetween(channel, fromMs, toMs))
    .sort((a, b) => a.atMs - b.atMs);
}

const FLOOD = /^flood_(\d{1,6})$/;
/** Lines per second that a channel's name asks for (`flood_35000`); null: no such channel. */
export function floodRate(channel: string): number | null {
  const rate = Number(FLOOD.exec(channel)?.[1] ?? 0);
  return rate >= 1 && rate <= 200_000 ? rate : null;
}
export const floodRoomId = (rate: number): string => String(900_000_000 + rate);

/** Line `k` of a flood is due at `ANCHOR_MS + k · 1000 / rate`: no client can lose one without its number missing. */
export const floodDue = (rate: number, nowMs: number): number =>
  Math.floor(((nowMs - ANCHOR_MS) * rate) / 1000);

/** Everything of a flood line but id and time is prepared once: the server must not be what is measured. */
const templates = new Map<number, readonly (readonly [string, string, string])[]>();
function floodTemplates(rate: number): readonly (readonly [string, string, string])[] {
  const known = templates.get(rate);
  if (known !== undefined) return known;
  const channel = `flood_${rate}`;
  const made = scriptOf("pepel_lamp")
    .filter((event): event is Said => event.type === "message" && !event.action && event.replyTo === null)
    .slice(0, 4096)
    .map((event, i) => {
      const who = audience[i % audience.length] ?? event.who;
      const text = spoken(event.text, 0);
      const { tag } = emotesTag(text);
      const tags = tagLine({
        "badge-info": who.badgeInfo,
        badges: who.badges,
        color: who.color,
        "display-name": who.name,
        emotes: tag,
        "first-msg": "0",
        flags: "",
        id: "\u0001",
        mod: "0",
        "returning-chatter": "0",
        "room-id": floodRoomId(rate),
        subscriber: who.subscriber ? "1" : "0",
        "tmi-sent-ts": "\u0002",
        turbo: "0",
        "user-id": who.userId,
        "user-type": "",
      });
      const line = `${tags} :${who.login}!${who.login}@${who.login}.tmi.twitch.tv PRIVMSG #${channel} :${text}`;
      const [head = "", rest = ""] = line.split("\u0001");
      const [middle = "", tail = ""] = rest.split("\u0002");
      return [head, middle, tail] as const;
    });
  templates.set(rate, made);
  return made;
}

const FLOOD_ID_TAIL = uuidOf("flood").slice(8, 24);
/** Lines [fromK, toK) of a flood, each ended by CRLF, `perFrame` lines a text. The id begins and ends with `k`. */
export function* floodFrames(
  rate: number,
  fromK: number,
  toK: number,
  perFrame: number,
  shiftMs = 0,
): Generator<{ text: string; lines: number }> {
  const made = floodTemplates(rate);
  for (let k = fromK; k < toK;) {
    const end = Math.min(toK, k + perFrame);
    let text = "";
    const lines = end - k;
    for (; k < end; k++) {
      const [head, middle, tail] = made[k % made.length] ?? ["", "", ""];
      const number = k.toString(16).padStart(20, "0");
      text += `${head}${number.slice(0, 8)}${FLOOD_ID_TAIL}${number.slice(8)}${middle}${ANCHOR_MS + Math.floor((k * 1000) / rate) + shiftMs}${tail}\r\n`;
    }
    yield { text, lines };
  }
}

/** Where the loop is: for the stream's title, the control page and later the video. */
export const positionAt = (nowMs: number): { loop: number; atMs: number } => {
  const streamMs = nowMs - ANCHOR_MS;
  const loop = Math.floor(streamMs / PERIOD_MS);
  return { loop, atMs: streamMs - loop * PERIOD_MS };
};
