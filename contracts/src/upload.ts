import { z } from "zod";

/** A file on its way here by tus 1.0 (https://tus.io/protocols/resumable-upload): pieces lie in `objects` until it is whole. */
export const uploadId = z
  .string()
  .regex(/^[0-9a-z]{8,40}$/, "an upload id is 8 to 40 lower-case letters and digits");
/** KV bucket; key: upload id. */
export const UPLOADS_BUCKET = "uploads";
export const upload = z.object({
  id: uploadId,
  name: z.string().max(300),
  bytes: z.int(),
  /** So many are here; the pieces are `uploads/<id>/<offset, 15 digits>`. */
  offset: z.int(),
  createdAtMs: z.int(),
  touchedAtMs: z.int(),
  done: z.boolean(),
  /** Who writes it now; null: nobody does. One that has not touched it for ten seconds is dead. */
  writer: z.string().nullable().default(null),
});
export type Upload = z.infer<typeof upload>;
export const uploadPrefix = (id: string): string => `uploads/${id}/`;
export const uploadPiece = (id: string, offset: number): string =>
  `${uploadPrefix(id)}${String(offset).padStart(15, "0")}`;
/** One that nobody touches for so long is removed. */
export const UPLOAD_LIFE_MS = 24 * 3600 * 1000;
