import sharp from "sharp";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { TensorSpec } from "../scorer/repository.ts";
import { BadAnswer } from "../scorer/scorer.ts";
import { FRAME_HEIGHT, FRAME_WIDTH, unpackFrames } from "./frames-file.ts";
import { framesOf, SHOT_FRAMES } from "./shot-rows.ts";

/**
 * What a model sees of a shot, as it wants it: `dims` [frames, height, width, 3], bytes of RGB. Our own size comes from the sampled
 * frames; any other (a CLIP-class model's 224 × 224) from the segments' thumbnails, one a segment. Null when none is kept.
 */
export async function shotPictures(
  shot: VideoShot,
  { dims, type }: TensorSpec,
  objects: Objects,
): Promise<Uint8Array | null> {
  const [count = 0, height = 0, width = 0, channels = 0] = dims;
  if (dims.length !== 4 || channels !== 3 || type !== "UINT8")
    throw new BadAnswer(
      `shots are shown as UINT8 [frames, height, width, 3], the model wants ${type} [${dims.join(", ")}]`,
    );
  if (count === SHOT_FRAMES && height === FRAME_HEIGHT && width === FRAME_WIDTH) {
    const files = await Promise.all(shot.framesKeys.map(async (key) => objects.get(key)));
    return framesOf(
      shot,
      files.flatMap((file) => (file === null ? [] : unpackFrames(file))),
    );
  }
  const keys = Array.from(
    { length: count },
    (_, i) => shot.framesKeys[Math.floor(((i + 0.5) * shot.framesKeys.length) / count)],
  );
  const packed = new Uint8Array(count * height * width * 3);
  for (const [i, key] of keys.entries()) {
    const thumb = key === undefined ? null : await objects.get(thumbKeyOf(key));
    if (thumb === null) return null;
    const pixels = await sharp(thumb).resize(width, height, { fit: "cover" }).removeAlpha().raw().toBuffer();
    packed.set(pixels, i * height * width * 3);
  }
  return packed;
}

/** Both are stored for each segment, under the same numbers. */
const thumbKeyOf = (framesKey: string): string =>
  framesKey.replace(/(^|\/)frames\//, "$1thumbs/").replace(/\.rgb$/, ".jpg");
