import { appsinkIsBuilt } from "./appsink.ts";
import { openFfmpeg } from "./ffmpeg.ts";
import type { FrameSource } from "./frame-source.ts";

/** `auto`: GStreamer where the binding was built and loads, else ffmpeg. */
export type FramesChoice = "auto" | "gstreamer" | "ffmpeg";

/** Only in a process of its own (GStreamer may end it). Throws a sentence when there is nothing to decode with. */
export async function openFrameSource(choice: FramesChoice): Promise<FrameSource> {
  if (choice !== "ffmpeg") {
    try {
      if (!appsinkIsBuilt()) throw new Error("the binding to GStreamer is not built: ./hypecast setup");
      const { openGstreamer } = await import("./gstreamer.ts");
      return openGstreamer();
    } catch (error) {
      if (choice === "gstreamer") throw error;
    }
  }
  const ffmpeg = openFfmpeg();
  if (ffmpeg === null) throw new Error("no decoder: neither our binding to GStreamer nor ffmpeg is there");
  return ffmpeg;
}
