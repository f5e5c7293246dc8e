import { connectBus } from "@hypecast/runtime/bus.ts";
import { run } from "@hypecast/runtime/run.ts";
import { startActs } from "./part.ts";

// The part alone, as a process for the tests to kill.
await run("acts", async (part) => {
  const nc = await connectBus(part.config, "acts");
  part.own({ close: () => nc.close() });
  await startActs(part, nc);
});
