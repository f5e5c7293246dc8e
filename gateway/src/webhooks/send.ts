import { createHmac } from "node:crypto";
import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import type { Webhook } from "@hypecast/contracts/webhook.ts";
import { isInside } from "@hypecast/runtime/inside.ts";

/** A receiver has so long to answer; what it has to do with it, it does afterwards. */
const ANSWER_MS = 10_000;
/** Of what it answers the status alone is read. */
const MOST_ANSWER_BYTES = 64 * 1024;

export interface Delivery {
  /** The same for every try. */
  readonly id: string;
  readonly body: string;
}

const PRIVATE = "it is a private address; HYPECAST_WEBHOOK_PRIVATE=1 allows those";

/** Why nothing is sent to an address, as far as it says so itself; null: it may be. Names are looked up when something is sent. */
export function addressProblem(url: string, allowPrivate: boolean): string | null {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return "only http and https are sent to";
  if (allowPrivate) return null;
  const host = bare(hostname).toLowerCase().replace(/\.$/, "");
  const isLocal = host === "localhost" || host.endsWith(".localhost");
  return isLocal || (isIP(host) !== 0 && isInside(host)) ? PRIVATE : null;
}
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

/**
 * As Standard Webhooks (https://www.standardwebhooks.com) signs: HMAC-SHA256 over `<id>.<timestamp>.<body>`, the key being what stands behind
 * `whsec_` in base64.
 */
export function signatureOf(secret: string, { id, body }: Delivery, timestampS: number): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestampS}.${body}`).digest("base64")}`;
}

/** Resolves to the receiver's status. Rejects with a sentence: nobody answered, not in time, or it is not sent there. Redirects are not followed. */
export function send(
  { url, secret }: Pick<Webhook, "url" | "secret">,
  delivery: Delivery,
  allowPrivate: boolean,
  nowMs = Date.now(),
): Promise<number> {
  const problem = addressProblem(url, allowPrivate);
  if (problem !== null) return Promise.reject(new Error(problem));
  const timestampS = Math.floor(nowMs / 1000);
  const { id, body } = delivery;
  const request = new URL(url).protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      agent: false,
      signal: AbortSignal.timeout(ANSWER_MS),
      lookup: allowPrivate ? lookup : publicLookup,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "Hypecast-Webhooks",
        "webhook-id": id,
        "webhook-timestamp": String(timestampS),
        "webhook-signature": signatureOf(secret, delivery, timestampS),
      },
    });
    sent.once("response", (response) => {
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        bytes += part.byteLength;
        if (bytes > MOST_ANSWER_BYTES) response.destroy();
      });
      response.on("error", () => undefined);
      resolve(response.statusCode ?? 0);
    });
    sent.once("error", (error) => reject(new Error(sentenceOf(error), { cause: error })));
    sent.end(body);
  });
}

const sentenceOf = (error: Error & { code?: string }): string =>
  error.name === "TimeoutError" || error.name === "AbortError" || error.code === "ABORT_ERR"
    ? `no answer within ${ANSWER_MS / 1000} s`
    : error.message;

/** Looks a name up and refuses it when any of its addresses is private: the connection goes to what was looked up here. */
function publicLookup(
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const first = addresses?.[0];
    if (error !== null || first === undefined) return callback(error, "");
    if (addresses.some(({ address }) => isInside(address)))
      return callback(new Error(`${hostname}: ${PRIVATE}`), "");
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
}
