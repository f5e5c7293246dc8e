import { expect, test } from "vitest";
import { createFollow } from "./events.ts";
import type { EventBody, Request } from "./http.ts";
import { ProblemError } from "./problems.ts";

const request = { method: "GET", header: () => "" } as unknown as Request;

test("who loses the role while they follow a record is told nothing more of it, and may not begin again", () => {
  let role = true;
  let revision = 1;
  const follow = createFollow<number>();
  const reply = () =>
    follow.reply(
      "one",
      () => revision,
      (value) => ({ revision: value, isFinal: false, data: value }),
      request,
      () => {
        if (!role) throw new ProblemError("forbidden", "no role");
      },
    );
  const told: string[] = [];
  let ended = 0;
  const { body } = reply() ?? {};
  (body as EventBody).follow({ tell: (event) => told.push(event), end: () => ended++ });
  follow.changed("one", (revision = 2));
  expect(told.map((event) => event.split("\n")[0])).toEqual(["id: 1", "id: 2"]);
  role = false;
  follow.changed("one", (revision = 3));
  expect([told.length, ended]).toEqual([2, 1]);
  expect(reply).toThrow("no role");
});
