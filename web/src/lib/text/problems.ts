import type { Problem } from "@hypecast/contracts/api.ts";
import { m } from "../paraglide/messages.js";

/** Why the gateway (or the way to it) said no, in the page's language where we know the case, else in its own words. */
export function problemWords(problem: Problem): string {
  switch (problem.type.replace("/problems/", "")) {
    case "unreachable":
      return m.problem_unreachable();
    case "timeout":
      return m.problem_timeout();
    case "not_kept":
      return m.clip_error_not_kept();
    case "not_yet":
      return m.clip_error_not_yet();
    case "no_video":
      return m.clip_error_no_video();
    case "too_short":
    case "bad_span":
      return m.clip_error_too_short();
    case "too_long":
      return m.clip_error_too_long();
    default:
      return problem.action === undefined ? problem.detail : `${problem.detail} ${problem.action}`;
  }
}
