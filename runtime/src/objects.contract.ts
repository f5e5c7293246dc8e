import { readFile, stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Objects } from "./objects.ts";

const text = (body: string): Uint8Array => new TextEncoder().encode(body);
async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}
async function* breaking(first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first;
  throw new Error("the sender died");
}
async function all(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}
async function keys(objects: Objects, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of objects.list(prefix)) found.push(key);
  return found.sort();
}

/** What every store of objects promises. */
export function objectsContract(
  name: string,
  open: () => Promise<{ objects: Objects; close: () => Promise<void> }>,
): void {
  describe(`objects in a ${name}`, () => {
    let objects: Objects;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ objects, close } = await open());
    });
    afterAll(async () => {
      objects.close();
      await close();
    });

    test("what was put is got, whole and by size; putting again replaces it", async () => {
      expect(await objects.put("video/1/2/3-160.ts", text("first"))).toBe(5);
      expect(await objects.put("video/1/2/3-160.ts", text("the second"))).toBe(10);
      expect((await objects.get("video/1/2/3-160.ts"))?.toString()).toBe("the second");
      expect(await objects.size("video/1/2/3-160.ts")).toBe(10);
    });

    test("an empty object is an object", async () => {
      expect(await objects.put("empty", new Uint8Array())).toBe(0);
      expect(await objects.size("empty")).toBe(0);
      expect(await objects.get("empty")).toHaveLength(0);
      expect(await all((await objects.read("empty"))?.body ?? chunks())).toBe("");
    });

    test("chunks of any size are one object, more than one upload part too", async () => {
      expect(await objects.put("clips/a/small.mp4", chunks(text("ab"), text("c")))).toBe(3);
      expect((await objects.get("clips/a/small.mp4"))?.toString()).toBe("abc");
      expect(await objects.put("clips/a/none.mp4", chunks())).toBe(0);
      const piece = Buffer.alloc(7_000_000, "0123456789");
      const bytes = 5 * piece.length;
      expect(await objects.put("clips/a/large.mp4", chunks(piece, piece, piece, piece, piece))).toBe(bytes);
      expect(await objects.size("clips/a/large.mp4")).toBe(bytes);
      const middle = await objects.read("clips/a/large.mp4", { from: 16_777_210, to: 16_777_229 });
      expect(await all(middle?.body ?? chunks())).toBe("01234567890123456789");
    });

    test.each([1, 20_000_000])(
      "a sender that dies after %i bytes leaves what was there before, and nothing beside it",
      async (bytes) => {
        await objects.put("clips/b/x.mp4", text("before"));
        await expect(objects.put("clips/b/x.mp4", breaking(new Uint8Array(bytes)))).rejects.toThrow(
          "the sender died",
        );
        expect((await objects.get("clips/b/x.mp4"))?.toString()).toBe("before");
        expect(await keys(objects, "clips/b/")).toEqual(["clips/b/x.mp4"]);
      },
    );

    test("a range has both its ends, and no more than there is", async () => {
      await objects.put("ranges", text("0123456789"));
      const read = async (from: number, to: number): Promise<[number, string]> => {
        const found = await objects.read("ranges", { from, to });
        return [found?.bytes ?? -1, await all(found?.body ?? chunks())];
      };
      expect(await read(0, 0)).toEqual([1, "0"]);
      expect(await read(3, 5)).toEqual([3, "345"]);
      expect(await read(8, 99)).toEqual([2, "89"]);
      expect(await read(10, 20)).toEqual([0, ""]);
    });

    test("what is not there is null, and removing it is no error", async () => {
      expect(await objects.get("none/at/all")).toBeNull();
      expect(await objects.read("none/at/all")).toBeNull();
      expect(await objects.size("none/at/all")).toBeNull();
      expect(await objects.file("none/at/all")).toBeNull();
      await objects.remove("none/at/all");
      await objects.put("gone/soon", text("x"));
      await objects.remove("gone/soon");
      expect(await objects.get("gone/soon")).toBeNull();
      expect(await keys(objects, "gone/")).toEqual([]);
    });

    test("a listing has every object of a prefix with its size and time, however many", async () => {
      const names = Array.from({ length: 25 }, (_, i) => `list/a/${i}-160.ts`);
      for (const key of [...names, "list/ab/1", "list-b/1"]) await objects.put(key, text(key));
      expect(await keys(objects, "list/a/")).toEqual(names.sort());
      expect(await keys(objects, "list/a")).toEqual([...names, "list/ab/1"].sort());
      expect(await keys(objects, "list/none/")).toEqual([]);
      for await (const { bytes, modifiedMs } of objects.list("list-b/")) {
        expect(bytes).toBe(8);
        expect(Math.abs(modifiedMs - Date.now())).toBeLessThan(60_000);
      }
    });

    test("a program can open an object as a file until it is released", async () => {
      await objects.put("files/a.ts", text("for a program"));
      const file = await objects.file("files/a.ts");
      expect(await readFile(file?.path ?? "", "utf8")).toBe("for a program");
      await file?.release();
      expect(await objects.size("files/a.ts")).toBe(13);
      if (!(file?.path ?? "").endsWith("files/a.ts"))
        await expect(stat(file?.path ?? "")).rejects.toThrow("ENOENT");
    });

    test.each([
      "",
      "/etc/passwd",
      "../x",
      "a/../b",
      "a//b",
      "a/./b",
      "a/.hidden",
      "a b",
      "ä",
      "a\\b",
      "a\0b",
      "a?b",
      "a%2e",
      `${"x/".repeat(300)}x`,
    ])("%j is no key", async (key) => {
      await expect((async () => objects.put(key, text("x")))()).rejects.toThrow("not a key");
      await expect((async () => objects.get(key))()).rejects.toThrow("not a key");
      await expect((async () => objects.remove(key))()).rejects.toThrow("not a key");
      await expect((async () => objects.file(key))()).rejects.toThrow("not a key");
    });

    test("many writers of one folder and one remover do not get into each other's way", async () => {
      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          await objects.put(`busy/${i % 3}/x${i}`, text("x"));
          await objects.remove(`busy/${i % 3}/x${i}`);
        }),
      );
      expect(await keys(objects, "busy/")).toEqual([]);
    });
  });
}
