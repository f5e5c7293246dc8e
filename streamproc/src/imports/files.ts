import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { vodPrefix, type Vod } from "@hypecast/contracts/vod.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { ImportFailure } from "./chat/failure.ts";
import type { ByteSource } from "./chat/source.ts";
import { packingOf, startOf } from "./chat/unpack.ts";
import type { Told } from "./told.ts";
import type { ImportTools } from "./tools.ts";
import { unofficialChat } from "./twitch/unofficial-chat.ts";
import { removeUpload, uploadSource } from "./upload-source.ts";

/** The chat as it was uploaded, packed: a picture that comes later is told with it, and so is a later version of the folds. */
const uploadedKey = (id: string): string => `${vodPrefix(id)}chat.zst`;
/** … and as Twitch gave it. */
const twitchKey = (id: string, twitchId: string): string => `${vodPrefix(id)}chat-${twitchId}.zst`;

/** The chat's bytes, wherever they are; brings them here first when they are Twitch's. */
export async function chatFile(
  vod: Vod,
  { nc, objects, config }: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<ByteSource> {
  const { chatUpload } = vod.source;
  if (chatUpload !== null)
    try {
      return await uploadSource(nc, objects, chatUpload);
    } catch (error) {
      // It is kept since it was imported.
      const kept = await keptChat(uploadedKey(vod.id), objects);
      if (kept === null || told.stage("download").state !== "done") throw error;
      return kept;
    }
  if (vod.twitchId === null)
    throw new ImportFailure("no_way", "Nothing says where the chat is.", "Upload a chat file.");
  const key = twitchKey(vod.id, vod.twitchId);
  if ((await objects.size(key)) === null) {
    const progress = (atS: number): void => told.run("download", atS, vod.durationS);
    await objects.put(key, zstd(unofficialChat(config, vod.twitchId, { signal, progress })));
  }
  return (await keptChat(key, objects))!;
}

async function keptChat(key: string, objects: Objects): Promise<ByteSource | null> {
  const bytes = await objects.size(key);
  if (bytes === null) return null;
  return {
    name: "chat.zst",
    bytes,
    async *read(from = 0, to = Infinity) {
      const found = await objects.read(key, { from, to: Math.min(to, bytes - 1) });
      if (found === null) throw new ImportFailure("not_found", "The chat file is gone.", "Upload it again.");
      yield* found.body;
    },
  };
}

/** Throws what the bytes' source throws. */
async function* zstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const packing = createZstdCompress();
  const pumped = pipeline(Readable.from(bytes), packing);
  pumped.catch(() => undefined);
  yield* packing as AsyncIterable<Uint8Array>;
  await pumped;
}

/** After the stream is ready: its chat stays, packed, and what was uploaded goes. */
export async function keepFiles(vod: Vod, { nc, objects }: ImportTools): Promise<void> {
  const { chatUpload, videoUpload } = vod.source;
  if (chatUpload !== null) {
    const source = await uploadSource(nc, objects, chatUpload).catch((error: unknown) => {
      if (error instanceof ImportFailure) return null;
      throw error;
    });
    if (source !== null) {
      // What is packed already stays as it is: the reader looks into two packings, and into a zip only from its end.
      const packed = packingOf(await startOf(source.read(0, 3), 4)) !== null;
      await objects.put(uploadedKey(vod.id), packed ? source.read() : zstd(source.read()));
    }
    await removeUpload(nc, objects, chatUpload);
  }
  if (videoUpload !== null) await removeUpload(nc, objects, videoUpload);
}
