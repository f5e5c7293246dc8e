import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The installation's key, and what is made from it. Every purpose has a key of its own. */
export interface Secret {
  /** AES-256-GCM: base64 of iv, tag and text. `purpose` is bound in: what was sealed for one is opened for no other. */
  seal(purpose: string, text: string): string;
  /** Throws a sentence when it was sealed with another key or changed since. */
  open(purpose: string, sealed: string): string;
  /** HMAC-SHA256 as 32 hex digits: stands for a name without telling it. */
  hash(purpose: string, text: string): string;
  /** 32 bytes for `purpose`, the same every time. */
  key(purpose: string): Buffer;
}

/** Reads HYPECAST_SECRET, or the file `secret` in the data folder, which the first process that needs it makes (readable by its owner alone). */
export function openSecret(config: Pick<Config, "HYPECAST_SECRET" | "HYPECAST_DATA">): Secret {
  const text = config.HYPECAST_SECRET === "" ? secretFile(config.HYPECAST_DATA) : config.HYPECAST_SECRET;
  const master = Buffer.from(text, "base64url");
  if (master.length !== KEY_BYTES)
    throw new Error(
      `the installation's key has ${master.length} bytes instead of ${KEY_BYTES}: see HYPECAST_SECRET`,
    );
  const keys = new Map<string, Buffer>();
  const key = (purpose: string): Buffer => {
    let found = keys.get(purpose);
    if (found === undefined) {
      found = Buffer.from(hkdfSync("sha256", master, "", `hypecast ${purpose}`, KEY_BYTES));
      keys.set(purpose, found);
    }
    return found;
  };
  return {
    key,
    seal: (purpose, plain) => sealWith(key(purpose), plain),
    open(purpose, sealed) {
      try {
        return openWith(key(purpose), sealed);
      } catch {
        throw new Error(
          `what was sealed for ${purpose} cannot be opened: it was sealed with another HYPECAST_SECRET, or changed since`,
        );
      }
    },
    hash: (purpose, plain) =>
      createHmac("sha256", key(`hash ${purpose}`))
        .update(plain)
        .digest("hex")
        .slice(0, 32),
  };
}

export function sealWith(key: Buffer, text: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64");
}

/** Throws when the key is another or a byte has changed. */
export function openWith(key: Buffer, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString(
    "utf8",
  );
}

function secretFile(folder: string): string {
  const path = join(folder, "secret");
  const own = `${path}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(own, `${randomBytes(KEY_BYTES).toString("base64url")}\n`, { mode: 0o600 });
  try {
    // Several processes start at once: the first one's stays, and nobody reads half of it.
    linkSync(own, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return readFileSync(path, "utf8").trim();
}
