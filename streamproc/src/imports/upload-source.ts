import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { upload, UPLOADS_BUCKET, uploadPrefix } from "@hypecast/contracts/upload.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { ImportFailure } from "./chat/failure.ts";
import type { ByteSource } from "./chat/source.ts";

/** An upload's pieces as one file. Throws ImportFailure when it is not whole or no longer here. */
export async function uploadSource(nc: NatsConnection, objects: Objects, id: string): Promise<ByteSource> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(UPLOADS_BUCKET));
  const entry = await whenTheLogAnswers(nc, () => bucket.get(id));
  const known = entry?.operation === "PUT" ? upload.safeParse(entry.json()).data : undefined;
  if (known === undefined) throw gone();
  const prefix = uploadPrefix(id);
  const pieces: { key: string; at: number; bytes: number }[] = [];
  for await (const { key, bytes } of objects.list(prefix))
    pieces.push({ key, at: Number(key.slice(prefix.length)), bytes });
  pieces.sort((a, b) => a.at - b.at);
  let end = 0;
  for (const { at, bytes } of pieces) {
    if (at !== end) throw gone();
    end = at + bytes;
  }
  if (!known.done || end !== known.bytes)
    throw new ImportFailure(
      "truncated",
      `Only ${end} of the ${known.bytes} bytes of ${known.name} have been uploaded.`,
      "Finish the upload, then try again.",
    );
  return {
    name: known.name,
    bytes: end,
    async *read(from = 0, to = Infinity) {
      for (const { key, at, bytes } of pieces) {
        if (at + bytes <= from || at > to) continue;
        const range = { from: Math.max(0, from - at), to: Math.min(bytes - 1, to - at) };
        const piece = await objects.read(key, range);
        if (piece === null) throw gone();
        yield* piece.body;
      }
    },
  };
}

/** After its stream is whole, or with its stream. */
export async function removeUpload(nc: NatsConnection, objects: Objects, id: string): Promise<void> {
  for await (const { key } of objects.list(uploadPrefix(id))) await objects.remove(key);
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(UPLOADS_BUCKET));
  await whenTheLogAnswers(nc, () => bucket.purge(id));
}

const gone = (): ImportFailure =>
  new ImportFailure("not_found", "The uploaded file is no longer here.", "Upload it again.");
