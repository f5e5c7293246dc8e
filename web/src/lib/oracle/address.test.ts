import { expect, test } from "vitest";
import { addressOf, placeFrom } from "./address.ts";

const read = (address: string) => placeFrom(new URL(address, "http://x").searchParams);
const STREAM = "_mi1aaaaawhole00000";

test("what the page shows survives its address", () => {
  const place = { answer: "0mwwt5clqnv8", hit: 2, stream: STREAM, channel: null, question: null };
  expect(read(addressOf(place))).toEqual(place);
  expect(addressOf({})).toBe("/oracle");
  // The first place is where an answer opens.
  expect(addressOf({ answer: "0mwwt5clqnv8", hit: 1 })).toBe("/oracle?a=0mwwt5clqnv8");
  expect(read(addressOf({ question: "где он упал & где смеялись?" })).question).toBe(
    "где он упал & где смеялись?",
  );
});

test("what an address does not say right says nothing", () => {
  expect(read("/oracle?a=../../x&hit=-3&stream=A%20B&channel=%3Cb%3E&q=%20")).toEqual({
    answer: null,
    hit: null,
    stream: null,
    channel: null,
    question: null,
  });
});
