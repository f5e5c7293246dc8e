import { expect, test } from "vitest";
import { uploadPiece, type Upload } from "@hypecast/contracts/upload.ts";
import { DiskFull } from "@hypecast/runtime/objects.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { temporaryFolder } from "@hypecast/tests/servers.ts";
import type { Uploads } from "./records.ts";
import { takeBody } from "./take.ts";

const ID = "0123456789ab";

/** One upload's record, with nobody else who writes it. */
function oneUpload(bytes: number): { uploads: Uploads; now: () => Upload } {
  let record: Upload = {
    id: ID,
    name: "x",
    bytes,
    offset: 0,
    createdAtMs: 1,
    touchedAtMs: 1,
    done: false,
    writer: null,
  };
  const uploads: Uploads = {
    get: () => record,
    values: () => [record],
    entries: () => [[record.id, record]],
    ready: () => true,
    put: () => Promise.resolve(),
    create: (_key, value) => Promise.resolve({ value, isNew: false }),
    change: (_key, change) => {
      record = change(record) ?? record;
      return Promise.resolve(record);
    },
    remove: () => Promise.resolve(),
    close: () => undefined,
  };
  return { uploads, now: () => record };
}
async function* parts(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size, 7);
}

test("a full disk is said so, and what was stored before it stays counted", async () => {
  const folder = openFolder(temporaryFolder("full"));
  const { uploads, now } = oneUpload(40 << 20);
  let pieces = 0;
  const full = {
    ...folder,
    put: (key: string, body: Uint8Array | AsyncIterable<Uint8Array>) =>
      ++pieces > 1 ? Promise.reject(new DiskFull("no room")) : folder.put(key, body),
  };
  await expect(takeBody(uploads, full, ID, 0, parts(20 << 20, 20 << 20))).rejects.toMatchObject({
    code: "disk_full",
  });
  expect(now()).toMatchObject({ offset: 16 << 20, done: false, writer: null });

  // When there is room again it goes on there.
  const done = await takeBody(uploads, folder, ID, 16 << 20, parts(24 << 20));
  expect(done).toMatchObject({ offset: 40 << 20, done: true, writer: null });
  expect(await folder.size(uploadPiece(ID, 16 << 20))).toBe(16 << 20);
  expect(await folder.size(uploadPiece(ID, 32 << 20))).toBe(8 << 20);
  folder.close();
});

test("one whose writer has been silent is taken over; a living one is not", async () => {
  const folder = openFolder(temporaryFolder("over"));
  const { uploads, now } = oneUpload(3);
  await uploads.change(ID, (before) => ({ ...before, writer: "dead", touchedAtMs: Date.now() }));
  await expect(takeBody(uploads, folder, ID, 0, parts(3))).rejects.toMatchObject({ code: "upload_locked" });
  await uploads.change(ID, (before) => ({ ...before, touchedAtMs: Date.now() - 11_000 }));
  await takeBody(uploads, folder, ID, 0, parts(1, 2));
  expect(now()).toMatchObject({ offset: 3, done: true });
  folder.close();
});
