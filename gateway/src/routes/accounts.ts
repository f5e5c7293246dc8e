import type { Grant } from "@hypecast/contracts/account.ts";
import { personKey } from "@hypecast/contracts/journal.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Handlers, Parts } from "./handlers.ts";

/** Who is signed in, and who has which role. */
export function accountHandlers(parts: Parts) {
  const { roles, accounts, signIn } = parts;
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
      // Only whose channel it is makes others equal to them.
      if (role === "broadcaster" && person.kind === "twitch" && person.userId !== channelId)
        throw new ProblemError("forbidden", "this needs the channel's own broadcaster, or the operator");
      const account = accounts.byLogin(user);
      if (account === null) throw new ProblemError("person_unknown", `${user} has not signed in here yet`);
      if (role === null) {
        const before = accounts.grant(channelId, account.userId);
        if (before?.role === "broadcaster" && person.kind === "twitch" && person.userId !== channelId)
          throw new ProblemError("forbidden", "this needs the channel's own broadcaster, or the operator");
        await accounts.takeBack(channelId, account.userId);
        return {};
      }
      const given = await accounts.give({
        ...{ channelId, userId: account.userId, login: account.login, role },
        by: personKey(person),
        atMs: Date.now(),
      });
      if (!given) throw new ProblemError("too_many_grants", "no more roles can be granted here");
      return {};
    },
  } satisfies Partial<Handlers>;
}
