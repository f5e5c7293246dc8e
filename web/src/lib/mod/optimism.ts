import type { CaseDesk } from "@hypecast/contracts/mod-change.ts";
import type { ActWish } from "./api.ts";

/** Acts that somebody at Twitch's end has to carry out. */
const GOES_TO_TWITCH: ReadonlySet<string> = new Set([
  "delete",
  "timeout",
  "ban",
  "warn",
  "unban",
  "untimeout",
]);

export interface Who {
  key: string;
  login: string;
}

/**
 * The desk as it will stand if all goes well, shown until the gateway tells how it does stand; pure. `recommends`: Twitch is not connected,
 * so what would go there is only recommended.
 */
export function hoped(desk: CaseDesk, wish: ActWish, who: Who, atMs: number, recommends: boolean): CaseDesk {
  const by = { act: wish.act, by: who.login, atMs, why: null };
  switch (wish.act) {
    case "note":
      return { ...desk, notes: desk.notes + 1 };
    case "review":
      return { ...desk, reviewedBy: [...new Set([...desk.reviewedBy, who.key])] };
    case "unreview":
      return { ...desk, reviewedBy: desk.reviewedBy.filter((key) => key !== who.key) };
    case "approve":
      return { ...desk, ...by, status: "approved" };
    case "false_positive":
    case "allow_phrase":
      return { ...desk, ...by, status: "false_positive" };
    default:
      return {
        ...desk,
        ...by,
        status: GOES_TO_TWITCH.has(wish.act) && recommends ? "recommended" : "asked",
      };
  }
}

/** As if the last act had never been. */
export const undone = (desk: CaseDesk): CaseDesk => ({
  ...desk,
  status: "open",
  entryId: null,
  act: null,
  by: null,
  atMs: null,
  why: null,
});
