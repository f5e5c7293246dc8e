import { SYSTEM } from "@hypecast/contracts/journal.ts";
import { connectBus } from "./bus.ts";
import { readConfig } from "./config.ts";
import { openJournal } from "./journal.ts";
import { openSecret } from "./secret.ts";

// A process for the tests to kill: writes the same entries in the same order, each until it is confirmed.
const config = readConfig(process.env);
const nc = await connectBus(config, "test");
const journal = await openJournal(nc, openSecret(config));
const [writer = "", count = "0"] = process.argv.slice(2);
for (let i = 0; i < Number(count); i++) {
  const draft = { channelId: "1", id: `${writer}-${i}`, by: SYSTEM, act: "note" } as const;
  for (;;)
    try {
      await journal.append({
        ...draft,
        private: { userId: `${i % 7}`, login: `user${i % 7}`, lineIds: [], text: "", words: `${i}` },
      });
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
process.exit(0);
