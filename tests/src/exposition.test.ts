import { expect, test } from "vitest";
import { readExposition } from "./exposition.ts";

const page = (...lines: string[]): string =>
  `# HELP a_total Of it.\n# TYPE a_total counter\n${lines.join("\n")}\n`;
const histogram = (first: number, last: number, count: number): string =>
  `# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} ${first}\nh_bucket{le="+Inf"} ${last}\nh_sum 1.5e-3\nh_count ${count}\n`;

test("a page as Prometheus wants it is read, with its labels", () => {
  const { samples } = readExposition(page('a_total{part="x",why="a \\"b\\", c"} 1', "a_total NaN")).get(
    "a_total",
  ) ?? {
    samples: [],
  };
  expect(samples.map(({ labels }) => labels.get("part"))).toEqual(["x", undefined]);
  expect(readExposition(histogram(1, 2, 2)).get("h")?.samples).toHaveLength(4);
});

test.each([
  ["a value that is none", page("a_total one")],
  ["a label without quotes", page("a_total{part=x} 1")],
  ["a sample of another metric", page("b_total 1")],
  ["a bucket of a counter", page('a_total_bucket{le="1"} 1')],
  ["a series twice", page('a_total{p="1",q="2"} 1', 'a_total{q="2",p="1"} 1')],
  ["a metric twice", page("a_total 1") + page("a_total 1")],
  ["a sample without TYPE", "# HELP a A.\na 1\n"],
  ["no end of the last line", page("a_total 1").trimEnd()],
  ["buckets that fall", histogram(3, 2, 2)],
  ["a last bucket that is not the count", histogram(1, 2, 3)],
])("%s is refused", (_what, text) => {
  expect(() => readExposition(text)).toThrow();
});
