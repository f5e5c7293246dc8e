import { randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  ERASURE_PURPOSE,
  ERASURES_BUCKET,
  erasure,
  OPT_OUTS_BUCKET,
  optOut,
  optOutKey,
  type Erasure,
  type OptOut,
} from "@hypecast/contracts/account.ts";
import { HOUSE, type Person } from "@hypecast/contracts/journal.ts";
import { chatterId } from "@hypecast/contracts/question-erase.ts";
import { chatterHash, loginHash } from "@hypecast/runtime/chatter.ts";
import type { Journal } from "@hypecast/runtime/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import type { Ask } from "../ask.ts";
import { keepBucket } from "../bucket.ts";
import { ProblemError } from "../problems.ts";

const EVERYWHERE = "*";

/** Whose rights are asked about: themselves, or whom the operator names. */
export interface Subject {
  readonly userId: string;
  readonly login: string;
  readonly by: OptOut["by"];
}

/** A chatter's rights: not to be read, and to be forgotten. Records name nobody. */
export interface Privacy {
  /** Themselves; of the operator whom `user` names. Throws ProblemError: it is none of theirs. */
  subjectOf(person: Person, user: string | undefined): Promise<Subject>;
  optOutsOf(subject: Subject): OptOut[];
  setOptOut(subject: Subject, channelId: string | null, on: boolean): Promise<void>;
  erasuresOf(subject: Subject): Erasure[];
  /** The same key twice is one erasure. */
  erase(subject: Subject, key: string): Promise<Erasure>;
  readonly erasure: (id: string) => Erasure | null;
  /** Is it about them? */
  isOf(erasure: Erasure, subject: Subject): boolean;
  readonly close: () => void;
}

export async function watchPrivacy(
  nc: NatsConnection,
  tools: { readonly secret: Secret; readonly journal: Pick<Journal, "append">; readonly ask: Ask },
  log: Logger,
): Promise<Privacy> {
  const { secret, journal, ask } = tools;
  const optOuts = await keepBucket(nc, OPT_OUTS_BUCKET, optOut, log);
  const erasures = await keepBucket(nc, ERASURES_BUCKET, erasure, log);
  const targetOf = ({ userId }: Subject): string => chatterHash(secret, userId);
  // By name too: of whom the operator names nobody knows the user id before they were heard, nor after they were forgotten.
  const optOutsOf = (subject: Subject): OptOut[] => {
    const loginTarget = loginHash(secret, subject.login);
    return [...optOuts.values()].filter(
      (one) => one.target === targetOf(subject) || one.loginTarget === loginTarget,
    );
  };

  /** Under the chatter's own key, so that the entry says nothing any more once they are forgotten. */
  const noted = (
    act: "opt_out" | "opt_in" | "erase_asked",
    subject: Subject,
    detail: Record<string, string>,
  ): Promise<unknown> =>
    journal.append({
      ...{ channelId: HOUSE, id: randomUUID(), act, atMs: Date.now(), detail },
      by:
        subject.by === "self"
          ? { kind: "twitch", userId: targetOf(subject), login: "" }
          : { kind: "operator", userId: "", login: "operator" },
      private: { userId: subject.userId, login: subject.login, lineIds: [], text: "", words: "" },
    });

  return {
    async subjectOf(person, user) {
      if (person.kind === "twitch") {
        if (user !== undefined && user !== person.login)
          throw new ProblemError(
            "forbidden",
            "everybody decides for themselves; others are the operator's to look after",
          );
        return { userId: person.userId, login: person.login, by: "self" };
      }
      if (user === undefined)
        throw new ProblemError("invalid_parameters", "user: name a Twitch login; nobody is signed in here");
      const found = JSON.parse(await ask(chatterId, { login: user })) as { userId: string | null };
      // Somebody who has not been heard here is known by name alone.
      return { userId: found.userId ?? `login ${user}`, login: user, by: "operator" };
    },
    optOutsOf,
    async setOptOut(subject, channelId, on) {
      const record: OptOut = {
        target: targetOf(subject),
        loginTarget: loginHash(secret, subject.login),
        channelId: channelId ?? EVERYWHERE,
        atMs: Date.now(),
        by: subject.by,
      };
      const there = optOutsOf(subject).filter((one) => one.channelId === record.channelId);
      if (there.length > 0 === on) return;
      await noted(on ? "opt_out" : "opt_in", subject, { where: record.channelId });
      if (on) await optOuts.put(optOutKey(record), record);
      for (const one of there) await optOuts.remove(optOutKey(one));
    },
    erasuresOf(subject) {
      // A name may have a new owner: what was done for the one before is the operator's alone to see.
      const named = subject.by === "operator" ? optOutsOf(subject).map(({ target }) => target) : [];
      const targets = new Set([targetOf(subject), ...named]);
      return [...erasures.values()]
        .filter(({ target }) => targets.has(target))
        .toSorted((a, b) => b.askedAtMs - a.askedAtMs);
    },
    async erase(subject, key) {
      const target = targetOf(subject);
      const id = `${target.slice(0, 12)}-${secret.hash("erasure key", key).slice(0, 12)}`;
      const known = erasures.get(id);
      if (known !== null) return known;
      const record: Erasure = {
        ...{ id, target, channelId: EVERYWHERE, askedAtMs: Date.now(), by: subject.by, state: "asked" },
        sealed: secret.seal(
          ERASURE_PURPOSE,
          JSON.stringify({ userId: subject.userId, login: subject.login }),
        ),
        ...{ revision: 1, touchedAtMs: Date.now(), doing: "", error: null, removed: {}, clips: [], left: {} },
        ...{ doneAtMs: null, signature: null, publicKey: null },
      };
      await noted("erase_asked", subject, { erasure: id });
      return (await erasures.create(id, record)).value;
    },
    erasure: (id) => erasures.get(id),
    isOf: (one, subject) => one.target === targetOf(subject),
    close() {
      optOuts.close();
      erasures.close();
    },
  };
}
