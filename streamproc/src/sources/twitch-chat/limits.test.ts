import * as fc from "fast-check";
import { expect, test } from "vitest";
import { take, type Window } from "./limits.ts";

test("never more than 20 in any 11 s, however it is asked, and the wait it names is exact", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 200 }), (steps) => {
      const window: Window = { count: 20, windowMs: 11_000, grants: [] };
      const granted: number[] = [];
      let now = 0;
      for (const step of steps) {
        now += step;
        const wait = take(window, now);
        if (wait === 0) granted.push(now);
        else {
          expect(take(window, now + wait - 1)).toBeGreaterThan(0);
          now += wait;
          expect(take(window, now)).toBe(0);
          granted.push(now);
        }
      }
      for (let i = 20; i < granted.length; i++)
        expect((granted[i] ?? 0) - (granted[i - 20] ?? 0)).toBeGreaterThanOrEqual(11_000);
    }),
  );
});
