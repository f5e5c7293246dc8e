import { moobot } from "./chatters.ts";
import { OPEN_ROOM, type Deed, type HeldLine } from "./deeds.ts";
import { channels, type Who } from "./directory.ts";
import { ANCHOR_MS, ROOMS } from "./schedule.ts";
import type { ChatEvent } from "./chat-event.ts";
import { scriptedChannels, streamAt } from "./stream.ts";
import { idOf, spoken } from "./wire.ts";

/** What the script's own moderators and AutoMod do in [fromMs, toMs) of the wall clock, over all channels. */
export function* scriptedDeeds(fromMs: number, toMs: number): Generator<Deed> {
  for (const login of scriptedChannels) {
    const channel = channels.get(ROOMS[login]);
    if (channel === undefined) continue;
    for (const { event, loop, atMs } of streamAt(login, fromMs - ANCHOR_MS, toMs - ANCHOR_MS)) {
      const deed = deedOf(event, channel, loop, ANCHOR_MS + atMs);
      if (deed !== null) yield deed;
    }
  }
}

function deedOf(event: ChatEvent, channel: Who, loop: number, atMs: number): Deed | null {
  const idIn = (n: number): string => idOf(channel.login, loop, n);
  switch (event.type) {
    case "timeout":
    case "ban":
    case "delete": {
      const { who: target } = event.target;
      const base = { channel, atMs, by: event.by, target };
      if (event.type === "ban") return { ...base, action: "ban", reason: event.reason };
      if (event.type === "timeout")
        return { ...base, action: "timeout", reason: event.reason, durationS: event.durationS };
      return {
        ...base,
        action: "delete",
        messageId: idIn(event.target.n),
        text: spoken(event.target.text, loop),
      };
    }
    case "warn":
      return { channel, atMs, by: event.by, action: "warn", target: event.target.who, reason: event.reason };
    case "hold": {
      const line: HeldLine = {
        messageId: idIn(event.n),
        target: event.who,
        text: event.text,
        category: event.category,
        level: event.level,
        span: event.span,
        heldAtMs: atMs,
      };
      return { channel, atMs, by: null, action: "hold", line };
    }
    case "decide": {
      const { held } = event;
      const line: HeldLine = {
        messageId: idIn(held.n),
        target: held.who,
        text: held.text,
        category: held.category,
        level: held.level,
        span: held.span,
        heldAtMs: atMs - (event.atMs - held.atMs),
      };
      return { channel, atMs, by: event.by, action: "decide", line, status: event.status };
    }
    case "suspicious":
      return {
        channel,
        atMs,
        by: null,
        action: "suspicious",
        target: event.target.who,
        messageId: idIn(event.target.n),
        text: spoken(event.target.text, loop),
        status: "active_monitoring",
        types: ["ban_evader_detector"],
        evasion: "likely",
      };
    case "unban_request":
      return {
        channel,
        atMs,
        by: null,
        action: "unban_request",
        target: event.who,
        request: idIn(event.n),
        text: event.text,
      };
    case "room": {
      const slowS = Number(event.tags["slow"] ?? 0);
      const slow = { ...OPEN_ROOM, slowS: slowS === 0 ? null : slowS };
      const [before, after] = slowS === 0 ? [{ ...OPEN_ROOM, slowS: 3 }, slow] : [OPEN_ROOM, slow];
      return { channel, atMs, by: moobot, action: "settings", before, after };
    }
    case "message":
    case "notice":
      return null;
  }
}
