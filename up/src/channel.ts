import { parseArgs } from "node:util";
import type { Named } from "@hypecast/contracts/channel.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { namedOnCommandLine } from "./named.ts";

/** `./hypecast add CHANNEL…`, `remove CHANNEL…`, `channels`: the list of a running Hypecast, over its API. */
const { positionals, values } = parseArgs({ allowPositionals: true, options: { port: { type: "string" } } });
const [command, ...names] = positionals;
const config = readConfig({
  ...process.env,
  ...(values.port !== undefined && { HYPECAST_PORT: values.port }),
});
const address = `http://127.0.0.1:${config.HYPECAST_PORT}/api/v1/channels`;
const headers = {
  "content-type": "application/json",
  ...(config.HYPECAST_TOKEN !== "" && { authorization: `Bearer ${config.HYPECAST_TOKEN}` }),
};

const fail = (sentence: string): never => {
  console.error(`hypecast: ${sentence}`);
  process.exit(1);
};

function read(name: string): Named {
  try {
    return namedOnCommandLine(name, process.env["HYPECAST_CALLED_FROM"] ?? ".");
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

async function ask(method: string, path = "", body?: unknown): Promise<unknown> {
  const answer = await fetch(address + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() =>
    fail(
      `nothing answers on ${new URL(address).origin}; is it running? (./hypecast up, or --port N of one that is)`,
    ),
  );
  const text = await answer.text();
  if (answer.ok) return text === "" ? null : JSON.parse(text);
  const problem = JSON.parse(text) as { detail: string; action?: string };
  return fail([problem.detail, problem.action].filter(Boolean).join(" "));
}

if (command !== "channels" && names.length === 0)
  fail(`which channel? ./hypecast ${command} <login, link, playlist or file>…`);
for (const name of names) {
  const { login, video, chat } = read(name);
  if (command === "add") await ask("POST", "", { channel: login, video, chat });
  else if (command === "remove") await ask("DELETE", `/${login}`);
}
const { channels } = (await ask("GET")) as {
  channels: { login: string; paused: boolean; state: { state: string; reason: string | null } | null }[];
};
for (const { login, paused, state } of channels)
  console.log(
    `${login.padEnd(26)} ${paused ? "paused" : (state?.state ?? "waiting for a source")}${state?.reason ? `: ${state.reason}` : ""}`,
  );
if (channels.length === 0) console.log("no channels yet: ./hypecast add <login, link, playlist or file>");
