import type { Problem } from "@hypecast/contracts/api.ts";
import { m } from "../paraglide/messages.js";

/** Why the gateway (or the way to it) said no, in the page's language where we know the case, else in its own words. */
export function problemWords(problem: Problem): string {
  switch (problem.type.replace("/problems/", "")) {
    case "unreachable":
      return m.problem_unreachable();
    case "timeout":
      return m.problem_timeout();
    case "clip_not_kept":
      return m.clip_error_not_kept();
    case "clip_not_yet":
      return m.clip_error_not_yet();
    case "clip_nothing_left":
      return m.clip_error_nothing_left();
    case "clip_not_found":
      return m.problem_clip_not_found();
    case "clip_state":
      return m.problem_clip_state();
    case "too_many_clips":
      return m.problem_too_many_clips();
    case "too_many_requests":
      return m.problem_too_many_requests();
    case "forbidden":
      return m.problem_forbidden();
    case "twitch_away":
      return m.problem_twitch_away();
    case "internal":
      return m.problem_internal();
    case "busy":
    case "files_away":
    case "bus_down":
      return m.problem_away();
    case "no_video":
      return m.clip_error_no_video();
    default:
      return problem.action === undefined ? problem.detail : `${problem.detail} ${problem.action}`;
  }
}
