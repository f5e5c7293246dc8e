import type { Problem } from "@hypecast/contracts/api.ts";
import type { DetailedError, Upload } from "tus-js-client";
import type { Kind } from "./given.ts";
import { NO_PACE, paced, type Pace } from "./pace.ts";

/** STREAM_PATHS.uploads of the contract, which would bring all of its schemas along. */
const UPLOADS = "/api/v1/uploads";
/** One request carries so much: a cut connection costs less than this. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** Waits between tries; the last one goes on for about a day, as long as the server keeps an unfinished upload. */
const WAITS_MS = [500, 1000, 2000, ...Array.from({ length: 20_000 }, () => 5000)];

/** What is kept of a file between two loads of the page; the file itself is not: a person has to give it again. */
export interface KeptPart {
  kind: Kind;
  name: string;
  bytes: number;
  sent: number;
  uploadId: string | null;
}

export type PartState =
  | "waiting"
  | "sending"
  /** The connection is lost; it is tried again by itself. */
  | "lost"
  | "paused"
  | "done"
  | "failed"
  /** The page was loaded anew and no longer has the file. */
  | "missing";

/** A file on its way to the gateway by tus: it goes on where it stood after a lost connection, a pause, or a reload. */
export class FilePart {
  state = $state<PartState>("waiting");
  sent = $state(0);
  pace = $state.raw<Pace>(NO_PACE);
  problem = $state.raw<Problem | null>(null);
  uploadId: string | null;
  readonly kind: Kind;
  readonly name: string;
  readonly bytes: number;
  #file: File | null;
  #upload: Upload | null = null;

  constructor(kind: Kind, file: File | KeptPart) {
    this.kind = kind;
    this.name = file.name;
    if (file instanceof File) {
      this.#file = file;
      this.bytes = file.size;
      this.uploadId = null;
    } else {
      this.#file = null;
      this.bytes = file.bytes;
      this.sent = file.sent;
      this.uploadId = file.uploadId;
      this.state = file.uploadId === null ? "missing" : "done";
    }
  }

  kept(): KeptPart {
    const { kind, name, bytes, sent, uploadId } = this;
    return { kind, name, bytes, sent, uploadId };
  }

  /** True when this is the file whose beginning is there already. */
  give(file: File): boolean {
    if (file.name !== this.name || file.size !== this.bytes) return false;
    this.#file = file;
    this.state = "waiting";
    return true;
  }

  /** `ended` hears that it is done, or that it failed. */
  async start(ended: () => void): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    this.state = "sending";
    this.problem = null;
    this.pace = NO_PACE;
    const tus = await import("tus-js-client").catch(() => null);
    if (tus === null) {
      // The gateway is away, or has a newer build: trying again asks anew.
      this.problem = { type: "/problems/unreachable", title: "unreachable", status: 0, detail: "" };
      this.state = "failed";
      ended();
      return;
    }
    const upload =
      this.#upload ??
      new tus.Upload(file, {
        endpoint: UPLOADS,
        chunkSize: PIECE_BYTES,
        retryDelays: WAITS_MS,
        removeFingerprintOnSuccess: true,
        metadata: { filename: file.name },
        onProgress: (sent) => {
          if (this.state === "lost") this.state = "sending";
          this.sent = sent;
          this.pace = paced(this.pace, Date.now(), sent);
        },
        onShouldRetry: (error) => {
          const status = error.originalResponse?.getStatus() ?? 0;
          const again = status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
          if (again && this.state === "sending") this.state = "lost";
          return again;
        },
        onError: (error) => {
          this.problem = problemIn(error);
          this.state = "failed";
          ended();
        },
        onSuccess: () => {
          this.uploadId = this.#upload?.url?.split("/").at(-1) ?? null;
          this.sent = this.bytes;
          this.state = "done";
          ended();
        },
      });
    if (this.#upload === null) {
      // What an earlier load of the page has sent of the very same file.
      const [earlier] = await upload.findPreviousUploads().catch(() => []);
      if (earlier !== undefined) upload.resumeFromPreviousUpload(earlier);
    }
    this.#upload = upload;
    // Paused or given up while the library was being loaded.
    if (this.state === "sending") upload.start();
  }

  pause(): void {
    if (this.state !== "sending" && this.state !== "lost") return;
    this.state = "paused";
    void this.#upload?.abort().catch(() => {});
  }

  /** Gives up; what the server has of it is removed there. */
  async drop(): Promise<void> {
    const { state } = this;
    this.state = "failed";
    if (state !== "done") await this.#upload?.abort(true).catch(() => {});
  }
}

function problemIn(error: Error | DetailedError): Problem {
  const answer = "originalResponse" in error ? error.originalResponse : null;
  try {
    const told = JSON.parse(answer?.getBody() ?? "") as Partial<Problem>;
    if (typeof told.type === "string")
      return { title: "", status: answer?.getStatus() ?? 0, detail: "", ...told, type: told.type };
  } catch {
    // No answer, or none that is a problem of ours.
  }
  return {
    type: "/problems/upload",
    title: "upload",
    status: answer?.getStatus() ?? 0,
    detail: error.message,
  };
}
