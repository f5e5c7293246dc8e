import { createHash, timingSafeEqual } from "node:crypto";

export interface User {
  readonly name: string;
  readonly password: string;
  /** `writer` may do anything; `reader` may only read, within limits. */
  readonly role: "writer" | "reader";
}

/** Name of the read-only user, the same here and on a server (clickhouse/server/users.d). */
export const ANALYST = "analyst";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What a request shows: X-ClickHouse-User/-Key, Basic, or user and password in the URL. Null when it shows nothing. Throws a sentence for two kinds at once. */
export function credentialsOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  query: URLSearchParams,
): Credentials | null {
  const found: Credentials[] = [];
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const user = header("x-clickhouse-user");
  const key = header("x-clickhouse-key");
  if (user !== undefined || key !== undefined) found.push({ user: user ?? "default", password: key ?? "" });
  const basic = /^Basic (.+)$/i.exec(header("authorization") ?? "");
  if (basic) {
    const [name = "", ...rest] = Buffer.from(basic[1] ?? "", "base64")
      .toString("utf8")
      .split(":");
    found.push({ user: name, password: rest.join(":") });
  } else if (header("authorization") !== undefined) throw new Error("only Basic authorization is understood");
  if (query.has("user") || query.has("password"))
    found.push({ user: query.get("user") ?? "default", password: query.get("password") ?? "" });
  if (found.length > 1) throw new Error("credentials are given in more than one way");
  return found[0] ?? null;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The user, or null. Takes the same time whether the name or the password is wrong. Nobody named: the reader, where it has no password. */
export function authenticate(users: readonly User[], shown: Credentials | null): User | null {
  const given = shown ?? { user: ANALYST, password: "" };
  let match: User | null = null;
  for (const user of users) {
    const named = timingSafeEqual(digest(user.name), digest(given.user));
    const right = timingSafeEqual(digest(user.password), digest(given.password));
    if (named && right) match = user;
  }
  return match;
}
