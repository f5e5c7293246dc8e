import { expect, test } from "vitest";
import { openBucket } from "@hypecast/runtime/objects-s3.ts";
import type { Request } from "../http.ts";
import { ProblemError } from "../problems.ts";
import { fileReply } from "./file-reply.ts";

const request: Request = {
  method: "GET",
  bodyless: false,
  path: "/media/x",
  query: "",
  client: "127.0.0.1",
  header: () => "",
  body: () => Promise.resolve(Buffer.alloc(0)),
  upload: null,
};

test("a bucket that does not answer is told as such, with when to try again", async () => {
  const objects = openBucket({
    bucket: "hypecast",
    prefix: "",
    // Nobody listens there.
    endpoint: "http://127.0.0.1:1",
    region: "here",
    accessKeyId: "key",
    secretAccessKey: "secret",
    copies: "/nonexistent",
  });
  const served = {
    key: "clips/a/16x9.mp4",
    kind: "clip",
    type: "video/mp4",
    etag: "a",
    cache: "no-cache",
  } as const;
  const refused = await fileReply(objects, served, request).catch((error: unknown) => error);
  objects.close();
  expect(refused).toBeInstanceOf(ProblemError);
  expect(refused).toMatchObject({ code: "files_away", headers: { "Retry-After": "3" } });
});
