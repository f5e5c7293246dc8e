import { expect, test } from "vitest";
import { joinExpositions } from "./exposition.ts";

const of = (part: string, value: number): string =>
  `# HELP hypecast_lines_total Lines.\n# TYPE hypecast_lines_total counter\nhypecast_lines_total{part="${part}"} ${value}\n\n# HELP hypecast_${part} Own.\n# TYPE hypecast_${part} gauge\nhypecast_${part}{part="${part}"} 1\n`;

test("metrics of several processes become one exposition: each name's head once, its samples together", () => {
  expect(joinExpositions([of("sink", 1), of("gateway", 2)])).toBe(
    `# HELP hypecast_lines_total Lines.
# TYPE hypecast_lines_total counter
hypecast_lines_total{part="sink"} 1
hypecast_lines_total{part="gateway"} 2

# HELP hypecast_sink Own.
# TYPE hypecast_sink gauge
hypecast_sink{part="sink"} 1

# HELP hypecast_gateway Own.
# TYPE hypecast_gateway gauge
hypecast_gateway{part="gateway"} 1

`,
  );
});
