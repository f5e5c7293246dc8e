import { scriptedDeeds } from "./scripted-deeds.ts";
import { chatLinesOf, OPEN_ROOM, roomTags, type Deed, type HeldLine, type RoomSettings } from "./deeds.ts";
import { channels, newcomers, whoHasId, type Moderators, type Who } from "./directory.ts";
import { ANCHOR_MS, isScripted, messageOf, positionAt } from "./schedule.ts";
import { PERIOD_MS } from "./world.ts";

/** Twitch lets a line be deleted for six hours. */
export const DELETABLE_MS = 6 * 3_600_000;
/** What AutoMod holds and nobody looks at. */
const HELD_MS = 5 * 60_000;
const TICK_MS = 25;
/** What was missed while the process slept longer than this is gone. */
const CATCH_UP_MS = 5_000;

export interface Ban {
  readonly target: Who;
  readonly by: Who;
  readonly reason: string;
  readonly atMs: number;
  /** Null: for good, which here is the end of the run: whoever was banned would be missing from the next one. */
  readonly untilMs: number | null;
}

interface Room {
  readonly channel: Who;
  settings: RoomSettings;
  shield: boolean;
  readonly bans: Map<string, Ban>;
  readonly deleted: Set<string>;
  readonly held: Map<string, { readonly line: HeldLine; status: "held" | "approved" | "denied" | "expired" }>;
  readonly wroteAtMs: Map<string, number>;
}

export interface RoomsOptions {
  readonly now: () => number;
  readonly moderators: Moderators;
  /** False: its own people do nothing; what is done, a test asks for. */
  readonly acting: boolean;
}

/** What moderation has made of the rooms. Its own people act by the script; whoever signed in acts through the API; both the same way. */
export class Rooms {
  private readonly rooms = new Map<string, Room>(
    [...channels.values()].map((channel) => [
      channel.userId,
      {
        channel,
        settings: OPEN_ROOM,
        shield: false,
        bans: new Map(),
        deleted: new Set(),
        held: new Map(),
        wroteAtMs: new Map(),
      },
    ]),
  );
  private readonly listeners = new Set<(deed: Deed, scripted: boolean) => void>();
  private readonly now: () => number;
  private readonly moderators: Moderators;
  private readonly acting: boolean;
  private readonly timer: NodeJS.Timeout;
  private doneUntilMs: number;

  constructor({ now, moderators, acting }: RoomsOptions) {
    this.now = now;
    this.moderators = moderators;
    this.acting = acting;
    this.doneUntilMs = now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** `scripted`: chat tells it by itself, with the script. */
  onDeed(listener: (deed: Deed, scripted: boolean) => void): void {
    this.listeners.add(listener);
  }

  has(channelId: string): boolean {
    return this.rooms.has(channelId);
  }

  settings(channelId: string): RoomSettings {
    return this.rooms.get(channelId)?.settings ?? OPEN_ROOM;
  }

  /** What ROOMSTATE says to whoever joins. */
  tags(channelId: string): Record<string, string> {
    return roomTags(this.settings(channelId));
  }

  shield(channelId: string): boolean {
    return this.rooms.get(channelId)?.shield ?? false;
  }

  ban(channelId: string, userId: string): Ban | null {
    const ban = this.rooms.get(channelId)?.bans.get(userId);
    if (ban === undefined) return null;
    const nowMs = this.now();
    const untilMs = ban.untilMs ?? ANCHOR_MS + (positionAt(ban.atMs).loop + 1) * PERIOD_MS;
    return nowMs < untilMs ? ban : null;
  }

  bans(channelId: string): Ban[] {
    return [...(this.rooms.get(channelId)?.bans.keys() ?? [])].flatMap(
      (userId) => this.ban(channelId, userId) ?? [],
    );
  }

  held(channelId: string, messageId: string): { readonly line: HeldLine; readonly status: string } | null {
    return this.rooms.get(channelId)?.held.get(messageId) ?? null;
  }
  /** In whichever channel. */
  heldIn(messageId: string): string | null {
    return [...this.rooms].find(([, room]) => room.held.has(messageId))?.[0] ?? null;
  }

  /** A line that was written here no longer than six hours ago and is still there. */
  line(channelId: string, messageId: string): { readonly author: Who; readonly text: string } | null {
    const room = this.rooms.get(channelId);
    if (room === undefined || room.deleted.has(messageId) || !isScripted(room.channel.login)) return null;
    // Looking through six hours of ids is for what may be one.
    if (!/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(messageId)) return null;
    const nowMs = this.now();
    const found = messageOf(room.channel.login, messageId, nowMs - DELETABLE_MS, nowMs);
    if (found !== null) return found;
    const held = room.held.get(messageId);
    return held?.status === "approved" ? { author: held.line.target, text: held.line.text } : null;
  }

  /** Somebody does something, now. */
  do(deed: Deed): void {
    this.take(deed, false);
  }

  /** Whether a line of the script is said, as the room is now: by nobody who is banned, and in slow mode not by everybody. */
  lets(channelId: string, line: string): boolean {
    const room = this.rooms.get(channelId);
    if (room === undefined || !/ PRIVMSG #/.test(line)) return true;
    const userId = /[@;]user-id=(\d+)/.exec(line)?.[1] ?? "";
    if (this.ban(channelId, userId) !== null) return false;
    const { settings, shield } = room;
    if (!shield && settings === OPEN_ROOM) return true;
    if (this.moderators.may(channelId, userId) || /[@;]vip=1/.test(line)) return true;
    const isNew = newcomers.has(userId) || /[@;]first-msg=1/.test(line);
    if (isNew && (shield || settings.followersMin !== null)) return false;
    if (settings.subscribers && !/[@;]subscriber=1/.test(line)) return false;
    if (settings.emoteOnly && !/[@;]emote-only=1/.test(line)) return false;
    const nowMs = this.now();
    const before = room.wroteAtMs.get(userId) ?? -Infinity;
    if (settings.slowS !== null && nowMs - before < settings.slowS * 1000) return false;
    room.wroteAtMs.set(userId, nowMs);
    return true;
  }

  private take(deed: Deed, scripted: boolean): void {
    const room = this.rooms.get(deed.channel.userId);
    if (room === undefined) return;
    switch (deed.action) {
      case "ban":
      case "timeout":
        room.bans.set(deed.target.userId, {
          target: deed.target,
          by: deed.by ?? deed.channel,
          reason: deed.reason,
          atMs: deed.atMs,
          untilMs: deed.action === "timeout" ? deed.atMs + deed.durationS * 1000 : null,
        });
        break;
      case "unban":
      case "untimeout":
        room.bans.delete(deed.target.userId);
        break;
      case "delete":
        room.deleted.add(deed.messageId);
        break;
      case "settings":
        // The script's people keep to its slow mode by themselves.
        if (scripted) break;
        room.settings = sameAsOpen(deed.after) ? OPEN_ROOM : deed.after;
        if (room.settings.slowS === null) room.wroteAtMs.clear();
        break;
      case "shield":
        room.shield = deed.on;
        break;
      case "hold":
        room.held.set(deed.line.messageId, { line: deed.line, status: "held" });
        break;
      case "decide": {
        const held = room.held.get(deed.line.messageId);
        // Somebody was quicker than the script.
        if (held !== undefined && held.status !== "held") return;
        room.held.set(deed.line.messageId, { line: deed.line, status: deed.status });
        break;
      }
      default:
    }
    for (const listener of this.listeners) listener(deed, scripted);
  }

  private tick(): void {
    const nowMs = this.now();
    const fromMs = Math.max(this.doneUntilMs, nowMs - CATCH_UP_MS);
    this.doneUntilMs = Math.max(nowMs, this.doneUntilMs);
    if (fromMs >= nowMs) return;
    if (this.acting) for (const deed of scriptedDeeds(fromMs, nowMs)) this.take(deed, true);
    for (const room of this.rooms.values())
      for (const [messageId, { line, status }] of room.held) {
        if (nowMs - line.heldAtMs < HELD_MS) continue;
        if (status === "held")
          this.do({
            channel: room.channel,
            atMs: nowMs,
            by: null,
            action: "decide",
            line,
            status: "expired",
          });
        else if (nowMs - line.heldAtMs > DELETABLE_MS) room.held.delete(messageId);
      }
  }
}

const sameAsOpen = (settings: RoomSettings): boolean =>
  JSON.stringify(roomTags(settings)) === JSON.stringify(roomTags(OPEN_ROOM));

/** Chat's lines of what was done through the API. */
export function tellChat(
  rooms: Rooms,
  say: (login: string, lines: readonly string[]) => void,
  shiftMs: () => number,
): void {
  rooms.onDeed((deed, scripted) => {
    // The script has no line for what AutoMod let through.
    if (!scripted || deed.action === "decide") say(deed.channel.login, chatLinesOf(deed, shiftMs()));
  });
}

export const isGoneOrUnknown = (userId: string, gone: ReadonlySet<string>): boolean =>
  gone.has(userId) || whoHasId(userId) === null;
