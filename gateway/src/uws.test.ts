import { expect, test } from "vitest";
import { loadUws } from "./uws.ts";

test("the newest build that loads is taken, the older one where it does not", () => {
  const newer = { newer: true };
  const older = { older: true };
  expect(loadUws((name) => (name === "uws-new" ? newer : older))).toEqual({ uws: newer, build: "uws-new" });
  const onDebian12 = (name: string): unknown => {
    if (name === "uws-new") throw new Error("GLIBC_2.38 not found");
    return older;
  };
  expect(loadUws(onDebian12)).toEqual({ uws: older, build: "@uwsjs/core" });
});

test("where none loads, the sentence says why for each and what is needed", () => {
  const nothing = (name: string): unknown => {
    throw new Error(`This version supports only …\n\nError: Cannot find module ${name}`);
  };
  expect(() => loadUws(nothing)).toThrow(
    /no uWebSockets\.js loads under Node .*\n {2}uws-new: Error: Cannot find module uws-new\n {2}@uwsjs\/core: .*\nHypecast needs Node 22/,
  );
});
