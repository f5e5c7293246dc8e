import type { Answer } from "./answer.ts";
import { channels, whoIs, type Moderators, type Who } from "./directory.ts";
import type { EventSubServer } from "./eventsub.ts";
import { DEMO_PROVIDERS, MODERATION_FAULTS, noFaults, type DemoProvider, type Faults } from "./faults.ts";
import type { Helix } from "./helix.ts";
import type { Grants } from "./grants.ts";
import type { Irc } from "./irc.ts";
import type { Rooms } from "./rooms.ts";
import { positionAt } from "./schedule.ts";
import type { SevenTvEvents } from "./seventv-events.ts";
import { PLAYLIST_FAULTS, SEGMENT_FAULTS, type VideoFault } from "./video/faults.ts";
import type { Hls } from "./video/hls.ts";
import type { Studio } from "./video/studio.ts";
import { events, sceneAt } from "./world.ts";

export interface Controlled {
  readonly irc: Irc;
  readonly helix: Helix;
  readonly events7tv: SevenTvEvents;
  readonly faults: Faults;
  readonly video: Hls;
  readonly studio: Studio | null;
  readonly eventSub: EventSubServer;
  readonly grants: Grants;
  readonly rooms: Rooms;
  readonly moderators: Moderators;
  readonly now: () => number;
}

/** GET /control: where the stream is, what the servers have seen, what is broken on purpose. */
export function controlState(demo: Controlled): object {
  const { irc, helix, events7tv, faults, video, studio, now, eventSub, grants, rooms } = demo;
  const { loop, atMs } = positionAt(now());
  const next = events.find(
    (event) => event.atMs > atMs && event.kind !== "jump" && event.kind !== "near_miss",
  );
  return {
    stream: {
      loop,
      atMs,
      scene: sceneAt(atMs).place,
      next: next === undefined ? null : { id: next.id, inMs: next.atMs - atMs },
    },
    irc: { ...irc.state(), ...irc.counts, linesByRoom: Object.fromEntries(irc.linesByRoom) },
    helix: helix.counts,
    signIn: grants.counts,
    eventSub: eventSub.state(),
    rooms: Object.fromEntries(
      [...channels.values()].map(({ userId, login }) => [
        login,
        { ...rooms.tags(userId), shield: rooms.shield(userId), banned: rooms.bans(userId).length },
      ]),
    ),
    sevenTvSessions: events7tv.sessions(),
    video: { channels: video.state(), rendered: studio?.state() ?? null },
    faults: {
      ...faults,
      providers: Object.fromEntries(faults.providers),
      extraEmotes: Object.fromEntries(faults.extraEmotes),
      images: Object.fromEntries(faults.images),
      channels: Object.fromEntries(faults.channels),
      gone: [...faults.gone],
    },
    actions: Object.keys(actions),
  };
}

type Body = Readonly<Record<string, unknown>>;
/** A wrong field: its name and what it should be. */
class BadField extends Error {}
const number = (body: Body, field: string, otherwise: number): number => {
  const value = body[field] ?? otherwise;
  if (typeof value !== "number" || !Number.isFinite(value)) throw new BadField(`${field} must be a number`);
  return value;
};
const text = (body: Body, field: string, otherwise?: string): string => {
  const value = body[field] ?? otherwise;
  if (typeof value !== "string") throw new BadField(`${field} must be a text`);
  return value;
};
const oneOf = <Choice extends string>(body: Body, field: string, choices: readonly Choice[]): Choice => {
  const value = text(body, field);
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new BadField(`${field} must be one of ${choices.join(", ")}`);
  return found;
};
const person = (body: Body, field: string, otherwise?: string): Who => {
  const login = text(body, field, otherwise);
  const who = whoIs(login);
  if (who === null) throw new BadField(`nobody is called ${login}`);
  return who;
};
const OFF = "ok" as const;

const actions: Readonly<Record<string, (demo: Controlled, body: Body) => void>> = {
  drop: ({ irc }) => irc.drop(),
  freeze: ({ faults, now }, body) => void (faults.frozenUntilMs = now() + number(body, "forMs", 30_000)),
  reconnect: ({ irc }, body) => irc.reconnect(number(body, "graceMs", 2_000)),
  inject({ irc }, body) {
    const { lines } = body;
    if (lines !== undefined && !(Array.isArray(lines) && lines.every((line) => typeof line === "string")))
      throw new BadField("lines must be a list of texts");
    irc.inject(text(body, "channel", "pepel_lamp"), lines);
  },
  clock: ({ faults }, body) => void (faults.clockShiftMs = number(body, "shiftMs", 0)),
  login: ({ faults }, body) => void (faults.refuseLogin = oneOf(body, "mode", ["refuse", OFF]) === "refuse"),
  channel({ irc, faults }, body) {
    const channel = text(body, "channel").toLowerCase();
    const mode = oneOf(body, "mode", ["suspended", "banned", "renamed", "silent", OFF]);
    if (mode === OFF) return void faults.channels.delete(channel);
    faults.channels.set(channel, mode);
    if (mode !== "silent") irc.evict(channel);
  },
  provider({ faults, now }, body) {
    const provider = oneOf<DemoProvider>(body, "provider", DEMO_PROVIDERS);
    const mode = oneOf(body, "mode", ["down", "error", "slow", "garbage", OFF]);
    if (mode === OFF) return void faults.providers.delete(provider);
    faults.providers.set(provider, {
      mode,
      untilMs: now() + number(body, "forMs", 3_600_000),
      slowMs: number(body, "slowMs", 20_000),
    });
  },
  emotes: ({ faults }, body) =>
    void faults.extraEmotes.set(
      oneOf<DemoProvider>(body, "provider", ["bttv", "ffz", "7tv"]),
      number(body, "extra", 10_000),
    ),
  image({ faults }, body) {
    const id = text(body, "id");
    const mode = oneOf(body, "mode", ["huge", "html", "missing", "truncated", OFF]);
    if (mode === OFF) faults.images.delete(id);
    else faults.images.set(id, mode);
  },
  seventv: ({ events7tv }, body) => {
    const mode = oneOf(body, "mode", ["add", "remove", "reconnect"]);
    if (mode === "reconnect") return events7tv.reconnect();
    events7tv.change(mode === "add" ? "pushed" : "pulled", {
      id: text(body, "id", "64f0a1b2c3d4e5f6071829ff"),
      name: text(body, "name", "newEmote"),
    });
  },
  tokens: ({ helix }) => helix.revokeTokens(),
  /** A person takes back what they allowed; EventSub ends what was heard in their name. */
  disconnect({ grants, eventSub }, body) {
    const who = person(body, "login");
    grants.revokeAll(who.userId);
    eventSub.revoke(({ userId }) => userId === who.userId, "authorization_revoked");
  },
  /** Access tokens that are given from now on live so long. */
  tokenlife: ({ grants }, body) => void (grants.accessS = number(body, "seconds", 14_400)),
  /** `{"login":"dasha_risuet","channel":"pepel_lamp","on":false}`: a role is taken away, or given. */
  moderator({ moderators, eventSub }, body) {
    const who = person(body, "login");
    const channel = person(body, "channel", "pepel_lamp");
    const on = body["on"] === true;
    moderators.set(channel.userId, who.userId, on);
    if (!on) eventSub.revoke(({ userId }) => userId === who.userId, "moderator_removed");
  },
  /** An account is gone from Twitch, or back. */
  gone({ faults }, body) {
    const { userId } = person(body, "login");
    if (body["on"] === false) faults.gone.delete(userId);
    else faults.gone.add(userId);
  },
  /** The next `count` calls that change something. */
  moderation({ faults }, body) {
    const mode = oneOf(body, "mode", [...MODERATION_FAULTS, OFF]);
    faults.moderation =
      mode === OFF
        ? null
        : { mode, count: number(body, "count", 1), resetMs: number(body, "resetMs", 3_000) };
  },
  eventsub({ eventSub, rooms, now }, body) {
    const mode = oneOf(body, "mode", [
      ...["reconnect", "drop", "silence", "revoke", "duplicate", "once", "forged", "refuse", "burst"],
    ]);
    switch (mode) {
      case "reconnect":
        return eventSub.reconnect(number(body, "graceMs", 30_000));
      case "drop":
        return eventSub.drop();
      case "silence":
        return void (eventSub.faults.silentUntilMs = now() + number(body, "forMs", 30_000));
      case "revoke": {
        const type = text(body, "type", "");
        const status = text(body, "status", "authorization_revoked");
        return void eventSub.revoke((one) => type === "" || one.type === type, status);
      }
      case "duplicate":
      case "once":
        return void (eventSub.faults.duplicate = mode === "duplicate");
      case "forged":
        return eventSub.forge();
      case "refuse": {
        const status = number(body, "status", 403);
        if (status !== 403 && status !== 429 && status !== 500)
          throw new BadField("status must be 403, 429 or 500");
        return void (eventSub.faults.refuse = { status, count: number(body, "count", 1) });
      }
      default: {
        const channel = person(body, "channel", "pepel_lamp");
        const target = person(body, "login", "zloy_tapok228");
        for (let i = 0; i < Math.min(500, number(body, "count", 100)); i++)
          rooms.do({
            ...{ channel, target, by: channel, atMs: now(), reason: `burst ${i}` },
            ...{ action: "timeout", durationS: 60 + 10 * i },
          });
      }
    }
  },
  /** `{"login":"pepel_lamp","fault":"segments","mode":"missing","count":2}`, and so on for each `VideoFault`. */
  video({ video }, body) {
    const login = text(body, "login", "pepel_lamp");
    if (!video.logins.includes(login)) throw new BadField(`login must be one of ${video.logins.join(", ")}`);
    video.fault(login, videoFault(body));
  },
  reset: ({ faults, video, eventSub }) => {
    for (const login of video.logins) video.fault(login, { fault: "ok" });
    const none = noFaults();
    faults.frozenUntilMs = none.frozenUntilMs;
    faults.clockShiftMs = none.clockShiftMs;
    faults.refuseLogin = none.refuseLogin;
    faults.moderation = none.moderation;
    faults.gone.clear();
    eventSub.faults.silentUntilMs = 0;
    eventSub.faults.duplicate = false;
    eventSub.faults.refuse.count = 0;
    for (const map of [faults.providers, faults.extraEmotes, faults.images, faults.channels]) map.clear();
  },
};

function videoFault(body: Body): VideoFault {
  const fault = oneOf(body, "fault", ["segments", "playlist", "pdt-jump", "restart", "end", OFF]);
  switch (fault) {
    case "segments":
      return {
        fault,
        mode: oneOf(body, "mode", SEGMENT_FAULTS),
        count: number(body, "count", 1),
        slowMs: number(body, "slowMs", 8_000),
      };
    case "playlist":
      return {
        fault,
        mode: oneOf(body, "mode", PLAYLIST_FAULTS),
        forMs: number(body, "forMs", 15_000),
        slowMs: number(body, "slowMs", 8_000),
      };
    case "pdt-jump":
      return { fault, shiftMs: number(body, "shiftMs", 60_000) };
    default:
      return { fault };
  }
}

/** POST /control/<fault> with a JSON body. */
export function control(demo: Controlled, name: string, json: string): Answer {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined)
    return {
      status: 404,
      json: { error: `no fault "${name}"; there are ${Object.keys(actions).join(", ")}` },
    };
  try {
    const body: unknown = json.trim() === "" ? {} : JSON.parse(json);
    if (typeof body !== "object" || body === null || Array.isArray(body))
      throw new BadField("the body must be a JSON object");
    action(demo, body as Body);
    return { status: 200, json: controlState(demo) };
  } catch (error) {
    if (error instanceof BadField || error instanceof SyntaxError)
      return { status: 400, json: { error: error.message } };
    throw error;
  }
}
