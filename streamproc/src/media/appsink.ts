import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** What `streamproc/native/appsink.cc` gives, built by ./hypecast into `.tools/native/`. */
export interface Appsink {
  /** Of the GStreamer library in use. */
  readonly version: string;
  readonly Pipeline: new (
    /** As for gst-launch: elements, with named appsrc and appsink. */
    launch: string,
    options: {
      /** Names of appsinks; samples come with the index into this list. */
      sinks: string[];
      /** Samples of one sink that may wait for JavaScript; the decoder waits for room. */
      queue: number;
      /** An element before which frames are dropped until `everyNs` have passed since the last that was let through. */
      gate?: { element: string; everyNs: number };
      /** A sink that is fed I420 and gives RGB of this size: the mean of each block. */
      small?: { sink: string; width: number; height: number };
      /** The element whose output size is each sample's `sourceWidth` × `sourceHeight`. */
      sizeOf?: string;
    },
    /** Null: this sink has ended, after its last sample. */
    onSample: (sink: number, sample: Sample | null) => void,
    onError: (text: string) => void,
  ) => Pipeline;
}

export interface Pipeline {
  /** From here until `stop` it lives without being referenced. False: it does not start. */
  play(): boolean;
  /** Bytes for an appsrc, copied. −1: no timestamp. False: it takes no more. */
  push(source: string, data: Uint8Array, ptsNs: number, dtsNs: number): boolean;
  end(source: string): void;
  /** Ends it at once, in whatever state; nothing is called back afterwards. */
  stop(): void;
}

export interface Sample {
  ptsNs: number;
  /** Of the picture; 0 for sound. Rows are tightly packed. */
  width: number;
  height: number;
  sourceWidth: number;
  sourceHeight: number;
  /** Of the sound; 0 for a picture. */
  rate: number;
  channels: number;
  data: Buffer;
}

const built = join(import.meta.dirname, "../../../.tools/native");
const addon = join(built, "appsink.node");

/**
 * The environment in which GStreamer finds the plugins that we decode with and no others, without looking for new ones: a worker may
 * write no file, and what is not loaded cannot be attacked. Must be set before the addon is loaded.
 */
export const gstreamerEnv: Record<string, string> = {
  GST_PLUGIN_SYSTEM_PATH_1_0: join(built, "plugins"),
  GST_REGISTRY_1_0: join(built, "registry.bin"),
  GST_REGISTRY_FORK: "no",
};

export const appsinkIsBuilt = (): boolean => existsSync(addon);

/** Only in a process of its own: a failed assertion in GStreamer ends the process. */
export const loadAppsink = (): Appsink => createRequire(import.meta.url)(addon) as Appsink;
