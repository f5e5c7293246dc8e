import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, opendir, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkedKey, checkedPrefix, LEFT_BEHIND_MS, sweepNowAndThen } from "./objects-key.ts";
import { DiskFull, type Objects } from "./objects.ts";

/** No key begins with a dot, so nothing here is an object. */
const UNFINISHED = ".unfinished";

/**
 * Objects as files of one folder. A file gets its name when all of it is on the disk: a crash leaves it whole or not at all, and its
 * half-written beginning in `.unfinished/`. Several processes may use one folder.
 */
export function openFolder(root: string): Objects {
  const unfinished = join(root, UNFINISHED);
  const pathOf = (key: string): string => join(root, checkedKey(key));

  const write = async (path: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> => {
    let bytes = 0;
    const file = await makingFolder(path, () => open(path, "wx"));
    try {
      for await (const part of body instanceof Uint8Array ? [body] : body) {
        await file.writeFile(part);
        bytes += part.byteLength;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return bytes;
  };

  const sweep = async (): Promise<void> => {
    for (const name of await readdir(unfinished).catch(() => [])) {
      const path = join(unfinished, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (Date.now() - mtimeMs > LEFT_BEHIND_MS) await rm(path, { force: true });
    }
  };
  const sweeping = sweepNowAndThen(sweep);

  return {
    async put(key, body) {
      const path = pathOf(key);
      const half = join(unfinished, randomUUID());
      try {
        const bytes = await write(half, body);
        await makingFolder(path, () => rename(half, path));
        return bytes;
      } catch (error) {
        await rm(half, { force: true }).catch(() => {});
        throw isFull(error) ? new DiskFull(`no room for ${key} in ${root}`, { cause: error }) : error;
      }
    },
    get: (key) => readFile(pathOf(key)).catch(nullWhenMissing),
    async read(key, range) {
      const path = pathOf(key);
      const file = await open(path).catch(nullWhenMissing);
      if (file === null) return null;
      const { size } = await file.stat();
      const from = range?.from ?? 0;
      const bytes = Math.max(0, Math.min(range?.to ?? Infinity, size - 1) - from + 1);
      if (bytes === 0) {
        await file.close();
        return { bytes, body: nothing() };
      }
      // The open file, not its name: what is replaced or removed meanwhile is read to its end all the same.
      return { bytes, body: createReadStream(path, { fd: file, start: from, end: from + bytes - 1 }) };
    },
    async size(key) {
      const found = await stat(pathOf(key)).catch(nullWhenMissing);
      return found?.isFile() === true ? found.size : null;
    },
    async remove(key) {
      const path = pathOf(key);
      await rm(path, { force: true });
      // Folders that this has emptied go too; the first that is not empty ends it.
      for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
        const removed = await rmdir(folder).then(
          () => true,
          () => false,
        );
        if (!removed) return;
      }
    },
    async *list(prefix) {
      const folder = checkedPrefix(prefix).replace(/[^/]*$/, "");
      for await (const key of filesBelow(root, folder)) {
        if (!key.startsWith(prefix)) continue;
        const found = await stat(join(root, key)).catch(nullWhenMissing);
        if (found !== null) yield { key, bytes: found.size, modifiedMs: found.mtimeMs };
      }
    },
    async file(key) {
      const path = pathOf(key);
      const found = await stat(path).catch(nullWhenMissing);
      return found?.isFile() === true ? { path, release: async () => {} } : null;
    },
    sweep,
    close: () => sweeping.close(),
  };
}

/** Does it again with the folder made when there is none; one that is emptied at the same moment may vanish once more. */
async function makingFolder<Result>(path: string, effect: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await effect();
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || attempt === 5) throw error;
      await mkdir(dirname(path), { recursive: true });
    }
  }
}

async function* filesBelow(root: string, folder: string): AsyncGenerator<string> {
  const found = await opendir(join(root, folder)).catch(nullWhenMissing);
  if (found === null) return;
  for await (const entry of found) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) yield* filesBelow(root, `${folder}${entry.name}/`);
    else if (entry.isFile()) yield folder + entry.name;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const isFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "");

function nullWhenMissing(error: unknown): null {
  if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(error) ?? "")) return null;
  throw error;
}
