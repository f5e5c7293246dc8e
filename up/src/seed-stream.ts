import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";

/** The stand-in's finished stream (demo/src/vod.ts). */
const LINK = "https://www.twitch.tv/videos/1310000031";

/** How often the stand-in is asked whether its picture is whole. */
const LOOK_EVERY_MS = 30_000;

/**
 * Asks for the demo's finished stream to be imported, as a person would by its link, once in the life of a data folder: who deletes it does not find it
 * again at the next start. It is imported in the background.
 */
export async function seedTheStream(
  config: Config,
  dataFolder: string,
  demoPort: number,
  tell: (line: string) => void,
): Promise<void> {
  const asked = join(dataFolder, "stream-asked-for");
  if (existsSync(asked)) return;
  const streams = `http://127.0.0.1:${config.HYPECAST_PORT}/api/v1/streams`;
  const ask = (path: string, method: string, body: object): Promise<Response> =>
    fetch(`${streams}${path}`, {
      method,
      headers: {
        "Content-Type": "application/json",
        ...(config.HYPECAST_TOKEN === "" ? {} : { Authorization: `Bearer ${config.HYPECAST_TOKEN}` }),
      },
      body: JSON.stringify(body),
    });
  const answer = await ask("", "POST", { url: LINK });
  if (!answer.ok) {
    tell(`the demo's finished stream could not be asked for: ${(await answer.text()).slice(0, 300)}`);
    return;
  }
  const { task_id: id } = (await answer.json()) as { task_id: string };
  writeFileSync(asked, `${LINK}\n`);
  tell("the demo's finished stream is being imported: see the library");

  // In a new folder the stand-in draws for a while: until then there is chat alone.
  const playlist = `http://127.0.0.1:${demoPort}/vod/${LINK.split("/").at(-1)}/master.m3u8`;
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  looking.unref();
  async function look(): Promise<void> {
    if (!(await fetch(playlist)).ok) return;
    const taken = await ask(`/${id}`, "PATCH", { job: "retry" });
    // 409: it is being imported still, or it has its picture.
    if (taken.ok || taken.status === 404) clearInterval(looking);
  }
}
