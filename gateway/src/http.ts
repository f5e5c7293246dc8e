import type { HttpRequest, HttpResponse, TemplatedApp } from "@uwsjs/core";
import type { Logger } from "@hypecast/runtime/log.ts";
import { problemOf, PROBLEMS, ProblemError, type ProblemCode } from "./problems.ts";

/** A request as the rest of the gateway sees it: uWS forgets its own as soon as the handler returns, so this is a copy. */
export interface Request {
  /** Upper case; HEAD arrives as GET with `bodyless`. */
  readonly method: string;
  readonly bodyless: boolean;
  /** Still percent-encoded. */
  readonly path: string;
  readonly query: string;
  /** Address of the peer, or what a trusted proxy says of it. */
  readonly client: string;
  header(name: KeptHeader): string;
  /** The body; throws ProblemError `body_too_large` beyond `most` bytes, of which there may be MOST_BODY_BYTES. */
  body(most: number): Promise<Buffer>;
  /** The body of an upload as it comes, held back while nobody takes it; ends early when the client leaves. Null: the route takes no such body. */
  readonly upload: AsyncGenerator<Uint8Array> | null;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of `Set-Cookie`, of which there may be several. */
  readonly cookies?: readonly string[];
  /** A file's bytes are read as the client takes them. */
  readonly body?: string | Uint8Array | FileBody | PiecesBody | EventBody;
}
/** Bytes that are too many to hold. `read` is called once or never (a HEAD request, a client that has left); what it opens it closes when it is done or left. */
export interface FileBody {
  readonly bytes: number;
  read(): AsyncGenerator<Uint8Array>;
}
/** Text whose length nobody knows before its end. `pieces` is called once or never; the next one is made when the client has taken the one before. */
export interface PiecesBody {
  pieces(): AsyncGenerator<string>;
}
/** Server-sent events. To a client that takes them slower than they come only the newest is told. */
export interface EventBody {
  /** Begins, and returns how to stop. Called once or never. */
  follow(to: { readonly tell: (event: string) => void; readonly end: () => void }): () => void;
}

const KEPT_HEADERS = [
  "host",
  "origin",
  "cookie",
  "authorization",
  "accept",
  "accept-encoding",
  "accept-language",
  "content-type",
  "content-length",
  "idempotency-key",
  "if-none-match",
  "if-range",
  "last-event-id",
  "range",
  "sec-fetch-site",
  "tus-resumable",
  "upload-length",
  "upload-metadata",
  "upload-offset",
  "x-forwarded-for",
  "x-forwarded-proto",
] as const;
type KeptHeader = (typeof KEPT_HEADERS)[number];

/** No route takes more. What is longer is cut off while it comes. */
export const MOST_BODY_BYTES = 64 * 1024;
/** Bytes of an upload that are held while nobody takes them. */
const HELD_BYTES = 1 << 20;
/**
 * From a sender on the same machine uWS may go on reading a paused connection as long as its buffer is full again at once. Beyond this the
 * connection is cut, and the client goes on where it stands; one that sends 16 MB a request never gets here.
 */
const HELD_MOST_BYTES = 64 << 20;
/** Proxies end a connection on which nothing is said for long. */
const BEAT_MS = 5000;
const OVERSIZED = Buffer.alloc(MOST_BODY_BYTES + 1);

const STATUS_TEXT: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  303: "See Other",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  423: "Locked",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};
const statusLine = (status: number): string => `${status} ${STATUS_TEXT[status] ?? ""}`;

/** Sent with everything. The page's own policy is in its <meta> (the build knows the hashes); frames are forbidden here, where a meta cannot. */
const SECURITY_HEADERS = {
  "Content-Security-Policy": "frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
} as const;

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
  body: JSON.stringify(value),
});

export function problemReply(code: ProblemCode, detail: string, path: string, headers = {}): Reply {
  return {
    status: PROBLEMS[code][0],
    headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", ...headers },
    body: JSON.stringify(problemOf(code, detail, path)),
  };
}

/** Answers every request by one handler. What the handler throws becomes a problem; only our own faults are logged. */
export function serveHttp(
  app: TemplatedApp,
  handle: (request: Request) => Reply | Promise<Reply>,
  /** Does a request carry a body that is too large to hold? */
  isUpload: (method: string, path: string) => boolean,
  log: Logger,
  finished: (answered: { route: string; status: number; seconds: number }) => void,
): void {
  app.any("/*", (res, req) => {
    const beganMs = performance.now();
    const client = new Client();
    res.onAborted(() => client.leave());
    const request = copyOf(res, req, client, isUpload);
    const answer = (reply: Reply): void => {
      finished({
        route:
          /^\/(?:api|auth|c|emotes|health|media|metrics|s|_app)(?=\/|$)/.exec(request.path)?.[0] ?? "page",
        status: reply.status,
        seconds: (performance.now() - beganMs) / 1000,
      });
      if (!client.gone) write(res, request, reply, client);
      client.answered = true;
    };
    let reply: Reply | Promise<Reply>;
    try {
      reply = handle(request);
    } catch (error) {
      reply = failure(error, request, log);
    }
    if (reply instanceof Promise)
      void reply.catch((error: unknown) => failure(error, request, log)).then(answer);
    else answer(reply);
  });
}

function failure(error: unknown, request: Request, log: Logger): Reply {
  if (error instanceof ProblemError)
    return problemReply(error.code, error.message, request.path, error.headers);
  log.error({ err: error, method: request.method, path: request.path }, "a request failed");
  return problemReply("internal", "the request could not be answered", request.path);
}

function copyOf(
  res: HttpResponse,
  req: HttpRequest,
  client: Client,
  isUpload: (method: string, path: string) => boolean,
): Request {
  const headers = new Map<string, string>(KEPT_HEADERS.map((name) => [name, req.getHeader(name)]));
  const method = req.getCaseSensitiveMethod().toUpperCase();
  const peer = Buffer.from(res.getRemoteAddressAsText()).toString();
  const path = req.getUrl();
  const upload = isUpload(method, path) ? bodyOf(res, client) : null;
  const read = method === "GET" || method === "HEAD" || upload !== null ? null : readBody(res);
  return {
    method: method === "HEAD" ? "GET" : method,
    bodyless: method === "HEAD",
    path,
    query: req.getQuery() ?? "",
    client: peer,
    header: (name) => headers.get(name) ?? "",
    async body(most) {
      if (Number(headers.get("content-length")) > most) throw tooLarge(most);
      const body = await read;
      if ((body?.length ?? 0) > most) throw tooLarge(most);
      return body ?? Buffer.alloc(0);
    },
    upload,
  };
}

const tooLarge = (most: number): ProblemError =>
  new ProblemError("body_too_large", `the body is larger than ${most} bytes`);

/**
 * uWS hands the body to whoever listens when the handler returns, and to nobody later: so it is read before anything is
 * waited for, even if nobody will ask for it. Never resolves when the client leaves; nobody is waiting for an answer then.
 */
function readBody(res: HttpResponse): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    res.onData((chunk, isLast) => {
      bytes += chunk.byteLength;
      // uWS takes the chunk back when this returns.
      if (bytes <= MOST_BODY_BYTES) chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (isLast || bytes > MOST_BODY_BYTES)
        resolve(bytes > MOST_BODY_BYTES ? OVERSIZED : Buffer.concat(chunks));
    });
  });
}

/** As `readBody`, but handed on as it comes: the connection is not read while more than HELD_BYTES wait. */
function bodyOf(res: HttpResponse, client: Client): AsyncGenerator<Uint8Array> {
  let held: Buffer[] = [];
  let bytes = 0;
  let ended = false;
  let paused = false;
  let wake = (): void => undefined;
  client.onLeave(() => {
    ended = true;
    wake();
  });
  res.onData((chunk, isLast) => {
    if (client.answered || ended) return;
    if (bytes > HELD_MOST_BYTES) {
      ended = true;
      res.close();
      return;
    }
    // A body that comes in chunks ends with an empty one.
    if (chunk.byteLength > 0) held.push(Buffer.from(new Uint8Array(chunk)));
    bytes += chunk.byteLength;
    ended = isLast;
    if (bytes > HELD_BYTES && !isLast && !paused) {
      paused = true;
      res.pause();
    }
    wake();
  });
  return (async function* () {
    for (;;) {
      if (held.length === 0) {
        if (ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const taken = held;
      held = [];
      bytes = 0;
      if (paused && !client.gone && !client.answered) {
        paused = false;
        res.resume();
      }
      yield* taken;
    }
  })();
}

/** Who asked, and whether they are still there: a response must not be touched afterwards. */
class Client {
  gone = false;
  /** What is still to come of the body is not read any more. */
  answered = false;
  #left: (() => void) | null = null;
  readonly #leaving: (() => void)[] = [];
  leave(): void {
    this.gone = true;
    this.#left?.();
    for (const left of this.#leaving) left();
  }
  onLeave(left: () => void): void {
    this.#leaving.push(left);
  }
  /** Resolves when `until` says so, or when the client leaves. */
  async wait(until: (resolve: () => void) => void): Promise<void> {
    if (this.gone) return;
    await new Promise<void>((resolve) => {
      this.#left = resolve;
      until(resolve);
    });
    this.#left = null;
  }
}

function write(res: HttpResponse, request: Request, reply: Reply, client: Client): void {
  res.cork(() => {
    res.writeStatus(statusLine(reply.status));
    for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...reply.headers }))
      res.writeHeader(name, value);
    for (const cookie of reply.cookies ?? []) res.writeHeader("Set-Cookie", cookie);
    const body = reply.body ?? "";
    if (typeof body === "object" && "read" in body) {
      if (request.bodyless || body.bytes === 0) res.endWithoutBody(body.bytes);
      else void stream(res, body, client);
    } else if (typeof body === "object" && "pieces" in body) {
      if (request.bodyless) res.endWithoutBody();
      else void sendPieces(res, body, client);
    } else if (typeof body === "object" && "follow" in body) {
      if (request.bodyless) res.endWithoutBody();
      else follow(res, body, client);
    } else if (reply.status === 204 || reply.status === 304) res.endWithoutBody();
    else if (request.bodyless)
      res.endWithoutBody(typeof body === "string" ? Buffer.byteLength(body) : body.byteLength);
    // What is still to come of a body that was refused is not read.
    else res.end(body, reply.status === 413 || (request.upload !== null && reply.status >= 400));
  });
}

/** Sends text as it is made, no faster than the client takes it. One that cannot be made ends the connection, so that half of it is not taken for all. */
async function sendPieces(res: HttpResponse, body: PiecesBody, client: Client): Promise<void> {
  try {
    for await (const piece of body.pieces()) {
      await client.wait((taken) => {
        res.cork(() => {
          if (res.write(piece)) taken();
          else
            res.onWritable(() => {
              taken();
              return true;
            });
        });
      });
      if (client.gone) return;
    }
    if (!client.gone) res.cork(() => void res.end());
  } catch {
    if (!client.gone) res.close();
  }
}

/** Tells events as the client takes them, and that the connection stands while there are none. */
function follow(res: HttpResponse, body: EventBody, client: Client): void {
  let newest: string | null = null;
  let full = false;
  let ending = false;
  let ended = false;
  const flush = (): void => {
    if (client.gone || ended || full) return;
    if (newest !== null) {
      full = !res.write(newest);
      newest = null;
    }
    if (!ending || full) return;
    ended = true;
    stop();
    res.end();
  };
  const corked = (): void => {
    if (!client.gone && !ended) res.cork(flush);
  };
  const beat = setInterval(() => {
    if (newest === null) newest = ":\n\n";
    corked();
  }, BEAT_MS);
  let unfollow = (): void => undefined;
  const stop = (): void => {
    clearInterval(beat);
    unfollow();
  };
  client.onLeave(stop);
  res.onWritable(() => {
    full = false;
    flush();
    return true;
  });
  res.write("retry: 2000\n\n");
  unfollow = body.follow({
    tell(event) {
      newest = event;
      corked();
    },
    end() {
      ending = true;
      corked();
    },
  });
  // It may have ended while it began.
  if (ended) unfollow();
}

/**
 * Sends a file as fast as the client takes it: one chunk is held, and the next is read when it is gone. A client that leaves, and a file
 * that turns out shorter than it was, end the reading; the latter ends the connection too, since its length was promised.
 */
async function stream(res: HttpResponse, body: FileBody, client: Client): Promise<void> {
  let done = false;
  try {
    for await (const chunk of body.read()) {
      await client.wait((sent) => {
        res.cork(() => {
          const from = res.getWriteOffset();
          let waiting = true;
          const attempt = (offset: number): boolean => {
            if (!waiting) return true;
            const [ok, hasEnded] = res.tryEnd(chunk.subarray(offset - from), body.bytes);
            done = hasEnded;
            if (!ok && !hasEnded) return false;
            waiting = false;
            sent();
            return true;
          };
          if (!attempt(from)) res.onWritable(attempt);
        });
      });
      if (client.gone || done) return;
    }
  } catch {
    // Whatever could not be read: the client has got less than it was promised and is told so below.
  }
  if (!client.gone && !done) res.close();
}
