import { join, resolve } from "node:path";
import { run } from "@hypecast/runtime/run.ts";
import { ENGINE_LIMITS } from "./limits.ts";
import { listen } from "./http.ts";
import { Engine } from "./sessions.ts";
import { ANALYST, type User } from "./users.ts";

/** ClickHouse as a library, behind ClickHouse's HTTP protocol on loopback: what a server is to production. */
await run("store", async ({ config, log, own }) => {
  if (config.HYPECAST_CLICKHOUSE_PASSWORD === "")
    throw new Error(
      "HYPECAST_CLICKHOUSE_PASSWORD is empty: whoever writes must show one (`./hypecast up` makes one for each data folder)",
    );
  const url = new URL(config.HYPECAST_CLICKHOUSE_URL);
  const folder = resolve(config.HYPECAST_DATA);
  const engine = own(
    Engine.open(
      join(folder, "clickhouse"),
      config.HYPECAST_CLICKHOUSE_DATABASE,
      config.HYPECAST_CLICKHOUSE_MEMORY_MB,
    ),
  );
  const writer: User = {
    name: config.HYPECAST_CLICKHOUSE_USER,
    password: config.HYPECAST_CLICKHOUSE_PASSWORD,
    role: "writer",
  };
  const analyst: User = { name: ANALYST, password: config.HYPECAST_ANALYST_PASSWORD, role: "reader" };
  own(
    await listen({
      engine,
      users: [writer, analyst],
      database: config.HYPECAST_CLICKHOUSE_DATABASE,
      host: url.hostname.replaceAll(/[[\]]/g, ""),
      port: Number(url.port || 80),
      limits: ENGINE_LIMITS,
      log,
    }),
  );
});
