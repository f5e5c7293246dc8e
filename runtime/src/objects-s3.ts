import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { checkedKey, checkedPrefix, LEFT_BEHIND_MS, sweepNowAndThen } from "./objects-key.ts";
import { DiskFull, type Objects } from "./objects.ts";

export interface BucketSettings {
  readonly bucket: string;
  /** Before every key, without slashes at its ends; empty: the bucket is ours alone. */
  readonly prefix: string;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Folder for the copies that `file` gives. */
  readonly copies: string;
}

/** A body of unknown length is sent in parts from this size on; S3 wants at least 5 MiB of all but the last, and at most 10,000. */
const PART_BYTES = 16 * 1024 * 1024;
const ANSWER_MS = 30_000;
const ATTEMPTS = 4;
const RETRY_MS = 100;
/** What S3 and its kin say when there is no room. */
const FULL = /InsufficientStorage|QuotaExceeded|XMinioStorageFull|EntityTooLarge.*quota/;

/**
 * Objects in an S3-compatible bucket, addressed by path. A PUT there is whole or not at all. What is longer than one part and of unknown
 * length goes as a multipart upload, which shows no object before its end; uploads that a crash has left are aborted after an hour.
 */
export function openBucket(settings: BucketSettings): Objects {
  const client = new AwsClient({ ...settings, service: "s3" });
  const base = `${settings.endpoint.replace(/\/$/, "")}/${settings.bucket}`;
  const before = settings.prefix === "" ? "" : `${settings.prefix}/`;
  const urlOf = (key: string): string => `${base}/${before}${checkedKey(key)}`;

  /** Answers of 5xx and broken connections are tried again; every request here may be repeated. */
  const ask = async (
    method: string,
    url: string,
    body?: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> => {
    for (let attempt = 1; ; attempt++) {
      const request = await client.sign(url, {
        method,
        headers: {
          ...headers,
          // Signed, so that a body that was changed on the way is refused.
          "x-amz-content-sha256": createHash("sha256")
            .update(body ?? "")
            .digest("hex"),
        },
        ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
      });
      try {
        const answer = await answerWithin(request);
        if ((answer.status < 500 && answer.status !== 429) || answer.status === 507 || attempt === ATTEMPTS)
          return answer;
        await answer.body?.cancel();
      } catch (error) {
        if (attempt === ATTEMPTS) throw new Error(`${base} does not answer`, { cause: error });
      }
      await sleep(RETRY_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  };

  const putWhole = async (url: string, body: Uint8Array): Promise<string> => {
    const answer = await good(await ask("PUT", url, body), url);
    await answer.arrayBuffer();
    return answer.headers.get("etag") ?? "";
  };

  const putParts = async (url: string, parts: AsyncIterable<Uint8Array>): Promise<number> => {
    const begun = await good(await ask("POST", `${url}?uploads=`), url);
    const uploadId = encodeURIComponent(textOf(await begun.text(), "UploadId") ?? "");
    let bytes = 0;
    try {
      const etags: string[] = [];
      for await (const part of parts) {
        etags.push(await putWhole(`${url}?partNumber=${etags.length + 1}&uploadId=${uploadId}`, part));
        bytes += part.byteLength;
      }
      const list = etags
        .map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
        .join("");
      const whole = Buffer.from(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`);
      const done = await good(await ask("POST", `${url}?uploadId=${uploadId}`, whole), url);
      // S3 answers 200 before it knows whether the parts fit together.
      const said = await done.text();
      if (said.includes("<Error>")) throw new Error(`${url}: ${said.slice(0, 500)}`);
      return bytes;
    } catch (error) {
      await ask("DELETE", `${url}?uploadId=${uploadId}`).catch(() => {});
      throw error;
    }
  };

  const read = async (
    key: string,
    range?: { from: number; to: number },
  ): Promise<{ bytes: number; body: ReadableStream<Uint8Array> } | null> => {
    const answer = await ask(
      "GET",
      urlOf(key),
      undefined,
      range === undefined ? {} : { range: `bytes=${range.from}-${range.to}` },
    );
    if (answer.status === 404) {
      await answer.body?.cancel();
      return null;
    }
    // A range behind the end has no bytes; for S3 that is an error.
    if (answer.status === 416) {
      await answer.body?.cancel();
      return { bytes: 0, body: new Blob([]).stream() };
    }
    await good(answer, key);
    return {
      bytes: Number(answer.headers.get("content-length")),
      body: answer.body ?? new Blob([]).stream(),
    };
  };

  /** Every page of a listing; `marks` are the fields of a page that say where the next one begins. */
  async function* pages(query: string, marks: Record<string, string>): AsyncGenerator<string> {
    let next = "";
    for (;;) {
      const page = await (await good(await ask("GET", `${base}?${query}${next}`), base)).text();
      yield page;
      if (textOf(page, "IsTruncated") !== "true") return;
      next = Object.entries(marks)
        .map(([parameter, field]) => `&${parameter}=${encodeURIComponent(textOf(page, field) ?? "")}`)
        .join("");
    }
  }

  const sweep = async (): Promise<void> => {
    const old = Date.now() - LEFT_BEHIND_MS;
    const marks = { "key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker" };
    for await (const page of pages(`prefix=${encodeURIComponent(before)}&uploads=`, marks))
      for (const upload of elements(page, "Upload")) {
        const key = textOf(upload, "Key") ?? "";
        const id = encodeURIComponent(textOf(upload, "UploadId") ?? "");
        if (Date.parse(textOf(upload, "Initiated") ?? "") < old)
          await ask("DELETE", `${base}/${key}?uploadId=${id}`);
      }
    for (const name of await readdir(settings.copies).catch(() => [])) {
      const path = join(settings.copies, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (mtimeMs < old) await rm(path, { force: true });
    }
  };
  const sweeping = sweepNowAndThen(sweep);

  return {
    async put(key, body) {
      const url = urlOf(key);
      if (body instanceof Uint8Array) {
        await putWhole(url, body);
        return body.byteLength;
      }
      const parts = inParts(body);
      const first = await parts.next();
      const second = first.done === true ? first : await parts.next();
      const one = first.done === true ? new Uint8Array() : first.value;
      if (second.done !== true) return putParts(url, rejoined([one, second.value], parts));
      await putWhole(url, one);
      return one.byteLength;
    },
    async get(key) {
      const found = await read(key);
      return found === null ? null : Buffer.from(await new Response(found.body).arrayBuffer());
    },
    async read(key, range) {
      const found = await read(key, range);
      return found === null ? null : { bytes: found.bytes, body: found.body };
    },
    async size(key) {
      const answer = await ask("HEAD", urlOf(key));
      if (answer.status === 404) return null;
      return Number((await good(answer, key)).headers.get("content-length"));
    },
    async remove(key) {
      const answer = await ask("DELETE", urlOf(key));
      if (answer.status !== 404) await good(answer, key);
      await answer.body?.cancel();
    },
    async *list(prefix) {
      const query = `list-type=2&prefix=${encodeURIComponent(before + checkedPrefix(prefix))}`;
      for await (const page of pages(query, { "continuation-token": "NextContinuationToken" }))
        for (const found of elements(page, "Contents"))
          yield {
            key: (textOf(found, "Key") ?? "").slice(before.length),
            bytes: Number(textOf(found, "Size")),
            modifiedMs: Date.parse(textOf(found, "LastModified") ?? ""),
          };
    },
    async file(key) {
      const found = await read(key);
      if (found === null) return null;
      await mkdir(settings.copies, { recursive: true });
      const path = join(settings.copies, `${randomUUID()}-${key.split("/").at(-1)}`);
      const release = (): Promise<void> => rm(path, { force: true });
      try {
        await pipeline(Readable.fromWeb(found.body as never), createWriteStream(path));
      } catch (error) {
        await release();
        throw error;
      }
      return { path, release };
    },
    sweep,
    close: () => sweeping.close(),
  };
}

/** Waits so long for the answer's head; its body may take as long as it is. */
async function answerWithin(request: Request): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS);
  try {
    return await fetch(request, { signal: late.signal, redirect: "error" });
  } finally {
    clearTimeout(timer);
  }
}

async function good(answer: Response, what: string): Promise<Response> {
  if (answer.ok) return answer;
  const said = await answer.text();
  if (answer.status === 507 || FULL.test(said)) throw new DiskFull(`no room for ${what}`);
  throw new Error(`${what}: ${answer.status} ${textOf(said, "Code") ?? ""} ${textOf(said, "Message") ?? ""}`);
}

/** Chunks of any size as parts of PART_BYTES, the last one shorter. */
async function* inParts(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    held.push(chunk);
    bytes += chunk.byteLength;
    while (bytes >= PART_BYTES) {
      const all = Buffer.concat(held);
      yield all.subarray(0, PART_BYTES);
      held = [all.subarray(PART_BYTES)];
      bytes -= PART_BYTES;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}

async function* rejoined(first: Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

/** S3's XML is flat and its keys here are ours, so a field is what stands between its tags. */
const textOf = (xml: string, name: string): string | null =>
  new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(xml)?.[1]
    ?.replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&") ?? null;
const elements = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map((match) => match[1] ?? "");
