import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import type { Erasure } from "@hypecast/contracts/account.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";

/** DER of an Ed25519 private key (RFC 8410) before its 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key that signs reports: made from the installation's own, so that it is the same as long as that is. */
const keyOf = (secret: Secret): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([PKCS8, secret.key("erasure reports")]),
    format: "der",
    type: "pkcs8",
  });

/** What is signed: the record without its signature and without what only we need, keys in order. */
function textOf(report: Erasure): string {
  const {
    signature: _signature,
    sealed: _sealed,
    revision: _revision,
    touchedAtMs: _touchedAtMs,
    ...said
  } = report;
  return JSON.stringify(Object.fromEntries(Object.entries(said).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** Ed25519 over a done erasure. */
export function signed(report: Erasure, secret: Secret): Erasure {
  const key = keyOf(secret);
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).toString("base64");
  const whole = { ...report, publicKey };
  return { ...whole, signature: sign(null, Buffer.from(textOf(whole)), key).toString("base64") };
}

/** True: nobody has changed the report since. Whose key it is, the reader must know. */
export function isGenuine(report: Erasure): boolean {
  if (report.signature === null || report.publicKey === null) return false;
  const key = createPublicKey({ key: Buffer.from(report.publicKey, "base64"), format: "der", type: "spki" });
  return verify(null, Buffer.from(textOf(report)), key, Buffer.from(report.signature, "base64"));
}
