import { expect, test } from "vitest";
import { csvMarkers, edlMarkers, fcpxmlMarkers, markersOf, youtubeChapters, type Marker } from "./markers.ts";
import type { Moment } from "./moment.ts";

const marker = (fromS: number, toS: number, name = `at ${fromS}`, score = 50): Marker => ({
  fromMs: fromS * 1000,
  toMs: toS * 1000,
  peakMs: fromS * 1000 + 500,
  name,
  kind: "hype",
  score,
});

test("times count from the timeline's zero, and what turned out to be no moment is no marker", () => {
  const moment = (startMs: number, state: Moment["state"] = "final"): Moment =>
    ({
      startMs,
      endMs: startMs + 20_000,
      peakMs: startMs + 9000,
      state,
      kind: "funny",
      subject: "LUL",
      reasons: { "chat.times": 12.4 },
      score: 80,
    }) as unknown as Moment;
  const options = { zeroMs: 1_000_000, endMs: 2_000_000, fps: 30, title: "x", language: "en" } as const;
  const markers = markersOf(
    [moment(1_060_000), moment(1_010_000), moment(1_030_000, "withdrawn"), moment(990_000)],
    options,
  );
  expect(markers.map(({ fromMs, name }) => [fromMs, name])).toEqual([
    [10_000, "Chat bursts out laughing: LUL ×12"],
    [60_000, "Chat bursts out laughing: LUL ×12"],
  ]);
});

test("a CSV field may hold commas and quotes, and is no formula", () => {
  const text = csvMarkers([marker(1, 2, '=HYPERLINK("evil"), he said')], 30);
  expect(text.split("\r\n")[1]).toBe(
    '1,"\'=HYPERLINK(""evil""), he said",hype,00:00:01:00,00:00:02:00,00:00:01:15,1.000,2.000,50',
  );
  expect(text.endsWith("\r\n")).toBe(true);
});

test.each([
  [30, 3600, "01:00:00:00"],
  [25, 3600, "01:00:00:00"],
  // Non-drop: after an hour of 29.97 the code is 108 frames behind.
  [29.97, 3600, "00:59:56:12"],
  [59.94, 60, "00:00:59:56"],
  [60, 90_000, "01:00:00:00"],
])("an EDL at %d fps says %d s as %s", (fps, atS, code) => {
  const edl = edlMarkers([marker(atS, atS + 10)], fps, "A stream");
  expect(edl.split("\r\n")[3]?.slice(29, 40)).toBe(code);
});

test("an EDL is CMX 3600: title, mode, numbered events with four timecodes, at least a frame each", () => {
  const lines = edlMarkers([marker(1, 1), marker(5, 20, "a | b")], 30, "A\nstream").split("\r\n");
  expect(lines.slice(0, 3)).toEqual(["TITLE: A stream", "FCM: NON-DROP FRAME", ""]);
  const events = lines.filter((line) => /^\d{3} /.test(line));
  const code = String.raw`\d\d:\d\d:\d\d:\d\d`;
  for (const event of events)
    expect(event).toMatch(new RegExp(`^\\d{3}  AX       V     C        ${code} ${code} ${code} ${code}$`));
  expect(events[0]).toContain("00:00:01:00 00:00:01:01");
  expect(lines).toContain(" |C:ResolveColorBlue |M:a / b |D:450");
});

test("FCPXML is well-formed with hostile names, and its times are whole frames", () => {
  const text = fcpxmlMarkers([marker(10, 20, `<b>"&'\u0000\u202e]]>`)], 29.97, "A & B", 60_000);
  const opened: string[] = [];
  for (const [, closing, name = "", selfClosing] of text.matchAll(
    /<(\/?)([a-z]+)(?:\s+[a-zA-Z]+="[^"<]*")*\s*(\/?)>/g,
  ))
    if (closing === "/") expect(opened.pop()).toBe(name);
    else if (selfClosing !== "/") opened.push(name);
  expect(opened).toEqual([]);
  // Nothing but the declaration and the type stands outside of what was matched.
  expect(text.replaceAll(/<(\/?)([a-z]+)(?:\s+[a-zA-Z]+="[^"<]*")*\s*(\/?)>/g, "").trim()).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>',
  );
  expect(text).toContain('value="&lt;b&gt;&quot;&amp;&apos;]]&gt;"');
  expect(text).toContain('frameDuration="1001/30000s"');
  for (const [, frames] of text.matchAll(/(?:start|duration|offset)="(\d+)\/30000s"/g))
    expect(Number(frames) % 1001).toBe(0);
});

test("chapters begin at 0:00, stand ten seconds apart, and the stronger of two neighbours stays", () => {
  const text = youtubeChapters(
    [
      marker(4, 9, "too early"),
      marker(30, 40, "weak", 10),
      marker(35, 50, "strong", 90),
      marker(3700, 3720, "late"),
      marker(3995, 3999, "too late"),
    ],
    4_000_000,
    "en",
  );
  expect(text).toBe("0:00 Start\n0:35 strong\n1:01:40 late\n");
});

test("two chapters are none", () => {
  expect(youtubeChapters([marker(30, 40)], 600_000, "ru")).toBeNull();
});
