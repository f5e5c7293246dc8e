import { randomUUID } from "node:crypto";
import type { Grant } from "@hypecast/contracts/account.ts";
import { personKey, type Person } from "@hypecast/contracts/journal.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Handlers, Parts } from "./handlers.ts";

/** Who is signed in, and who has which role. */
export function accountHandlers(parts: Parts) {
  const { roles, accounts, signIn, disconnect, journal } = parts;
  /** Who gave whom which role stands in the channel's own log; whom, sealed as everybody that it names. */
  const noted = (
    act: "grant" | "revoke",
    by: Person,
    { channelId, userId, login, role }: Pick<Grant, "channelId" | "userId" | "login" | "role">,
  ): Promise<unknown> =>
    journal.append({
      ...{ channelId, id: randomUUID(), by, act, atMs: Date.now(), detail: { role } },
      private: { userId, login, lineIds: [], text: "", words: "" },
    });
  return {
    me({ person }) {
      const account = person.kind === "twitch" ? accounts.of.get(person.userId) : null;
      return {
        person,
        signIn,
        roles: roles.placesOf(person),
        twitch: account === null ? null : { scopes: account.scopes, problem: account.problem },
      };
    },
    async disconnect({ person }) {
      await disconnect(person);
      return {};
    },
    modGrants({ params: { login } }) {
      const channelId = channelIdOf(parts, login);
      const byTwitch = [...accounts.of.values()].flatMap((account): Grant[] => {
        const role =
          account.userId === channelId
            ? "broadcaster"
            : account.moderates.some((one) => one.channelId === channelId)
              ? "moderator"
              : null;
        return role === null
          ? []
          : [
              {
                ...{ channelId, userId: account.userId, login: account.login },
                ...{ role, by: "twitch", atMs: account.rolesAtMs },
              },
            ];
      });
      return {
        roles: [
          ...byTwitch.map((one) => ({ ...one, from: "twitch" as const })),
          ...accounts.grantsIn(channelId).map((one) => ({ ...one, from: "grant" as const })),
        ],
      };
    },
    async grantRole({ params: { login }, body: { user, role }, person }) {
      const channelId = channelIdOf(parts, login);
      const account = accounts.byLogin(user);
      if (account === null) throw new ProblemError("person_unknown", `${user} has not signed in here yet`);
      const before = accounts.grant(channelId, account.userId);
      // Only whose channel it is makes others equal to them, or takes that back.
      const isOwn = person.kind !== "twitch" || person.userId === channelId;
      if (!isOwn && (role === "broadcaster" || before?.role === "broadcaster"))
        throw new ProblemError("forbidden", "this needs the channel's own broadcaster, or the operator");
      if (role === null) {
        if (before === null) return {};
        // Written down first: a role that changes without an entry would be worse than an entry too many.
        await noted("revoke", person, before);
        await accounts.takeBack(channelId, account.userId);
        return {};
      }
      if (before?.role === role) return {};
      if (before === null && accounts.full())
        throw new ProblemError("too_many_grants", "no more roles can be granted here");
      const { userId, login: name } = account;
      await noted("grant", person, { channelId, userId, login: name, role });
      await accounts.give({
        ...{ channelId, userId, login: name, role },
        by: personKey(person),
        atMs: Date.now(),
      });
      return {};
    },
  } satisfies Partial<Handlers>;
}
