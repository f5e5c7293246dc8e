import { randomUUID } from "node:crypto";
import { HOUSE, SYSTEM, type JournalAct, type Person } from "@hypecast/contracts/journal.ts";
import type { Journal } from "@hypecast/runtime/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import type { Cache } from "../cache.ts";
import * as measured from "../metrics.ts";

type AccountAct = Extract<JournalAct, "sign_in" | "sign_in_refused" | "sign_out" | "connect" | "disconnect">;
/** Strangers can have sign-ins refused as often as they like, and the journal is for good: more than this an hour are only counted. */
const REFUSED_AN_HOUR = 100;
const HOUR_MS = 3_600_000;

export interface Noted {
  readonly act: AccountAct;
  /** Null: nobody knows who it was. */
  readonly person: Pick<Person, "userId" | "login"> | null;
  readonly client: string;
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, string>>;
}

export interface Audit {
  /** Never throws: who signs in does not wait for it. What could not be written is in the log of the process. */
  note(noted: Noted): Promise<void>;
}

/**
 * Sign-ins go into the journal of the house. The person is sealed under their own key, as every chatter is: who signed in to be
 * forgotten is forgotten here, too. Of the address there is only a keyed hash: it shows that two came from the same one.
 */
export function auditOf(
  journal: Pick<Journal, "append">,
  secret: Pick<Secret, "hash">,
  cache: Pick<Cache, "count">,
  log: Logger,
): Audit {
  return {
    async note({ act, person, client, reason = "", detail = {} }) {
      measured.signIns.inc({ act, reason });
      try {
        if (act === "sign_in_refused" && (await cache.count("sign-in-refused", HOUR_MS)) > REFUSED_AN_HOUR)
          return;
        await journal.append({
          channelId: HOUSE,
          id: randomUUID(),
          by: SYSTEM,
          act,
          atMs: Date.now(),
          reason,
          detail: { ...detail, client: secret.hash("client", client) },
          private: person === null ? null : { ...person, lineIds: [], text: "", words: "" },
        });
      } catch (error) {
        log.error({ err: error, act, reason }, "a sign-in could not be written into the journal");
      }
    },
  };
}
