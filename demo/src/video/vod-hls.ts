import type { Answer } from "../answer.ts";
import { VOD_CREATED_AT_MS, VOD_ID } from "../vod.ts";
import { masterPlaylist, mediaPlaylist } from "./playlists.ts";
import type { Studio } from "./studio.ts";

const LOGIN = "pepel_lamp";
const M3U8 = "application/vnd.apple.mpegurl";

/** `<VOD_ID>/master.m3u8` and what is below it: the finished stream's picture, once all of it is rendered. Null: the path is none of these. */
export async function vodHls(path: string, studio: Studio | null): Promise<Answer | null> {
  const [id, rendition = "", file = "", ...more] = path.split("/");
  if (id !== VOD_ID || more.length > 0) return null;
  const finished = studio?.finished(LOGIN) ?? null;
  if (finished === null)
    return { status: 404, type: "text/plain", body: "the demo has not rendered all of this video yet" };
  const { film, segments } = finished;
  const text = (body: string): Answer => ({ status: 200, type: M3U8, body });
  if (rendition === "master.m3u8" && file === "") return text(masterPlaylist(film.renditions, null));
  if (!film.renditions.some(({ name }) => name === rendition)) return null;
  if (file === "index.m3u8")
    return text(
      mediaPlaylist({
        targetS: 2,
        mediaSequence: 0,
        discontinuitySequence: 0,
        segments: segments.map(({ atMs, durationMs, place }, number) => ({
          uri: `${number}.ts`,
          startMs: VOD_CREATED_AT_MS + atMs,
          durationMs,
          discontinuity: place === 0 && number > 0,
          title: "",
        })),
        ended: true,
        twitch: null,
      }),
    );
  const [, number] = /^(\d{1,6})\.ts$/.exec(file) ?? [];
  const at = Number(number ?? -1);
  const body = at >= 0 && at < segments.length ? await finished.body(rendition, at) : null;
  return body === null
    ? { status: 404, type: "text/plain", body: "not found" }
    : { status: 200, type: "video/mp2t", body };
}
