import type { Erasure } from "@hypecast/contracts/account.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Handlers, Parts } from "./handlers.ts";

/** What a chatter may ask for of what is kept of them. */
export function privacyHandlers(parts: Parts) {
  const { privacy, channels, mod } = parts;
  return {
    async privacy({ query: { user }, person }) {
      const kept = channels.list().flatMap(({ login, state }) => {
        if (state?.channelId === null || state?.channelId === undefined) return [];
        const { rawHours, consent } = mod.policies.of(state.channelId);
        return [{ login, rawHours, consent: consent !== null }];
      });
      // The operator looks at how long things are kept before they name anybody.
      if (person.kind !== "twitch" && user === undefined)
        return { login: null, optOuts: [], erasures: [], kept };
      const subject = await privacy.subjectOf(person, user);
      return {
        login: subject.login,
        optOuts: privacy.optOutsOf(subject).map(({ channelId, atMs, by }) => ({ channelId, atMs, by })),
        erasures: privacy.erasuresOf(subject).map(shown),
        kept,
      };
    },
    async optOut({ body: { on, user, channel }, person }) {
      const subject = await privacy.subjectOf(person, user);
      await privacy.setOptOut(subject, channel === null ? null : channelIdOf(parts, channel), on);
      return {};
    },
    async erase({ body: { key, user, optOut }, person }) {
      const subject = await privacy.subjectOf(person, user);
      // First, so that nothing new comes in while the old is looked for.
      if (optOut) await privacy.setOptOut(subject, null, true);
      return shown(await privacy.erase(subject, key));
    },
    async erasure({ params: { id }, person }) {
      const found = privacy.erasure(id);
      const isTheirs =
        found !== null &&
        (person.kind !== "twitch" || privacy.isOf(found, await privacy.subjectOf(person, undefined)));
      if (!isTheirs) throw new ProblemError("not_found", `there is no erasure ${id}`);
      return shown(found);
    },
  } satisfies Partial<Handlers>;
}

const shown = ({ sealed: _sealed, ...rest }: Erasure): Omit<Erasure, "sealed"> => rest;
