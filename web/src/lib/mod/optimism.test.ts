import { expect, test } from "vitest";
import type { CaseDesk } from "@hypecast/contracts/mod-change.ts";
import { hoped, undone } from "./optimism.ts";

const open: CaseDesk = {
  status: "open",
  entryId: null,
  act: null,
  by: null,
  atMs: null,
  why: null,
  reviewedBy: ["ana"],
  notes: 1,
};
const me = { key: "7", login: "pepel_lamp" };

test.each([
  ["delete", false, "asked"],
  ["delete", true, "recommended"],
  ["ban", true, "recommended"],
  ["approve", true, "approved"],
  ["false_positive", false, "false_positive"],
  ["note", false, "open"],
  ["review", false, "open"],
] as const)("%s, with Twitch away %s, is shown as %s", (act, recommends, status) => {
  expect(hoped(open, { act }, me, 5, recommends).status).toBe(status);
});

test("who has looked at a case is kept per person", () => {
  const seen = hoped(open, { act: "review" }, me, 5, false);
  expect(seen.reviewedBy).toEqual(["ana", "7"]);
  expect(hoped(seen, { act: "unreview" }, me, 5, false).reviewedBy).toEqual(["ana"]);
});

test("what is taken back leaves the case open, with its notes and its readers", () => {
  const done = hoped(open, { act: "timeout" }, me, 5, false);
  expect(done).toMatchObject({ act: "timeout", by: "pepel_lamp", atMs: 5 });
  expect(undone(done)).toEqual(open);
});
