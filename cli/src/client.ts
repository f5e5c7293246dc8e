import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { EXIT, Failure } from "./failure.ts";

export interface Server {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

export interface Client {
  readonly server: Server;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's JSON; undefined: there is none (204). Throws `Failure`. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  /** A file: its body as it comes. */
  open(path: string): Promise<Response>;
  /**
   * The record of a server-sent stream at each change, until the server ends it. Goes on behind the last one when the connection breaks;
   * throws when it cannot be had again.
   */
  follow(path: string, signal: AbortSignal): AsyncIterable<unknown>;
}

const RECONNECTS = 20;
const WAIT_MS = 500;
/** POSTs carry a key of their own, so that one whose answer was lost can be sent again. */
const TRIES = 3;

export function createClient(server: Server): Client {
  const headers: Record<string, string> =
    server.token === "" ? {} : { Authorization: `Bearer ${server.token}` };

  async function request(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(server.url + path, {
        ...init,
        method,
        headers: { ...headers, ...(init.headers as Record<string, string> | undefined) },
      });
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      throw new Failure(
        EXIT.unreachable,
        `nothing answers at ${server.url}: is it running? (./hypecast demo, or --url ADDRESS of one that is)`,
      );
    }
    if (response.ok) return response;
    throw await problemOf(response);
  }

  return {
    server,
    headers,
    async call(method, path, body) {
      const init: RequestInit =
        body === undefined
          ? {}
          : {
              body: JSON.stringify(body),
              headers: {
                "Content-Type": "application/json",
                ...(method === "POST" ? { "Idempotency-Key": randomUUID() } : {}),
              },
            };
      for (let tries = 1; ; tries++)
        try {
          const response = await request(method, path, init);
          return response.status === 204 ? undefined : await response.json();
        } catch (error) {
          const again = error instanceof Failure && error.code === EXIT.unreachable && tries < TRIES;
          if (!again) throw error;
          await sleep(WAIT_MS * tries);
        }
    },
    open: (path) => request("GET", path),
    async *follow(path, signal) {
      let lastId = "";
      for (let tries = 0; tries <= RECONNECTS; tries++) {
        const records: unknown[] = [];
        const parser = createParser({
          onEvent(event) {
            lastId = event.id ?? lastId;
            records.push(JSON.parse(event.data));
          },
        });
        try {
          const response = await request("GET", path, {
            signal,
            headers: { Accept: "text/event-stream", ...(lastId === "" ? {} : { "Last-Event-ID": lastId }) },
          });
          const decoder = new TextDecoder();
          for await (const bytes of response.body ?? []) {
            parser.feed(decoder.decode(bytes, { stream: true }));
            while (records.length > 0) {
              tries = 0;
              yield records.shift();
            }
          }
          // Ended in good order: the server has said all there is.
          return;
        } catch (error) {
          if (signal.aborted || (error instanceof Failure && error.code !== EXIT.unreachable)) throw error;
        }
        await sleep(WAIT_MS);
      }
      throw new Failure(EXIT.unreachable, `the connection to ${server.url} broke and does not come back`);
    },
  };
}

/** RFC 9457, or whatever stands in the way. */
async function problemOf(response: Response): Promise<Failure> {
  const text = await response.text().catch(() => "");
  let said = `${response.status} ${response.statusText}`;
  try {
    const { detail, action } = JSON.parse(text) as { detail?: string; action?: string };
    said = sentences(detail, action) || said;
  } catch {
    // No problem document: the status says what there is to say.
  }
  if (response.status === 401 || response.status === 403)
    return new Failure(EXIT.unauthorized, `${said} (--token, or HYPECAST_TOKEN)`);
  if (response.status === 400) return new Failure(EXIT.usage, said);
  return new Failure(response.status === 404 ? EXIT.notFound : EXIT.failed, said);
}

/** What happened and what to do, as one text: each part ends like a sentence. */
const sentences = (...parts: readonly (string | undefined)[]): string =>
  parts
    .filter((part) => part !== undefined && part !== "")
    .map((part) => (/[.!?…]$/.test(part!) ? part : `${part}.`))
    .join(" ");
