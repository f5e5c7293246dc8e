import { Readable } from "node:stream";
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

/** The chat as it was given, packed: a picture that comes later is joined with it, and so is a later version of the folds. */
const keptChatKey = (id: string): string => `${vodPrefix(id)}chat.zst`;

/** The chat's bytes, wherever they are; brings them here first when they are Twitch's. */
export async function chatFile(
  vod: Vod,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<ByteSource> {
  const { nc, objects, config } = tools;
  const { chatUpload } = vod.source;
  if (chatUpload !== null)
    try {
      return await uploadSource(nc, objects, chatUpload);
    } catch (error) {
      // An earlier import of it has kept it.
      const kept = await keptChat(vod.id, objects);
      if (kept === null || told.stage("download").state !== "done") throw error;
      return kept;
    }
  const kept = await keptChat(vod.id, objects);
  if (kept !== null) return kept;
  if (vod.twitchId === null)
    throw new ImportFailure("no_way", "Nothing says where the chat is.", "Upload a chat file.");
  const asking = {
    signal,
    progress: (atS: number) => told.run("download", atS, vod.durationS),
  };
  await keep(vod.id, unofficialChat(config, vod.twitchId, asking), objects);
  return (await keptChat(vod.id, objects))!;
}

async function keptChat(id: string, objects: Objects): Promise<ByteSource | null> {
  const key = keptChatKey(id);
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

const keep = async (id: string, bytes: AsyncIterable<Uint8Array>, objects: Objects): Promise<number> =>
  objects.put(keptChatKey(id), Readable.from(bytes).pipe(createZstdCompress()));

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
      if (packed) await objects.put(keptChatKey(vod.id), source.read());
      else await keep(vod.id, source.read(), objects);
    }
    await removeUpload(nc, objects, chatUpload);
  }
  if (videoUpload !== null) await removeUpload(nc, objects, videoUpload);
}

/** A file that takes the place of another: what was kept of that one is not read again. */
export const forgetKeptChat = async (id: string, objects: Objects): Promise<void> =>
  objects.remove(keptChatKey(id));
