import { lookup } from "node:dns";
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isInside } from "@hypecast/runtime/inside.ts";
import { Refused } from "./playlist.ts";

/** The server has no such file. */
export class NotFound extends Error {}
export class TooLarge extends Error {}

export interface Limits {
  readonly mostBytes: number;
  /** From the first byte sent to the last received, redirects included. */
  readonly withinMs: number;
}

export interface Fetched {
  readonly body: Buffer;
  readonly type: string;
  /** Where it came from in the end: what the relative addresses in it are relative to. */
  readonly url: string;
}

export type Fetch = (
  url: string,
  limits: Limits,
  signal: AbortSignal,
  range: { readonly from: number; readonly to: number } | null,
) => Promise<Fetched>;

export interface Fetcher {
  readonly fetch: Fetch;
  close(): void;
}

export interface AddressRules {
  /** Host patterns: `*`, `example.org`, `*.example.org`. */
  readonly hosts: readonly string[];
  /** `host:port` that may be reached wherever it is. */
  readonly privateHosts: readonly string[];
}

const REDIRECTS = 3;
/** All bodies that are being received at once; what would be more fails and is tried again. */
const MOST_BYTES_AT_ONCE = 512 * 1024 * 1024;

/**
 * Fetches over http(s) from allowed hosts alone. Every address, each hop of a redirect too, is resolved and checked, and the connection
 * goes to the address that was checked, so a name that resolves to something else a moment later changes nothing.
 */
export function openFetcher(rules: AddressRules): Fetcher {
  const checked: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const inside = addresses?.find(({ address }) => isInside(address));
      const [first] = addresses ?? [];
      if (error !== null) done(error, "", 0);
      else if (inside !== undefined)
        done(new Refused(notPublic(host, inside.address), "host_refused"), "", 0);
      else if (options.all === true) done(null, addresses);
      else if (first === undefined) done(new Error(`${host} has no address`), "", 0);
      else done(null, first.address, first.family);
    });
  };
  const agentOptions = { keepAlive: true, maxSockets: 16, maxFreeSockets: 4, timeout: 30_000 };
  const agents = {
    // Connections that were allowed to go inside are never reused for others: they have agents of their own.
    public: { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) },
    private: { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) },
  };
  const atOnce = { bytes: 0 };

  const get = (url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> => {
    const allowedInside = checkAddress(url, rules);
    const secure = url.protocol === "https:";
    const options: RequestOptions = {
      agent: agents[allowedInside ? "private" : "public"][secure ? "https" : "http"],
      headers,
      signal,
      ...(!allowedInside && { lookup: checked }),
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, options, resolve);
      request.once("error", reject);
      request.end();
    });
  };

  const follow = async (
    first: URL,
    limits: Limits,
    signal: AbortSignal,
    range: { readonly from: number; readonly to: number } | null,
  ): Promise<Fetched> => {
    const asked = {
      "user-agent": "hypecast",
      "accept-encoding": "identity",
      ...(range !== null && { range: `bytes=${range.from}-${range.to}` }),
    };
    let url = first;
    for (let hop = 0; ; hop++) {
      const answer = await get(url, asked, signal);
      const { statusCode: status = 0, headers } = answer;
      try {
        if ([301, 302, 303, 307, 308].includes(status) && headers.location !== undefined) {
          if (hop === REDIRECTS) throw new Refused(`${url.host} redirects more than ${REDIRECTS} times`);
          if (!URL.canParse(headers.location, url)) throw new Refused(`${url.host} redirects to no address`);
          url = new URL(headers.location, url);
          continue;
        }
        if (status === 404 || status === 410) throw new NotFound(`${url.host} answers ${status}`);
        if (status !== 200 && !(range !== null && status === 206))
          throw new Error(`${url.host} answers ${status}`);
        if ((headers["content-encoding"] ?? "identity") !== "identity")
          throw new Refused(`${url.host} compresses what it was asked not to`);
        const all = await bodyOf(answer, url.host, limits.mostBytes, atOnce);
        // A server that does not know ranges sends the whole.
        const body = range !== null && status === 200 ? all.subarray(range.from, range.to + 1) : all;
        return { body, type: headers["content-type"] ?? "", url: url.href };
      } finally {
        if (!answer.complete) answer.destroy();
      }
    }
  };

  return {
    async fetch(address, limits, signal, range) {
      // Not AbortSignal.any: the channel's signal lives for weeks, and would remember each fetch.
      const within = new AbortController();
      const stop = (): void => within.abort(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      const late = new Error(`no answer within ${limits.withinMs / 1000} s`);
      const timer = setTimeout(() => within.abort(late), limits.withinMs);
      try {
        return await follow(new URL(address), limits, within.signal, range);
      } catch (error) {
        throw within.signal.aborted ? within.signal.reason : error;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      }
    },
    close() {
      for (const { http, https } of Object.values(agents)) {
        http.destroy();
        https.destroy();
      }
    },
  };
}

/** True: may be reached wherever it is. False: only on a public address. Throws `Refused` when not at all. */
export function checkAddress(url: URL, rules: AddressRules): boolean {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Refused(
      `${url.protocol} addresses are refused; only http: and https: are fetched`,
      "bad_address",
    );
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (rules.privateHosts.includes(`${host}:${port}`)) return true;
  if (!rules.hosts.some((pattern) => matches(pattern, host)))
    throw new Refused(`${host} is not among the hosts of HYPECAST_VIDEO_HOSTS`, "host_refused");
  if (isIP(host) !== 0 && isInside(host)) throw new Refused(notPublic(host, host), "host_refused");
  return false;
}

const matches = (pattern: string, host: string): boolean =>
  pattern === "*" || pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));

const notPublic = (host: string, address: string): string =>
  `${host}${host === address ? "" : ` (${address})`} is no public address; HYPECAST_VIDEO_PRIVATE_HOSTS allows single ones`;

/** Throws when it is larger than allowed, shorter than it said, or more than there is room for at this moment. */
async function bodyOf(
  answer: IncomingMessage,
  host: string,
  mostBytes: number,
  atOnce: { bytes: number },
): Promise<Buffer> {
  const tooLarge = (): never => {
    throw new TooLarge(`${host} sends more than ${Math.round(mostBytes / 1024)} KiB`);
  };
  if (Number(answer.headers["content-length"]) > mostBytes) tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // A connection that closes before its Content-Length is an error here.
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      atOnce.bytes += chunk.length;
      if (bytes > mostBytes) tooLarge();
      if (atOnce.bytes > MOST_BYTES_AT_ONCE) throw new Error("too much is being received at once");
      chunks.push(chunk);
    }
  } finally {
    atOnce.bytes -= bytes;
  }
  return Buffer.concat(chunks, bytes);
}

/** The rules that the settings name. */
export const rulesOf = (config: {
  HYPECAST_VIDEO_HOSTS: string;
  HYPECAST_VIDEO_PRIVATE_HOSTS: string;
}): AddressRules => ({
  hosts: listOf(config.HYPECAST_VIDEO_HOSTS),
  privateHosts: listOf(config.HYPECAST_VIDEO_PRIVATE_HOSTS),
});

const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== "");
