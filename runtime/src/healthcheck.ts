import { partReport, REPORT_FILTER } from "@hypecast/contracts/system.ts";
import { connect } from "@nats-io/transport-node";
import { readConfig } from "./config.ts";
import { hostName } from "./run.ts";

/**
 * For a container's health check: `node runtime/src/healthcheck.ts sink questions` ends with 0 when each named part of this
 * host has reported itself within three seconds and is not down, else with 1 and the reason.
 */
const missing = new Set(process.argv.slice(2));
const nc = await connect({ servers: readConfig(process.env).HYPECAST_NATS_URL.split(","), timeout: 2000 });
const reports = nc.subscribe(REPORT_FILTER);
setTimeout(() => reports.unsubscribe(), 3000);
for await (const message of reports) {
  const report = partReport.safeParse(message.json());
  if (!report.success || !report.data.instance.startsWith(`${hostName}-`)) continue;
  if (report.data.status !== "down") missing.delete(report.data.part);
  if (missing.size === 0) break;
}
if (missing.size > 0) console.error(`no healthy report within 3 s from: ${[...missing].join(", ")}`);
process.exit(missing.size === 0 ? 0 : 1);
