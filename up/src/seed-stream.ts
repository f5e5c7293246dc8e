import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";

/** The stand-in's finished stream (demo/src/vod.ts). */
const LINK = "https://www.twitch.tv/videos/1310000031";

/**
 * Asks for the demo's finished stream to be imported, as a person would by its link, once in the life of a data folder: who deletes it does not find it
 * again at the next start. It is imported in the background.
 */
export async function seedTheStream(
  config: Config,
  dataFolder: string,
  tell: (line: string) => void,
): Promise<void> {
  const asked = join(dataFolder, "stream-asked-for");
  if (existsSync(asked)) return;
  const answer = await fetch(`http://127.0.0.1:${config.HYPECAST_PORT}/api/v1/streams`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(config.HYPECAST_TOKEN === "" ? {} : { Authorization: `Bearer ${config.HYPECAST_TOKEN}` }),
    },
    body: JSON.stringify({ url: LINK }),
  });
  if (!answer.ok) {
    tell(`the demo's finished stream could not be asked for: ${(await answer.text()).slice(0, 300)}`);
    return;
  }
  writeFileSync(asked, `${LINK}\n`);
  tell("the demo's finished stream is being imported: see the library");
}
