import { createHash } from "node:crypto";
import { personKey, type Person } from "@hypecast/contracts/journal.ts";
import type { Cache } from "./cache.ts";
import { MOST_BODY_BYTES, type Reply, type Request } from "./http.ts";
import { ProblemError } from "./problems.ts";

/** An answer is given again for so long. */
const KEPT_MS = 24 * 3_600_000;
/** A request that has not been answered after so long is taken to have died with its gateway. */
const RUNNING_MS = 60_000;

interface Done {
  /** What was asked: route and body. */
  readonly of: string;
  /** Null: it is being answered. */
  readonly reply: Reply | null;
}

/** Answers a request with an `Idempotency-Key` once: the same key with the same body gets the same answer, with another body a problem. */
export type Idempotent = (request: Request, person: Person, answer: () => Promise<Reply>) => Promise<Reply>;

/**
 * Shared between gateways through Redis; without it each remembers for itself. What was refused is not kept: corrected, it may be asked under the
 * same key.
 */
export function createIdempotency(cache: Cache): Idempotent {
  return async (request, person, answer) => {
    const key = request.header("idempotency-key");
    if (key === "" || request.method !== "POST") return answer();
    if (!/^[\x21-\x7e]{1,255}$/.test(key))
      throw new ProblemError("invalid_parameters", "Idempotency-Key: 1 to 255 printable characters");
    // What one person was answered is nobody else's, whatever key they guess.
    const name = `once:${createHash("sha256")
      .update(`${personKey(person)}\n`)
      .update(key)
      .digest("base64url")}`;
    const body = await request.body(MOST_BODY_BYTES);
    const of = createHash("sha256").update(`${request.path}\n`).update(body).digest("base64url");
    const before = await cache.get(name);
    if (before !== null) return again(JSON.parse(before) as Done, of);
    if (!(await cache.claim(name, JSON.stringify({ of, reply: null } satisfies Done), RUNNING_MS)))
      throw running();
    try {
      const reply = await answer();
      cache.set(name, JSON.stringify({ of, reply } satisfies Done), KEPT_MS);
      return reply;
    } catch (error) {
      cache.drop(name);
      throw error;
    }
  };
}

function again(done: Done, of: string): Reply {
  if (done.of !== of)
    throw new ProblemError("idempotency_key_used", "this Idempotency-Key was sent with another request");
  if (done.reply === null) throw running();
  return { ...done.reply, headers: { ...done.reply.headers, "Idempotency-Replayed": "true" } };
}

const running = (): ProblemError =>
  new ProblemError("idempotency_running", "the first request with this Idempotency-Key is being answered", {
    "Retry-After": "1",
  });
