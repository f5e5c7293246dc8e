import { parseArgs } from "node:util";
import { createClient } from "./client.ts";
import { commands } from "./commands/index.ts";
import { text, type Command } from "./commands/command.ts";
import { completion } from "./completion.ts";
import { EXIT, Failure, type ExitCode } from "./failure.ts";
import { createOutput } from "./output.ts";

/** Options of every command. */
const SHARED = {
  url: { type: "string" },
  port: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
  lang: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** `hypecast import|search|ask|render|status|export`: imported streams over the API of a running Hypecast, here or elsewhere. */
async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === "completion") {
    process.stdout.write(completion(rest[0] ?? "bash", commands, Object.keys(SHARED)));
    return EXIT.ok;
  }
  if (name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(usage());
    return EXIT.ok;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined)
    throw new Failure(
      EXIT.usage,
      `${name === undefined ? "which command?" : `no command '${name}'`}\n${usage()}`,
    );
  const { positionals, values } = parsed(command, rest);
  if (values["help"] === true) {
    process.stdout.write(`hypecast ${command.usage}\n  ${command.says}\n${SHARED_HELP}`);
    return EXIT.ok;
  }
  const leaving = new AbortController();
  process.once("SIGINT", () => {
    leaving.abort();
    process.exitCode = 130;
  });
  const port = text(values["port"]) ?? env["HYPECAST_PORT"] ?? "4200";
  return command.run({
    client: createClient({
      url: address(text(values["url"]) ?? env["HYPECAST_URL"] ?? `http://127.0.0.1:${port}`),
      token: text(values["token"]) ?? env["HYPECAST_TOKEN"] ?? "",
    }),
    output: createOutput(values["json"] === true),
    positionals,
    values,
    language: languageOf(text(values["lang"]), env),
    signal: leaving.signal,
  });
}

const SHARED_HELP = `Options of every command: --url ADDRESS (HYPECAST_URL, http://127.0.0.1:4200) · --port N · --token TOKEN (HYPECAST_TOKEN) · --json · --lang en|ru
Ends with 0 done, 1 failed, 2 not understood, 3 not found, 4 nothing answers, 5 no valid token.
`;

const usage = (): string =>
  [...commands.map((command) => `hypecast ${command.usage}\n  ${command.says}`), SHARED_HELP].join("\n");

function parsed(
  command: Command,
  args: string[],
): { positionals: string[]; values: Record<string, string | boolean | undefined> } {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...SHARED, ...command.options },
    });
    return { positionals, values: values as Record<string, string | boolean | undefined> };
  } catch (error) {
    throw new Failure(
      EXIT.usage,
      `${error instanceof Error ? error.message : String(error)}\nhypecast ${command.usage}`,
    );
  }
}

function address(given: string): string {
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given))
    throw new Failure(EXIT.usage, `--url ${given}: an address that begins with http:// or https://`);
  return given.replace(/\/+$/, "");
}

function languageOf(given: string | undefined, env: NodeJS.ProcessEnv): "en" | "ru" {
  if (given === undefined)
    return /^ru/i.test(env["LC_ALL"] || env["LC_MESSAGES"] || env["LANG"] || "") ? "ru" : "en";
  if (given === "en" || given === "ru") return given;
  throw new Failure(EXIT.usage, `--lang ${given}: en or ru`);
}

// Whoever reads the results may have read enough ("| head").
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.ok);
});

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (error) {
  if (!(error instanceof Failure)) {
    // Ctrl-C breaks whatever was under way: that is what was asked for.
    if (process.exitCode === 130) process.exit(130);
    throw error;
  }
  process.stderr.write(`hypecast: ${error.message}\n`);
  process.exitCode = error.code;
}
