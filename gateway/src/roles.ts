import { ROLES, type Account, type Grant, type Role } from "@hypecast/contracts/account.ts";
import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import { isVodId, vodIdOf, type Vod } from "@hypecast/contracts/vod.ts";
import { ProblemError } from "./problems.ts";

/** What Twitch said of a person's channels is believed for so long while it cannot be asked again. */
export const ROLES_TRUSTED_MS = 60 * 60_000;

/** Where a person is, and as what. */
export interface Place {
  readonly login: string;
  readonly channelId: string;
  readonly role: Role;
}

/**
 * What people may. A role belongs to a channel: it comes from Twitch (it is their channel, or they moderate it there) or from a grant, and
 * the higher one counts. Everything is read from memory at each call, so a role that was taken away is gone with the next one.
 *
 * Imported streams stand in the library of the installation: whoever moderates one of the channels that the operator has added
 * (or owns it) is its crew and may do with it what a moderator may; a role in the channel of the stream's broadcaster counts too.
 */
export interface Roles {
  /** `login`: of a channel, or the id of an imported stream. Null: none. */
  roleIn(person: Person, login: string): Role | null;
  /** The same by the id under which it stands in the store. */
  roleInChannel(person: Person, channelId: string): Role | null;
  may(person: Person, login: string, needed: Role): boolean;
  /** Throws ProblemError forbidden. Whether the channel exists is not told to those who may not see it. */
  authorise(person: Person, login: string, needed: Role): void;
  authoriseChannel(person: Person, channelId: string, needed: Role): void;
  /** Throws unless it is whoever runs this installation. */
  authoriseOperator(person: Person): void;
  authoriseCrew(person: Person): void;
  isCrew(person: Person): boolean;
  /** Channels that are watched here in which they have a role. Of the operator: all of them. */
  placesOf(person: Person): Place[];
}

export interface RolesKnown {
  readonly account: (userId: string) => Pick<Account, "userId" | "login" | "moderates" | "rolesAtMs"> | null;
  readonly grant: (channelId: string, userId: string) => Pick<Grant, "role"> | null;
  readonly grantsOf: (userId: string) => Iterable<Pick<Grant, "channelId" | "role">>;
  readonly channels: {
    get(login: string): Pick<ChannelSummary, "login" | "addedBy"> | null;
    list(): Pick<ChannelSummary, "login">[];
    idOf(login: string): string | null;
    loginOf(channelId: string): string | null;
  };
  readonly vods: { get(id: string): Pick<Vod, "broadcaster"> | null };
  readonly nowMs: () => number;
}

const isOperator = ({ kind }: Person): boolean => kind !== "twitch";
/** ROLES stands in this order: the highest first. */
export const reaches = (role: Role | null, needed: Role): boolean =>
  role !== null && ROLES.indexOf(role) <= ROLES.indexOf(needed);
const higher = (a: Role | null, b: Role | null): Role | null =>
  a !== null && (b === null || reaches(a, b)) ? a : b;

const forbidden = (needed: string): ProblemError =>
  new ProblemError("forbidden", `this needs the role of ${needed}`);

export function rolesFrom(known: RolesKnown): Roles {
  const { channels, vods } = known;

  const roleInChannel = (person: Person, channelId: string): Role | null => {
    if (isOperator(person)) return "broadcaster";
    const vodId = vodIdOf(channelId);
    if (vodId !== null) return roleIn(person, vodId);
    const account = known.account(person.userId);
    if (account === null) return null;
    if (account.userId === channelId) return "broadcaster";
    const moderates =
      account.rolesAtMs > known.nowMs() - ROLES_TRUSTED_MS &&
      account.moderates.some((one) => one.channelId === channelId);
    return higher(moderates ? "moderator" : null, known.grant(channelId, account.userId)?.role ?? null);
  };

  function roleIn(person: Person, login: string): Role | null {
    if (isOperator(person)) return "broadcaster";
    if (isVodId(login)) {
      // Whose stream it was is what a file said: it may name a live channel only, or one could name the other for ever.
      const { id = null, login: of = null } = vods.get(login)?.broadcaster ?? {};
      let there: Role | null = null;
      if (id !== null && vodIdOf(id) === null) there = roleInChannel(person, id);
      else if (id === null && of !== null && !isVodId(of)) there = roleIn(person, of);
      return higher(there, isCrew(person) ? "moderator" : null);
    }
    const id = channels.idOf(login);
    if (id !== null) return roleInChannel(person, id);
    // Nobody has told the channel's number yet: its name is all that there is, and Twitch has told the account's.
    return known.account(person.userId)?.login === login ? "broadcaster" : null;
  }

  function placesOf(person: Person): Place[] {
    const ids = new Map<string, string>();
    const add = (login: string | null): void => {
      if (login !== null && channels.get(login) !== null) ids.set(login, channels.idOf(login) ?? "");
    };
    if (isOperator(person)) for (const { login } of channels.list()) add(login);
    else {
      const account = known.account(person.userId);
      if (account === null) return [];
      add(account.login);
      add(channels.loginOf(account.userId));
      for (const { channelId } of account.moderates) add(channels.loginOf(channelId));
      for (const { channelId } of known.grantsOf(account.userId)) add(channels.loginOf(channelId));
    }
    return [...ids].flatMap(([login, channelId]) => {
      const role = roleIn(person, login);
      return role === null ? [] : [{ login, channelId, role }];
    });
  }

  function isCrew(person: Person): boolean {
    return (
      isOperator(person) ||
      placesOf(person).some(
        ({ login, role }) => reaches(role, "moderator") && channels.get(login)?.addedBy === undefined,
      )
    );
  }

  const may = (person: Person, login: string, needed: Role): boolean =>
    reaches(roleIn(person, login), needed);
  return {
    roleIn,
    roleInChannel,
    may,
    authorise(person, login, needed) {
      if (!may(person, login, needed)) throw forbidden(`${needed} in ${login}`);
    },
    authoriseChannel(person, channelId, needed) {
      if (!reaches(roleInChannel(person, channelId), needed)) throw forbidden(`${needed} in its channel`);
    },
    authoriseOperator(person) {
      if (!isOperator(person)) throw forbidden("operator");
    },
    authoriseCrew(person) {
      if (!isCrew(person)) throw forbidden("moderator in one of the operator's channels");
    },
    isCrew,
    placesOf,
  };
}
