import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isInside } from "../inside.ts";
import { imageKind } from "./image-kind.ts";

export interface Image {
  readonly type: string;
  readonly bytes: Buffer;
}

/** The largest real emotes (animated, 3x) are about 1 MB. */
const MOST_BYTES = 2 * 1024 * 1024;
const FETCH_MS = 5000;
const REDIRECTS = 2;

/** Thrown with what was wrong; `missing`: the provider says that there is no such image. */
export class NoImage extends Error {
  readonly missing: boolean;
  constructor(message: string, missing = false) {
    super(message);
    this.missing = missing;
  }
}

/**
 * An image from a configured address. It must come in time, be small, and begin like an image of the kinds that we pass on,
 * whatever its Content-Type says. Redirects are followed only over HTTPS to public addresses, so that a provider (or
 * whoever took one over) cannot make the gateway ask machines of our own network.
 */
export async function fetchImage(address: string, allowPrivate: boolean): Promise<Image> {
  const signal = AbortSignal.timeout(FETCH_MS);
  let url = new URL(address);
  if (!allowPrivate) await refusePrivate(url);
  for (let hop = 0; ; hop++) {
    const response = await fetch(url, {
      signal,
      redirect: "manual",
      headers: { Accept: "image/webp,image/avif,image/*" },
    });
    const { status } = response;
    const location = response.headers.get("location");
    if (status >= 300 && status < 400 && location !== null && hop < REDIRECTS) {
      await response.body?.cancel();
      const next = new URL(location, url);
      if (next.protocol !== "https:" && next.protocol !== url.protocol)
        throw new NoImage(`redirected to ${next.protocol}//`);
      // Where private addresses are configured (the demo), that is for those alone.
      if (next.origin !== url.origin) await refusePrivate(next);
      url = next;
      continue;
    }
    if (status !== 200) {
      await response.body?.cancel();
      throw new NoImage(`HTTP ${status}`, status === 404 || status === 410);
    }
    const said = response.headers.get("content-type") ?? "image/";
    if (!/^(?:image\/|application\/octet-stream)/i.test(said)) {
      await response.body?.cancel();
      throw new NoImage(`of type ${said.slice(0, 100)}`);
    }
    const bytes = await bodyOf(response);
    const type = imageKind(bytes);
    if (type === null) throw new NoImage("not an image of a known kind");
    return { type, bytes };
  }
}

async function bodyOf(response: Response): Promise<Buffer> {
  if (Number(response.headers.get("content-length")) > MOST_BYTES) {
    await response.body?.cancel();
    throw new NoImage(`larger than ${MOST_BYTES} bytes`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > MOST_BYTES) throw new NoImage(`larger than ${MOST_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

async function refusePrivate(url: URL): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses =
    isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
  const inside = addresses.find(isInside);
  if (inside !== undefined) throw new NoImage(`${url.host} is ${inside}, which is no public address`);
}
