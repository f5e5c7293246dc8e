import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The password with which our own processes write to the embedded ClickHouse: made once a data folder, readable by its owner alone. */
export function storePassword(dataFolder: string): string {
  const path = join(dataFolder, "clickhouse-password");
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const password = randomBytes(24).toString("base64url");
  writeFileSync(`${path}.new`, `${password}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return password;
}
