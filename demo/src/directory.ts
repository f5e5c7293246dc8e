import {
  audience,
  BROOK_ID,
  brookAudience,
  FERN_ID,
  fernAudience,
  insulter,
  linkSpammer,
  moobot,
  nightbot,
  PEPEL_ID,
  raiders,
  raidLeader,
  streamer,
  type Chatter,
} from "./chatters.ts";
import { hash32 } from "./random.ts";
import { troublemakers } from "./trouble.ts";

/** Somebody with an account, as Twitch's API names them. */
export interface Who {
  readonly userId: string;
  readonly login: string;
  readonly name: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const broadcasters: readonly Who[] = [
  streamer,
  { userId: FERN_ID, login: "nightfern", name: "nightfern" },
  { userId: BROOK_ID, login: "tihiy_ruchey", name: "tihiy_ruchey" },
];
export const channels: ReadonlyMap<string, Who> = new Map(broadcasters.map((one) => [one.userId, one]));

const everybody: readonly Who[] = [
  ...broadcasters,
  ...audience,
  ...raiders,
  ...fernAudience,
  ...brookAudience,
  ...troublemakers,
  ...[insulter, linkSpammer, moobot, nightbot, raidLeader],
];
const byId = new Map(everybody.map((one) => [one.userId, one]));
const byLogin = new Map(everybody.map((one) => [one.login, one]));
export const whoHasId = (userId: string): Who | null => byId.get(userId) ?? null;
export const whoIs = (login: string): Who | null => byLogin.get(login.toLowerCase()) ?? null;

/** Whose accounts are new: they follow nobody yet. */
export const newcomers: ReadonlySet<string> = new Set(
  troublemakers.filter((one) => one.isNew).map((one) => one.userId),
);

/** When an account was made: years ago, or, of those who come to make trouble, hours ago. */
export function createdAtMs(userId: string, nowMs: number): number {
  if (newcomers.has(userId)) return nowMs - HOUR_MS - (hash32("new", userId) % (20 * HOUR_MS));
  return Date.UTC(2013, 0, 1) + (hash32("made", userId) % (11 * 365)) * DAY_MS;
}

const moderatorsAtFirst: Readonly<Record<string, readonly Chatter[]>> = {
  [PEPEL_ID]: [...audience.filter((one) => one.moderator), moobot, nightbot],
  [FERN_ID]: [...fernAudience.filter((one) => one.login === "mosswick"), moobot],
  [BROOK_ID]: [],
};

/** Who moderates where. A fault takes the role away, in the middle of everything. */
export class Moderators {
  private readonly byChannel = new Map<string, Set<string>>(
    Object.entries(moderatorsAtFirst).map(([channelId, people]) => [
      channelId,
      new Set(people.map((one) => one.userId)),
    ]),
  );

  /** The broadcaster, or one of the moderators. */
  may(channelId: string, userId: string): boolean {
    return channelId === userId || this.byChannel.get(channelId)?.has(userId) === true;
  }

  of(userId: string): Who[] {
    return [...this.byChannel]
      .filter(([, people]) => people.has(userId))
      .flatMap(([channelId]) => channels.get(channelId) ?? []);
  }

  set(channelId: string, userId: string, moderates: boolean): void {
    const people = this.byChannel.get(channelId) ?? new Set();
    this.byChannel.set(channelId, people);
    if (moderates) people.add(userId);
    else people.delete(userId);
  }
}

/** Who can be chosen on the sign-in page: broadcasters, moderators, and two who may nothing. */
export const signInAs: readonly { readonly who: Who; readonly what: string }[] = [
  ...broadcasters.map((who) => ({ who, what: `broadcaster of ${who.login}` })),
  ...audience.filter((one) => one.moderator).map((who) => ({ who, what: "moderator of pepel_lamp" })),
  ...fernAudience
    .filter((one) => one.login === "mosswick")
    .map((who) => ({ who, what: "moderator of nightfern" })),
  ...["grib_ok", "sonya_k"].flatMap((login) => {
    const who = whoIs(login);
    return who === null ? [] : [{ who, what: "viewer" }];
  }),
];
