import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@hypecast/analytics/migrate.ts";
import { openStore } from "@hypecast/analytics/store.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { startClickHouse, STORE_PASSWORD, type Server } from "../servers.ts";

const folder = join(import.meta.dirname, "../../../deploy/grafana/dashboards");

interface Dashboard {
  title: string;
  panels: { title: string; targets: { rawSql: string }[] }[];
  templating: { list: { query: string }[] };
}

let clickhouse: Server;
beforeAll(async () => {
  clickhouse = await startClickHouse();
  const config = readConfig({
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
  });
  const store = openStore(config);
  await migrate(store, config, pino({ level: "silent" }));
  await store.close();
});
afterAll(() => clickhouse.close());

/** The macros of Grafana's ClickHouse data source that our queries use, and the dashboard's variable. */
const expand = (sql: string): string =>
  sql
    .replaceAll("$__fromTime_ms", "fromUnixTimestamp64Milli(1700000000000)")
    .replaceAll("$__toTime_ms", "fromUnixTimestamp64Milli(1700003600000)")
    .replaceAll("$channel", "'100000001'");

for (const file of readdirSync(folder)) {
  const dashboard = JSON.parse(readFileSync(join(folder, file), "utf8")) as Dashboard;
  const queries = [
    ...dashboard.panels.map((panel) => [panel.title, panel.targets[0]?.rawSql ?? ""] as const),
    ...dashboard.templating.list.map(({ query }) => ["channel list", query] as const),
  ];
  test.each(queries)(
    `${dashboard.title}: "%s" runs on the real schema as the read-only analyst`,
    async (_title, sql) => {
      const answer = await fetch(`${clickhouse.url}/?database=hypecast&default_format=JSON`, {
        method: "POST",
        headers: { "X-ClickHouse-User": "analyst" },
        body: expand(sql),
      });
      const text = await answer.text();
      expect(text.slice(0, 300)).not.toContain("Code:");
      expect(answer.status).toBe(200);
      expect(sql).not.toMatch(/\$__(?!fromTime_ms|toTime_ms)/);
    },
  );
}
