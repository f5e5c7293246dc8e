import { createCanvas, ImageData, type Canvas } from "@napi-rs/canvas";
import sharp from "sharp";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { EMOTE } from "@hypecast/contracts/overlay-layout.ts";
import { emoteOf } from "@hypecast/runtime/emotes/address.ts";
import type { EmoteCache } from "@hypecast/runtime/emotes/cache.ts";

/** Different emotes of one clip; the names of further ones are written. */
const MOST_EMOTES = 400;
const AT_ONCE = 8;
/** What has not come by then is written as a name: a provider that is down does not stop a clip. */
const WITHIN_MS = 15_000;
const MOST_FRAMES = 120;
/** An image that would be larger is no emote. */
const MOST_PIXELS = 4096 * 4096;
/** Browsers show faster frames as slow as this, and so do we. */
const SHORTEST_DELAY_MS = 20;
const USUAL_DELAY_MS = 100;

interface Picture {
  readonly frames: readonly Canvas[];
  /** When each frame ends, ms from the first; the last is the whole. */
  readonly endsMs: readonly number[];
  readonly aspect: number;
}

export interface EmotePictures {
  /** Null: there is no picture of it. */
  aspectOf(ref: string): number | null;
  /** The frame of a moment; animations begin with the clip, so all of the same emote move together. */
  frameOf(ref: string, tMs: number): { index: number; canvas: Canvas } | null;
}

/** Fetches and decodes the emotes of some lines at the size that they are drawn at. */
export async function loadPictures(
  lines: readonly ChatLine[],
  cache: EmoteCache,
  fontPx: number,
  signal: AbortSignal,
): Promise<EmotePictures> {
  const heightPx = Math.round(fontPx * EMOTE);
  const pictures = new Map<string, Picture>();
  const refs = [...new Set(lines.flatMap(({ emotes }) => (emotes ?? []).map(([ref]) => ref)))];
  const waiting = refs.slice(0, MOST_EMOTES);
  const late = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]);
  const load = async (): Promise<void> => {
    for (let ref = waiting.shift(); ref !== undefined && !late.aborted; ref = waiting.shift()) {
      const picture = await pictureOf(ref, cache, heightPx).catch(() => null);
      if (picture !== null) pictures.set(ref, picture);
    }
  };
  const stopped = new Promise<void>((resolve) =>
    late.addEventListener("abort", () => resolve(), { once: true }),
  );
  await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, load)), stopped]);
  signal.throwIfAborted();
  // What comes later would change widths in mid-clip.
  const ready = new Map(pictures);
  return {
    aspectOf: (ref) => ready.get(ref)?.aspect ?? null,
    frameOf(ref, tMs) {
      const picture = ready.get(ref);
      if (picture === undefined) return null;
      const whole = picture.endsMs.at(-1) ?? 1;
      const at = ((tMs % whole) + whole) % whole;
      const index = Math.max(
        0,
        picture.endsMs.findIndex((endMs) => at < endMs),
      );
      const canvas = picture.frames[index];
      return canvas === undefined ? null : { index, canvas };
    },
  };
}

async function pictureOf(ref: string, cache: EmoteCache, heightPx: number): Promise<Picture | null> {
  const [provider = "", id = ""] = ref.split(":");
  const emote = emoteOf(`/emotes/${provider}/${id}/${heightPx > 34 ? "2x" : "1x"}`);
  if (emote === null) return null;
  const { bytes } = await cache.image(emote);
  const options = { animated: true, limitInputPixels: MOST_PIXELS, pages: -1 } as const;
  const { pages = 1, delay = [], width, pageHeight, height } = await sharp(bytes, options).metadata();
  const tall = pageHeight ?? height;
  if (pages > MOST_FRAMES || width < 1 || tall < 1) return null;
  const { data, info } = await sharp(bytes, options)
    .resize({ height: heightPx, fit: "fill", width: Math.max(1, Math.round((width * heightPx) / tall)) })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const frameBytes = info.width * heightPx * 4;
  const frames = Array.from({ length: Math.floor(data.byteLength / frameBytes) }, (_, i) => {
    const canvas = createCanvas(info.width, heightPx);
    const pixels = new Uint8ClampedArray(data.subarray(i * frameBytes, (i + 1) * frameBytes));
    canvas.getContext("2d").putImageData(new ImageData(pixels, info.width, heightPx), 0, 0);
    return canvas;
  });
  if (frames.length === 0) return null;
  let endMs = 0;
  const endsMs = frames.map((_, i) => {
    const said = delay[i] ?? USUAL_DELAY_MS;
    endMs += said < SHORTEST_DELAY_MS ? USUAL_DELAY_MS : said;
    return endMs;
  });
  return { frames, endsMs, aspect: width / tall };
}
