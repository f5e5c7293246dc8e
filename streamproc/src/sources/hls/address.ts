import { execFile } from "node:child_process";
import type { WantedChannel } from "@hypecast/contracts/channel.ts";
import { NotFound } from "./fetch.ts";
import { Refused } from "./playlist.ts";

const COMMAND_MS = 20_000;
const COMMAND_BYTES = 64 * 1024;

/** Where a channel's picture comes from; null: from nowhere, and that is how it is meant. */
export type Address = { readonly playlist: string } | { readonly file: string } | null;

/** Reads what was wanted, or asks the operator's command. Throws what is wrong in a sentence. */
export async function addressOf(
  wanted: WantedChannel,
  { twitchCommand, filesAllowed }: { readonly twitchCommand: string; readonly filesAllowed: boolean },
  signal: AbortSignal,
): Promise<Address> {
  const { video } = wanted;
  if (video === "") return null;
  if (video === null) {
    if (!wanted.chat || twitchCommand.trim() === "") return null;
    return { playlist: await askCommand(twitchCommand, wanted.login, signal) };
  }
  if (!URL.canParse(video)) throw new Refused("the address of the video is none");
  const { protocol } = new URL(video);
  if (protocol === "file:" && !filesAllowed)
    throw new Refused(
      "files are played only while HYPECAST_HOST is a loopback address: nobody else can name them then",
    );
  if (protocol === "file:") return { file: video };
  if (protocol === "http:" || protocol === "https:") return { playlist: video };
  throw new Refused(`${protocol} addresses are refused; only http: and https: are fetched`);
}

/** No shell: the command is split at spaces, and the login, which has letters, digits and _ alone, stands where it says {login}. */
async function askCommand(command: string, login: string, signal: AbortSignal): Promise<string> {
  const [program = "", ...args] = command
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll("{login}", login));
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
          reject(new Refused(`TWITCH_VIDEO_COMMAND: there is no program ${program}`));
        else if (error.name === "AbortError") reject(error);
        // It says so when the channel is offline, too.
        else
          reject(
            new NotFound("TWITCH_VIDEO_COMMAND gave no address: the channel is offline, or see its words"),
          );
      },
    );
  });
  const address = output.split(/\r?\n/).find((line) => /^https?:\/\/\S+$/.test(line.trim()));
  if (address === undefined) throw new NotFound("TWITCH_VIDEO_COMMAND printed no http(s) address");
  return address.trim();
}
