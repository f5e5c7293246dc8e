import type { Person } from "@hypecast/contracts/journal.ts";
import type { Topic } from "@hypecast/contracts/push.ts";
import { isVodId, type Vod } from "@hypecast/contracts/vod.ts";
import type { Roles } from "../roles.ts";
import type { Narrow } from "./topic.ts";

/** Who may hold which topic, and which part of it. */
export interface Allowed {
  /** `""`: all of it, the same as everybody · another text names the part of it that they see · null: nothing. */
  part(person: Person, topic: Topic): string | null;
  /** What of a value belongs to a part. */
  narrow(topic: Topic, part: string): Narrow;
}

/** As a part names it: logins and ids of channels that they have a role in, and whether the library is theirs. */
interface Part {
  readonly logins: readonly string[];
  readonly ids: readonly string[];
  readonly crew: boolean;
}

/** People with the same roles share a part, so that it is cut out once for all of them. */
export function allowedTopics(
  roles: Pick<Roles, "may" | "placesOf" | "isCrew">,
  vods: { get(id: string): Pick<Vod, "broadcaster"> | null },
): Allowed {
  return {
    part(person, topic) {
      if (person.kind !== "twitch") return "";
      const [kind, login] = topic.split(":");
      if (login !== undefined)
        return roles.may(person, login, kind === "mod" ? "moderator" : "analyst") ? "" : null;
      const places = roles.placesOf(person).toSorted((a, b) => (a.login < b.login ? -1 : 1));
      if (topic === "sys") return places.length === 0 ? null : "";
      return JSON.stringify({
        logins: places.map((place) => place.login),
        ids: places.map((place) => place.channelId),
        crew: roles.isCrew(person),
      } satisfies Part);
    },
    narrow(topic, text) {
      const part = JSON.parse(text) as Part;
      const logins = new Set(part.logins);
      const ids = new Set(part.ids.filter((id) => id !== ""));
      const seesVod = (vod: Pick<Vod, "broadcaster"> | null): boolean => {
        const { id = null, login = null } = vod?.broadcaster ?? {};
        return part.crew || (id === null ? login !== null && logins.has(login) : ids.has(id));
      };
      const sees = (login: string): boolean =>
        isVodId(login) ? seesVod(vods.get(login)) : logins.has(login);
      return (d) => {
        const value = JSON.parse(d) as unknown;
        if (topic === "channels")
          return JSON.stringify((value as { login: string }[]).filter(({ login }) => logins.has(login)));
        const change = value as { removed?: true; login?: string; parts?: { login: string }[] };
        // Of what is gone nothing but the id is told.
        if (change.removed === true) return d;
        if (topic === "streams") return seesVod(value as Pick<Vod, "broadcaster">) ? d : null;
        const shown = [change.login ?? "", ...(change.parts ?? []).map(({ login }) => login)];
        return shown.every(sees) ? d : null;
      };
    },
  };
}
