/** One metric of a Prometheus text page. */
interface Family {
  type: string;
  readonly samples: { name: string; labels: Map<string, string>; value: number }[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const VALUE = "NaN|[+-]Inf|[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?";
const HELP = new RegExp(`^# HELP (${NAME}) \\S`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL}(?:,${LABEL})*)?)\\})? (${VALUE})$`);

/**
 * Reads a page as Prometheus' text format 0.0.4 says it must be, and throws at the first line that is not: HELP and TYPE once
 * and first, a metric's samples together, no series twice, whole histograms whose buckets never fall.
 */
export function readExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let name = "";
  for (const [at, line] of text.split("\n").entries()) {
    const wrong = (what: string): never => {
      throw new Error(`line ${at + 1}: ${what}: ${line.slice(0, 200)}`);
    };
    if (line === "") continue;
    if (line.startsWith("# HELP")) {
      name = HELP.exec(line)?.[1] ?? wrong("no HELP");
      if (families.has(name)) wrong("a metric begins twice");
      families.set(name, { type: "", samples: [] });
      continue;
    }
    const family = families.get(name) ?? wrong("before any HELP");
    if (line.startsWith("#")) {
      const [, of, type = ""] = TYPE.exec(line) ?? wrong("neither HELP nor TYPE");
      if (of !== name || family.type !== "" || family.samples.length > 0) wrong("a TYPE out of place");
      family.type = type;
      continue;
    }
    const [, of = "", labelText = "", value = ""] = SAMPLE.exec(line) ?? wrong("no sample");
    const suffix = of.slice(name.length);
    const suffixes = { histogram: ["_bucket", "_sum", "_count"], summary: ["", "_sum", "_count"] };
    if (
      !of.startsWith(name) ||
      !(suffixes[family.type as keyof typeof suffixes] ?? [""]).includes(suffix) ||
      family.type === ""
    )
      wrong(`not of ${name}`);
    const labels = new Map(
      [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", said = ""]) => [key, said]),
    );
    const key = `${of} ${[...labels].map(String).toSorted().join()}`;
    if (series.has(key)) wrong("a series twice");
    series.add(key);
    const number = value.endsWith("Inf") ? Number(value.replace("Inf", "Infinity")) : Number(value);
    family.samples.push({ name: of, labels, value: number });
  }
  for (const [histogram, { type, samples }] of families)
    if (type === "histogram") checkBuckets(histogram, samples);
  return families;
}

function checkBuckets(histogram: string, samples: Family["samples"]): void {
  const rest = (labels: Map<string, string>): string =>
    [...labels]
      .filter(([key]) => key !== "le")
      .map(String)
      .toSorted()
      .join();
  const counts = new Map(
    samples.flatMap(({ name, labels, value }) => (name.endsWith("_count") ? [[rest(labels), value]] : [])),
  );
  const buckets = new Map<string, Family["samples"]>();
  for (const sample of samples)
    if (sample.name.endsWith("_bucket"))
      buckets.set(rest(sample.labels), [...(buckets.get(rest(sample.labels)) ?? []), sample]);
  for (const [key, steps] of buckets) {
    const values = steps.map(({ value }) => value);
    if (values.some((value, i) => value < (values[i - 1] ?? 0)))
      throw new Error(`${histogram}{${key}}: its buckets fall`);
    if (steps.at(-1)?.labels.get("le") !== "+Inf" || values.at(-1) !== counts.get(key))
      throw new Error(`${histogram}{${key}}: its last bucket is not all`);
  }
}
