import { randomBytes } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { webhook, WEBHOOKS_BUCKET, type Webhook } from "@hypecast/contracts/webhook.ts";
import { hasPassword } from "@hypecast/contracts/wanted.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { keepBucket } from "../bucket.ts";
import { ProblemError } from "../problems.ts";
import { random } from "../vods.ts";
import { addressProblem } from "./send.ts";

const MOST_WEBHOOKS = 100;

export interface Webhooks {
  list(): Webhook[];
  get(id: string): Webhook | null;
  add(url: string, events: Webhook["events"]): Promise<Webhook>;
  /** How the last delivery went. */
  told(id: string, last: NonNullable<Webhook["last"]>): Promise<void>;
  remove(id: string): Promise<void>;
  readonly ready: () => boolean;
  readonly close: () => void;
}

export async function watchWebhooks(
  nc: NatsConnection,
  allowPrivate: boolean,
  log: Logger,
): Promise<Webhooks> {
  const kept = await keepBucket(nc, WEBHOOKS_BUCKET, webhook, log);
  return {
    list: () => [...kept.values()].sort((a, b) => a.createdAtMs - b.createdAtMs),
    get: (id) => kept.get(id),
    async add(url, events) {
      if (!URL.canParse(url)) throw new ProblemError("invalid_parameters", "url: not an address");
      if (hasPassword(url))
        throw new ProblemError(
          "invalid_parameters",
          "url: a name or a password in it would be shown to everybody who sees the list; use the signature instead",
        );
      const problem = addressProblem(url, allowPrivate);
      if (problem !== null) throw new ProblemError("invalid_parameters", `url: ${problem}`);
      if ([...kept.values()].length >= MOST_WEBHOOKS)
        throw new ProblemError("too_many_webhooks", `${MOST_WEBHOOKS} webhooks are kept: delete some first`);
      const nowMs = Date.now();
      const record: Webhook = {
        id: `${nowMs.toString(36).padStart(9, "0")}${random()}`,
        url,
        events: [...new Set(events)],
        secret: `whsec_${randomBytes(24).toString("base64")}`,
        createdAtMs: nowMs,
        last: null,
      };
      await kept.put(record.id, record);
      return record;
    },
    async told(id, last) {
      await kept.change(id, (before) => ({ ...before, last }));
    },
    async remove(id) {
      if (kept.get(id) !== null) await kept.remove(id);
    },
    ready: kept.ready,
    close: kept.close,
  };
}

/** A webhook as the list shows it. */
export const webhookHeld = ({ secret: _secret, ...shown }: Webhook): Omit<Webhook, "secret"> => shown;
