import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { VIDEO_STATE_BUCKET, videoSegment, type VideoState } from "@hypecast/contracts/video.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import * as sample from "../../web/src/routes/dev/parts/sample.ts";
import type { WebGateway } from "./web-gateway.ts";

const CHANNEL = "1001";
const SEGMENT_MS = 2000;
/** So much is kept when it begins. */
const KEPT = 70;

/** A live picture of the sample channel: our own test footage in a loop, with a number on each frame and a tone. */
export interface WebVideo {
  readonly oldestMs: number;
  state(more: Partial<VideoState>): Promise<void>;
  close(): Promise<void>;
}

export async function startWebVideo({ nc, objects: folder }: WebGateway): Promise<WebVideo> {
  const objects = openFolder(folder);
  const footage = mkdtempSync(join(tmpdir(), "hypecast-footage-"));
  const arguments_ =
    "-v error -f lavfi -i testsrc2=s=640x360:r=25 -f lavfi -i sine=330:r=48000 -t 20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -f hls -hls_time 2 -hls_list_size 0 -hls_segment_filename";
  execFileSync("ffmpeg", [...arguments_.split(" "), join(footage, "%d.ts"), join(footage, "list.m3u8")]);
  const files = readdirSync(footage).filter((name) => name.endsWith(".ts"));
  const epoch = Math.floor(Date.now() / 1000) * 1000 - KEPT * SEGMENT_MS;
  const bytes = files.map((_, i) => readFileSync(join(footage, `${i}.ts`)));
  for (const [i, body] of bytes.entries()) await objects.put(`video/${CHANNEL}/${epoch}/${i}-360.ts`, body);
  const picture = join(footage, "thumb.jpg");
  execFileSync("ffmpeg", [
    ..."-v error -i".split(" "),
    join(footage, "3.ts"),
    ..."-frames:v 1 -s 320x180".split(" "),
    picture,
  ]);
  const thumb = readFileSync(picture);
  rmSync(footage, { recursive: true });

  const states = await new Kvm(nc).open(VIDEO_STATE_BUCKET);
  const js = jetstream(nc);
  let last = -1;
  let over: Partial<VideoState> = {};
  const say = async (): Promise<void> => {
    const state: VideoState = {
      login: sample.LOGIN,
      channelId: CHANNEL,
      state: "live",
      code: null,
      reason: null,
      sinceMs: epoch,
      epoch,
      lastSeq: last,
      newestMs: epoch + (last + 1) * SEGMENT_MS,
      oldestMs: epoch,
      keptBytes: last * 200_000,
      ad: false,
      renditions: [{ width: 640, height: 360, bandwidth: 800_000 }],
      shed: false,
      ...over,
    };
    await states.put(sample.LOGIN, JSON.stringify(state));
  };
  const add = async (): Promise<void> => {
    last += 1;
    const file = last % files.length;
    await objects.put(`thumbs/${CHANNEL}/${epoch}/${last}.jpg`, thumb);
    await js.publish(
      subjectOf(videoSegment, CHANNEL),
      JSON.stringify({
        id: `${CHANNEL}:${epoch}:${last}`,
        channelId: CHANNEL,
        epoch,
        seq: last,
        startMs: epoch + last * SEGMENT_MS,
        durationMs: SEGMENT_MS,
        discontinuity: last > 0 && file === 0,
        ad: false,
        analysis: null,
        source: {
          key: `video/${CHANNEL}/${epoch}/${file}-360.ts`,
          bytes: bytes[file]?.length ?? 0,
          width: 640,
          height: 360,
          bandwidth: 0,
          container: "ts",
          init: null,
        },
      }),
    );
  };
  for (let i = 0; i < KEPT; i++) await add();
  await say();
  const timer = setInterval(() => {
    if (epoch + (last + 1) * SEGMENT_MS <= Date.now()) void add().then(say);
  }, 500);
  return {
    oldestMs: epoch,
    state: async (more) => {
      over = more;
      await say();
    },
    async close() {
      clearInterval(timer);
      objects.close();
    },
  };
}
