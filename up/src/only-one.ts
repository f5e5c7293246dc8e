import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Holds a data folder for this process. A second `up` on the same folder throws a sentence. The hold is a listening
 * socket named after the folder: the kernel lets go of it however this process ends, so nothing is ever stale.
 */
export async function onlyOneIn(dataFolder: string): Promise<{ close(): void }> {
  const name = `hypecast-${createHash("sha256").update(realpathSync(dataFolder)).digest("hex").slice(0, 24)}`;
  // Linux has socket names that are no files; elsewhere a file, left over only after a kill -9.
  const path = process.platform === "linux" ? `\0${name}` : join(tmpdir(), `${name}.sock`);
  const hold = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    hold.once("error", () =>
      reject(
        new Error(
          `another hypecast already runs on the data folder ${dataFolder}; stop it, or choose another folder: --data DIR`,
        ),
      ),
    );
    hold.listen(path, resolve);
  });
  return { close: () => hold.close() };
}
