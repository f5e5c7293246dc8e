import { STREAM_PATHS } from "@hypecast/contracts/api-vods.ts";

type Json = Record<string, unknown>;

const header = (name: string, description: string, type: "string" | "integer" = "string"): Json => ({
  name,
  in: "header",
  required: true,
  description,
  schema: { type },
});
const inPath = (name: string): Json => ({ name, in: "path", required: true, schema: { type: "string" } });
const TUS = header("Tus-Resumable", "1.0.0");
const refused = {
  description: "A problem (RFC 9457); `type` is /problems/<code>",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};
const done = (status: number, description: string): Json => ({ [status]: { description }, default: refused });
const bytes = {
  required: true,
  content: { "application/offset+octet-stream": { schema: { type: "string", format: "binary" } } },
};
const events = (summary: string, operationId: string, name: string): Json => ({
  get: {
    operationId,
    summary,
    parameters: [
      inPath(name),
      { ...header("Last-Event-ID", "The revision that was seen last"), required: false },
    ],
    responses: {
      200: {
        description: "Each event is the whole record, its id the revision; the last one is final",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      204: { description: "The record is final and was seen: there is no more" },
      default: refused,
    },
  },
});

/** What is not JSON in and out: uploads by tus 1.0, and events. */
export const otherPaths: Readonly<Record<string, Json>> = {
  [STREAM_PATHS.uploads]: {
    options: {
      operationId: "uploadOptions",
      summary: "What uploads may be: tus 1.0 with creation, creation-with-upload, termination, expiration",
      responses: done(204, "Tus-Version, Tus-Max-Size, Tus-Extension"),
    },
    post: {
      operationId: "createUpload",
      summary: "Begin an upload; Location names it",
      parameters: [
        TUS,
        header("Upload-Length", "Bytes of the file", "integer"),
        { ...header("Upload-Metadata", "filename <base64>"), required: false },
      ],
      responses: done(201, "Begun"),
    },
  },
  [`${STREAM_PATHS.uploads}/{id}`]: {
    head: {
      operationId: "uploadOffset",
      summary: "Where an upload stands",
      parameters: [inPath("id"), TUS],
      responses: done(200, "Upload-Offset and Upload-Length"),
    },
    patch: {
      operationId: "appendUpload",
      summary: "Go on with an upload where it stands",
      parameters: [inPath("id"), TUS, header("Upload-Offset", "Where it stands", "integer")],
      requestBody: bytes,
      responses: done(204, "Upload-Offset says how far it is"),
    },
    delete: {
      operationId: "removeUpload",
      summary: "Forget an upload",
      parameters: [inPath("id"), TUS],
      responses: done(204, "Done"),
    },
  },
  [STREAM_PATHS.jobEvents]: events("An import or a render as it goes", "jobEvents", "task_id"),
  [STREAM_PATHS.answerEvents]: events("An answer as it is written", "answerEvents", "id"),
};
