import type { ParseArgsOptionsConfig } from "node:util";
import type { Client } from "../client.ts";
import type { ExitCode } from "../failure.ts";
import type { Output } from "../output.ts";

export interface Call {
  readonly client: Client;
  readonly output: Output;
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly language: "en" | "ru";
  readonly signal: AbortSignal;
}

/** One file a command. */
export interface Command {
  readonly name: string;
  /** How it is called, without the program's name. */
  readonly usage: string;
  /** One line. */
  readonly says: string;
  readonly options: ParseArgsOptionsConfig;
  run(call: Call): Promise<ExitCode>;
}

export const text = (value: string | boolean | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;
