import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { namedChannel, type Named } from "@hypecast/contracts/channel.ts";

/**
 * What a person names on the command line: a Twitch channel, the address of a playlist, a file, or `<channel>=<address or file>`. A file is
 * meant from where the person stands. Throws a sentence when it is none of these.
 */
export function namedOnCommandLine(text: string, calledFrom: string): Named {
  const [, name, given = text] = /^([\w@#]+)=(.+)$/.exec(text) ?? [];
  const path = resolve(calledFrom, given);
  if (
    /^(?:\.{0,2}\/|.*\.(?:mp4|m4v|mkv|mov|webm|ts|flv|avi)$)/i.test(given) &&
    !given.includes("://") &&
    !existsSync(path)
  )
    throw new Error(`there is no file ${path}`);
  const isFile = !/^[a-z]+:\/\//i.test(given) && /[./]/.test(given) && existsSync(path);
  const address = isFile ? pathToFileURL(path).href : given;
  const named = namedChannel(name === undefined ? address : `${name}=${address}`);
  if (named === null)
    throw new Error(
      `"${text}" is no Twitch channel, no address of an HLS playlist and no file: give a login, a link, an address, or channel=address`,
    );
  return named;
}
