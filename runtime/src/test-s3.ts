import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A stand-in for an S3 server, written from AWS's documents ("Signature Version 4", "Amazon S3 API Reference") and strict: it checks each
 * signature and body hash itself and refuses what it does not know. It proves that our client keeps the protocol, nothing about S3 itself.
 */
export interface S3StandIn {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** What the next requests meet, in order; then all is well. */
  readonly script: ("500" | "503" | "drop" | "full")[];
  readonly objects: Map<string, { body: Buffer; modifiedMs: number }>;
  readonly uploads: Map<string, { key: string; initiatedMs: number; parts: Map<number, Buffer> }>;
  /** Keys of a page of a listing at most. */
  page: number;
  close(): Promise<void>;
}

export interface Signed {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The signature of a request by AWS Signature Version 4 with its headers `signedHeaders`, in hex. */
export function signatureOf(
  request: Signed,
  signedHeaders: readonly string[],
  secret: string,
  region: string,
): string {
  const [path = "", query = ""] = request.target.split("?");
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonicalPath = path
    .split("/")
    .map((part) => encode(decodeURIComponent(part)))
    .join("/");
  const canonicalQuery = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => pair.split("=").map((part) => encode(decodeURIComponent(part))))
    .map(([name = "", value = ""]) => `${name}=${value}`)
    .sort()
    .join("&");
  const canonical = [
    request.method,
    canonicalPath,
    canonicalQuery,
    ...signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    signedHeaders.join(";"),
    request.headers["x-amz-content-sha256"] ?? "",
  ].join("\n");
  const at = request.headers["x-amz-date"] ?? "";
  const scope = `${at.slice(0, 8)}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", at, scope, sha256(canonical)].join("\n");
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac("sha256", key).update(text).digest();
  const key = [at.slice(0, 8), region, "s3", "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString("hex");
}

const sha256 = (body: string | Buffer): string => createHash("sha256").update(body).digest("hex");
const etagOf = (body: Buffer): string => `"${createHash("md5").update(body).digest("hex")}"`;
/** S3 refuses clocks that differ by more. */
const SKEW_MS = 15 * 60_000;
const SMALLEST_PART = 5 * 1024 * 1024;

export async function startS3(): Promise<S3StandIn> {
  const objects: S3StandIn["objects"] = new Map();
  const uploads: S3StandIn["uploads"] = new Map();
  const script: S3StandIn["script"] = [];
  const who = {
    accessKeyId: "test-key",
    secretAccessKey: "test/secret+key",
    region: "eu-test-1",
    bucket: "hypecast",
  };

  const refuse = (response: ServerResponse, status: number, code: string, message = code): void => {
    response
      .writeHead(status, { "content-type": "application/xml" })
      .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  };

  /** The code of what is wrong with the signature; null: it is right. */
  const wrongSignature = (request: IncomingMessage, body: Buffer): string | null => {
    const headers = request.headers as Record<string, string>;
    const [, id, date, signed = "", signature] =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/eu-test-1\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
        headers["authorization"] ?? "",
      ) ?? [];
    if (id !== who.accessKeyId) return "InvalidAccessKeyId";
    const at = headers["x-amz-date"] ?? "";
    const atMs = Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
    if (!(Math.abs(Date.now() - atMs) < SKEW_MS) || at.slice(0, 8) !== date) return "RequestTimeTooSkewed";
    const names = signed.split(";");
    // The host and every x-amz-* header must be signed.
    const needed = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
    if (!needed.every((name) => names.includes(name))) return "AccessDenied";
    if (headers["x-amz-content-sha256"] !== sha256(body)) return "XAmzContentSHA256Mismatch";
    const asked = { method: request.method ?? "", target: request.url ?? "", headers };
    return signatureOf(asked, names, who.secretAccessKey, who.region) === signature
      ? null
      : "SignatureDoesNotMatch";
  };

  const list = (response: ServerResponse, query: URLSearchParams): void => {
    if (query.get("list-type") !== "2") return refuse(response, 501, "NotImplemented");
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? "";
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, standIn.page);
    const more = keys.length > page.length;
    const contents = page.map((key) => {
      const { body, modifiedMs } = objects.get(key) ?? { body: Buffer.alloc(0), modifiedMs: 0 };
      const modified = new Date(modifiedMs).toISOString();
      return `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><ETag>&quot;x&quot;</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    response.writeHead(200, { "content-type": "application/xml" });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><Name>${who.bucket}</Name><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ""}${contents.join("")}</ListBucketResult>`,
    );
  };

  const listUploads = (response: ServerResponse, prefix: string): void => {
    const found = [...uploads].filter(([, { key }]) => key.startsWith(prefix));
    response.end(
      `<?xml version="1.0"?><ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${found
        .map(
          ([id, { key, initiatedMs }]) =>
            `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(initiatedMs).toISOString()}</Initiated></Upload>`,
        )
        .join("")}</ListMultipartUploadsResult>`,
    );
  };

  const get = (request: IncomingMessage, response: ServerResponse, key: string): void => {
    const found = objects.get(key);
    if (found === undefined) return refuse(response, 404, "NoSuchKey");
    const size = found.body.length;
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range !== null && Number(range[1]) >= size) return refuse(response, 416, "InvalidRange");
    const from = Number(range?.[1] ?? 0);
    const to = Math.min(Number(range?.[2] ?? Infinity), size - 1);
    response.writeHead(range === null ? 200 : 206, {
      "content-length": to - from + 1,
      etag: etagOf(found.body),
      ...(range !== null && { "content-range": `bytes ${from}-${to}/${size}` }),
    });
    response.end(request.method === "HEAD" ? undefined : found.body.subarray(from, to + 1));
  };

  const upload = (
    request: IncomingMessage,
    response: ServerResponse,
    key: string,
    query: URLSearchParams,
    body: Buffer,
  ): void => {
    const id = query.get("uploadId") ?? "";
    const found = uploads.get(id);
    if (found === undefined || found.key !== key) return refuse(response, 404, "NoSuchUpload");
    if (request.method === "DELETE") {
      uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (request.method === "PUT") {
      const number = Number(query.get("partNumber"));
      if (!(number >= 1 && number <= 10_000)) return refuse(response, 400, "InvalidArgument");
      found.parts.set(number, body);
      return void response.writeHead(200, { etag: etagOf(body) }).end();
    }
    const named = [
      ...body.toString().matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag><\/Part>/g),
    ];
    const parts = named.map(([, number, etag]) => {
      const part = found.parts.get(Number(number));
      return part !== undefined && etagOf(part) === etag ? part : null;
    });
    if (parts.length === 0 || parts.includes(null)) return refuse(response, 400, "InvalidPart");
    if (parts.slice(0, -1).some((part) => (part?.length ?? 0) < SMALLEST_PART))
      return refuse(response, 400, "EntityTooSmall");
    objects.set(key, { body: Buffer.concat(parts as Buffer[]), modifiedMs: Date.now() });
    uploads.delete(id);
    response.end(
      `<?xml version="1.0"?><CompleteMultipartUploadResult><Key>${key}</Key></CompleteMultipartUploadResult>`,
    );
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const what = script.shift();
    if (what === "drop") return void request.socket.destroy();
    if (what === "full") return refuse(response, 507, "InsufficientStorage");
    if (what !== undefined) return refuse(response, Number(what), "SlowDown");
    const wrong = wrongSignature(request, body);
    if (wrong !== null) return refuse(response, 403, wrong);
    const url = new URL(request.url ?? "", "http://stand-in");
    const [, bucket, ...rest] = url.pathname.split("/");
    const key = rest.join("/");
    if (bucket !== who.bucket) return refuse(response, 404, "NoSuchBucket");
    const query = url.searchParams;
    if (key === "" && request.method === "GET")
      return query.has("uploads") ? listUploads(response, query.get("prefix") ?? "") : list(response, query);
    if (key === "") return refuse(response, 405, "MethodNotAllowed");
    if (query.has("uploadId")) return upload(request, response, key, query, body);
    switch (request.method) {
      case "POST": {
        if (!query.has("uploads")) return refuse(response, 501, "NotImplemented");
        const id = `upload+${uploads.size}/${Math.random().toString(36).slice(2)}`;
        uploads.set(id, { key, initiatedMs: Date.now(), parts: new Map() });
        return void response.end(
          `<?xml version="1.0"?><InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        );
      }
      case "PUT":
        if (request.headers["content-length"] === undefined)
          return refuse(response, 411, "MissingContentLength");
        objects.set(key, { body, modifiedMs: Date.now() });
        return void response.writeHead(200, { etag: etagOf(body) }).end();
      case "DELETE":
        objects.delete(key);
        return void response.writeHead(204).end();
      case "GET":
      case "HEAD":
        return get(request, response, key);
      default:
        return refuse(response, 405, "MethodNotAllowed");
    }
  }

  const server: Server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const standIn: S3StandIn = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...who,
    script,
    objects,
    uploads,
    page: 1000,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return standIn;
}
