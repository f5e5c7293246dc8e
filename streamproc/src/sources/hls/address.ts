import { execFile } from "node:child_process";
import type { WantedChannel } from "@hypecast/contracts/channel.ts";
import { NotFound } from "./fetch.ts";
import { Refused } from "./playlist.ts";

const COMMAND_MS = 20_000;
const COMMAND_BYTES = 64 * 1024;
/** A Streamlink takes a second of CPU: so many run at once, the others wait. */
const COMMANDS_AT_ONCE = 3;

/** Where a channel's picture comes from; null: from nowhere, and that is how it is meant. */
export type Address = { readonly playlist: string } | { readonly file: string } | null;

/** False: nothing says where the channel's picture is. */
export const hasAddress = ({ video, chat }: WantedChannel, twitchCommand: string): boolean =>
  video === null ? chat && twitchCommand.trim() !== "" : video !== "";

/** Reads what was wanted, or asks the operator's command. Throws what is wrong in a sentence. */
export async function addressOf(
  wanted: WantedChannel,
  { twitchCommand, filesAllowed }: { readonly twitchCommand: string; readonly filesAllowed: boolean },
  signal: AbortSignal,
): Promise<Address> {
  const { video } = wanted;
  if (!hasAddress(wanted, twitchCommand)) return null;
  if (video === null)
    return {
      playlist: await askCommand("TWITCH_VIDEO_COMMAND", twitchCommand, { login: wanted.login }, signal),
    };
  if (!URL.canParse(video)) throw new Refused("the address of the video is none", "bad_address");
  const { protocol } = new URL(video);
  if (protocol === "file:" && !filesAllowed)
    throw new Refused(
      "files are played only while HYPECAST_HOST is a loopback address: nobody else can name them then",
      "bad_address",
    );
  if (protocol === "file:") return { file: video };
  if (protocol === "http:" || protocol === "https:") return { playlist: video };
  throw new Refused(`${protocol} addresses are refused; only http: and https: are fetched`, "bad_address");
}

/**
 * The address that an operator's command prints. No shell: it is split at spaces, and a value, which has letters, digits and _ alone, stands where
 * its name stands in braces. `setting`: what the operator knows it by.
 */
export const askCommand = async (
  setting: string,
  command: string,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> => inTurn(() => run(setting, command, values, signal));

async function run(
  setting: string,
  command: string,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const filled = (word: string): string =>
    Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), word);
  const [program = "", ...args] = command.trim().split(/\s+/).map(filled);
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      program,
      args,
      {
        timeout: COMMAND_MS,
        maxBuffer: COMMAND_BYTES,
        signal,
        // Not our settings: they hold secrets.
        env: { PATH: process.env["PATH"], HOME: process.env["HOME"], LANG: "C.UTF-8" },
      },
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else if (error.code === "ENOENT")
          reject(new Refused(`${setting}: there is no program ${program}`, "no_program"));
        else if (error.name === "AbortError") reject(error);
        // It says so when the channel is offline, too.
        else reject(new NotFound(`${setting} gave no address: there is no picture, or see its words`));
      },
    );
  });
  const address = output.split(/\r?\n/).find((line) => /^https?:\/\/\S+$/.test(line.trim()));
  if (address === undefined) throw new NotFound(`${setting} printed no http(s) address`);
  return address.trim();
}

const waiting: (() => void)[] = [];
let running = 0;
async function inTurn<Result>(effect: () => Promise<Result>): Promise<Result> {
  if (running >= COMMANDS_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await effect();
  } finally {
    running--;
    waiting.shift()?.();
  }
}
