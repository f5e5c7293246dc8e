import { mkdirSync, rmSync, utimesSync, writeFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBucket } from "./objects-s3.ts";
import { objectsContract } from "./objects.contract.ts";
import { DiskFull } from "./objects.ts";
import { signatureOf, startS3, type S3StandIn } from "./test-s3.ts";

const copies = temporaryFolder("copies");
let s3: S3StandIn;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(async () => {
  await s3.close();
  rmSync(copies, { recursive: true });
});
const body = new TextEncoder().encode("x");

objectsContract("bucket", async () => {
  const server = await startS3();
  server.page = 7;
  return { objects: openBucket({ ...server, prefix: "some/where", copies }), close: () => server.close() };
});

/** From "Examples: Signature Calculations in AWS Signature Version 4", the four published ones. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
test.each([
  {
    method: "GET",
    target: "/test.txt",
    more: { range: "bytes=0-9", "x-amz-content-sha256": EMPTY },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    method: "PUT",
    target: "/test%24file.text",
    more: {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    },
    signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    method: "GET",
    target: "/?lifecycle",
    more: { "x-amz-content-sha256": EMPTY },
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    method: "GET",
    target: "/?max-keys=2&prefix=J",
    more: { "x-amz-content-sha256": EMPTY },
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
])("the stand-in signs $method $target as AWS's document does", ({ method, target, more, signature }) => {
  const headers: Record<string, string> = {
    host: "examplebucket.s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    ...more,
  };
  const signed = Object.keys(headers).sort();
  expect(
    signatureOf({ method, target, headers }, signed, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"),
  ).toBe(signature);
});

test("a wrong secret is refused in the server's words", async () => {
  const objects = openBucket({ ...s3, secretAccessKey: "wrong", prefix: "", copies });
  await expect(objects.put("a", body)).rejects.toThrow("403 SignatureDoesNotMatch");
  objects.close();
});

test("a server that stumbles is asked again; one that is full says so", async () => {
  const objects = openBucket({ ...s3, prefix: "", copies });
  s3.script.push("503", "drop", "500");
  expect(await objects.put("a", body)).toBe(1);
  s3.script.push("full");
  await expect(objects.put("b", body)).rejects.toBeInstanceOf(DiskFull);
  objects.close();
});

test("uploads and copies that a crash has left are gone after an hour", async () => {
  const objects = openBucket({ ...s3, prefix: "", copies });
  const upload = (key: string, ageMs: number): unknown =>
    s3.uploads.set(key, { key, initiatedMs: Date.now() - ageMs, parts: new Map() });
  upload("old", 3_601_000);
  upload("young", 0);
  mkdirSync(copies, { recursive: true });
  writeFileSync(join(copies, "old"), "");
  utimesSync(join(copies, "old"), new Date(), new Date(Date.now() - 3_601_000));
  await objects.sweep();
  expect([...s3.uploads.keys()]).toEqual(["young"]);
  expect(readdirSync(copies)).toEqual([]);
  objects.close();
});
