import { expect, test } from "vitest";
import { gaugeRays, METER_STATES, RAYS } from "./gauge.ts";

const count = (rays: ReturnType<typeof gaugeRays>, tone: string): number =>
  rays.filter((ray) => ray.tone === tone).length;

test("rays are lit up to the value, and the needle stands on it", () => {
  const rays = gaugeRays("live", 78);
  expect(count(rays, "heat")).toBe(47); // 0 … 46 of 60 steps: 46/60 = 76.7 %, 47/60 would be 78.3 %
  expect(rays.at(-1)).toMatchObject({ tone: "bright", share: 0.78 });
  expect(gaugeRays("live", 0).filter(({ tone }) => tone === "heat")).toHaveLength(1);
  expect(count(gaugeRays("live", 100), "heat")).toBe(RAYS);
});

test("heat burns only where something is measured now", () => {
  for (const state of METER_STATES)
    expect(gaugeRays(state, 60).some(({ tone }) => tone === "heat")).toBe(
      state === "live" || state === "capped",
    );
});

test("each of the seven states has a shape of its own, colour apart", () => {
  const shape = (state: (typeof METER_STATES)[number]): string =>
    gaugeRays(state, 62)
      .map(({ share, inner, outer, width, dot }) =>
        [share.toFixed(3), inner.toFixed(3), outer, width, dot].join(),
      )
      .join(";");
  expect(new Set(METER_STATES.map(shape)).size).toBe(METER_STATES.length);
});

test("warming shows how much is done: bars, then dots ahead", () => {
  const rays = gaugeRays("warming", 50);
  expect(rays.filter(({ dot }) => dot)).toHaveLength(30);
  expect(rays.filter(({ dot }) => !dot)).toHaveLength(31);
});

test("too sparse is eleven dots and no scale, an error has no needle", () => {
  expect(gaugeRays("sparse", 4)).toHaveLength(11);
  expect(gaugeRays("error", 0).every(({ dot }) => dot)).toBe(true);
});
