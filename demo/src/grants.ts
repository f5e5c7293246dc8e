import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Twitch's life of a user's access token, about. */
export const ACCESS_S = 14_400;
/** A code is used at once or never. */
const CODE_MS = 60_000;

export interface Access {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}
interface Code {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly atMs: number;
}
interface Claims {
  readonly kind: "access" | "refresh";
  readonly user: string;
  readonly scopes: readonly string[];
  readonly atMs: number;
  readonly untilMs: number;
  readonly n: number;
}

/**
 * What people have allowed. Tokens carry what they say and a signature, so that one lives through a restart of the stand-in, as Twitch's live
 * through ours; only what was taken back is remembered. It runs on loopback alone: its key is no secret.
 */
export class Grants {
  readonly counts = { codes: 0, codesRefused: 0, exchanged: 0, refreshed: 0, revoked: 0 };
  private readonly codes = new Map<string, Code>();
  private readonly revokedTokens = new Set<string>();
  /** User → all of theirs from before then is worth nothing. */
  private readonly revokedBefore = new Map<string, number>();
  /** Access tokens live so long from now on. */
  accessS = ACCESS_S;
  private issued = 0;
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  code(asked: Omit<Code, "atMs">): string {
    const code = this.sign("code", String(++this.counts.codes), String(this.now())).slice(0, 30);
    this.codes.set(code, { ...asked, atMs: this.now() });
    return code;
  }

  /** Null: the code was used before, is old, or was given for another address or another verifier. One try is all it has. */
  redeem(code: string, redirectUri: string, verifier: string | null): Code | null {
    const kept = this.codes.get(code);
    this.codes.delete(code);
    const proven =
      kept !== undefined &&
      (kept.challenge === null ||
        (verifier !== null && createHash("sha256").update(verifier).digest("base64url") === kept.challenge));
    if (
      kept === undefined ||
      !proven ||
      kept.redirectUri !== redirectUri ||
      this.now() - kept.atMs > CODE_MS
    ) {
      this.counts.codesRefused++;
      return null;
    }
    this.counts.exchanged++;
    return kept;
  }

  issue(kind: "access" | "refresh", userId: string, scopes: readonly string[]): string {
    const atMs = this.now();
    const untilMs = kind === "access" ? atMs + this.accessS * 1000 : Number.MAX_SAFE_INTEGER;
    const claims: Claims = { kind, user: userId, scopes, atMs, untilMs, n: ++this.issued };
    const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
    return `${body}.${this.sign(kind, body)}`;
  }

  /** Null: no token of ours, another kind, ended, or taken back. */
  read(kind: "access" | "refresh", token: string): Access | null {
    const [body = "", signature = ""] = token.split(".");
    const ours = Buffer.from(this.sign(kind, body));
    const theirs = Buffer.from(signature);
    if (ours.length !== theirs.length || !timingSafeEqual(ours, theirs)) return null;
    const { user, scopes, atMs, untilMs } = JSON.parse(Buffer.from(body, "base64url").toString()) as Claims;
    const takenBack = this.revokedTokens.has(token) || atMs <= (this.revokedBefore.get(user) ?? -1);
    return takenBack || untilMs <= this.now() ? null : { userId: user, scopes, expiresAtMs: untilMs };
  }

  revoke(token: string): void {
    this.counts.revoked++;
    this.revokedTokens.add(token);
  }

  /** The person disconnected the application, or changed the password. */
  revokeAll(userId: string): void {
    this.counts.revoked++;
    this.revokedBefore.set(userId, this.now());
  }

  private sign(...parts: readonly string[]): string {
    return createHmac("sha256", "the demo's own").update(parts.join(" ")).digest("base64url");
  }
}
