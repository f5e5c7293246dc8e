import type { z } from "zod";
import type { modRoutes } from "@hypecast/contracts/api-mod.ts";
import { HOUSE } from "@hypecast/contracts/journal.ts";
import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Command } from "./command.ts";

type Verified = z.infer<typeof modRoutes.modVerify.result>;

export const journal: Command = {
  name: "journal",
  usage: "journal verify [CHANNEL…]",
  says: "check that nobody has changed what moderation wrote down; without a channel: all that are watched",
  options: {},
  async run({ client, output, positionals }) {
    const [what, ...named] = positionals;
    if (what !== "verify") throw new Failure(EXIT.usage, "journal verify [CHANNEL…]");
    const logins =
      named.length > 0
        ? named
        : [
            HOUSE,
            ...((await client.call("GET", "/api/v1/channels")) as { channels: ChannelSummary[] }).channels
              .filter(({ chat }) => chat)
              .map(({ login }) => login),
          ];
    let broken = false;
    for (const login of logins) {
      const path = `/api/v1/mod/${encodeURIComponent(login)}/log/verify`;
      const found = (await client.call("GET", path)) as Verified;
      broken ||= found.broken !== null;
      output.result({ login, ...found }, () => told(login, found));
    }
    return broken ? EXIT.failed : EXIT.ok;
  },
};

function told(login: string, { entries, head, broken }: Verified): string {
  const whole = `${login}  ${entries} entries, each behind the one before; head ${head}`;
  return broken === null
    ? whole
    : `${login}  BROKEN at entry ${broken.number}: ${broken.why} (${entries} entries before it are whole)`;
}
