import { isIP } from "node:net";
import { isInside } from "@hypecast/runtime/inside.ts";

/** Why nothing is sent to an address, as far as it says so itself; null: it may be. */
export function addressProblem(url: string, allowPrivate: boolean): string | null {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return "only http and https are sent to";
  const host = hostname.replace(/^\[|\]$/g, "");
  if (
    !allowPrivate &&
    (host === "localhost" || host.endsWith(".localhost") || (isIP(host) !== 0 && isInside(host)))
  )
    return "it is a private address; HYPECAST_WEBHOOK_PRIVATE=1 allows those";
  return null;
}
