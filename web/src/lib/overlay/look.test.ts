import { describe, expect, test } from "vitest";
import {
  LEAST_BETWEEN_MS,
  overlayAddress,
  overlayFrom,
  POP_MS,
  popped,
  USUAL_OVERLAY,
  type OverlayChoice,
  type Pop,
} from "./look.ts";

describe("an overlay's address", () => {
  test.each<OverlayChoice>([
    USUAL_OVERLAY,
    { parts: ["forecast"], size: 140, align: "right", ground: 0, text: "ffffff", accent: "ff00aa" },
  ])("holds the choice and gives it back: %o", (choice) => {
    const address = overlayAddress("pepel_lamp", choice);
    expect(overlayFrom(new URL(address, "http://x").searchParams)).toEqual(choice);
  });
  test("says nothing where everything is as usual", () => {
    expect(overlayAddress("pepel_lamp", USUAL_OVERLAY)).toBe("/overlay/pepel_lamp");
  });
  test("with nonsense in it is as usual", () => {
    const query = new URLSearchParams(
      "parts=all,<script>&size=x&ground=NaN&text=red;background:url(//x)&align=up&accent=12345",
    );
    expect(overlayFrom(query)).toEqual(USUAL_OVERLAY);
    expect(overlayFrom(new URLSearchParams("size=99999&ground=-4"))).toMatchObject({ size: 300, ground: 0 });
  });
});

describe("bursts pop up", () => {
  const none: Pop<{ id: string }> = { shown: null, sinceMs: -1e9, seen: new Set() };
  test("one at a time, each once, and never again", () => {
    let pop = popped(none, [{ id: "a" }], 0);
    expect(pop.shown?.id).toBe("a");
    pop = popped(pop, [{ id: "b" }, { id: "a" }], POP_MS - 1);
    expect(pop.shown?.id).toBe("a");
    pop = popped(pop, [{ id: "b" }, { id: "a" }], POP_MS);
    expect(pop.shown).toBeNull();
    pop = popped(pop, [{ id: "b" }, { id: "a" }], POP_MS + LEAST_BETWEEN_MS);
    expect(pop.shown?.id).toBe("b");
    pop = popped(pop, [{ id: "a" }], 1e6);
    expect(popped(pop, [{ id: "a" }, { id: "b" }], 2e6).shown).toBeNull();
  });
  test("however many come, the picture changes far less than three times a second", () => {
    let pop = none;
    const changes: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 50) {
      const next = popped(pop, [{ id: `x${ms}` }], ms);
      if (next.shown?.id !== pop.shown?.id) changes.push(ms);
      pop = next;
    }
    expect(changes.length).toBeGreaterThan(10);
    for (let i = 1; i < changes.length; i++)
      expect((changes[i] ?? 0) - (changes[i - 1] ?? 0)).toBeGreaterThanOrEqual(LEAST_BETWEEN_MS);
  });
});
