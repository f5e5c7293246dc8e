import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

/** One second of a channel's sound. Columns of `audio_windows`. Loudness in LUFS (ITU-R BS.1770-5). */
export const audioWindow = z.object({
  /** `<channelId>:<startMs>` */
  id: z.string(),
  channelId,
  startMs: z.int(),
  ad: z.boolean(),
  /** The loudest 400 ms of the second, the 3 s up to its end, and gated since the stream began without its ads; null: not enough sound yet. */
  momentary: z.number().nullable(),
  shortTerm: z.number().nullable(),
  integrated: z.number().nullable(),
  /** dBFS. */
  peak: z.number(),
  /** Short-term loudness above the stream's own usual, in LU; 0 at its usual. */
  aboveUsual: z.number(),
  /** A sudden rise (crash, shout): its strength as robust z; 0: none in this second. */
  onset: z.number(),
  silence: z.boolean(),
  /** Share of the second that is speech, 0–1. */
  voice: z.number(),
  /** Music's tempo, beats a minute folded to 70–180; null: no steady beat. And how sure, 0–1. */
  tempo: z.number().nullable(),
  tempoStrength: z.number(),
});
export type AudioWindow = z.infer<typeof audioWindow>;
export const audioWindows = defineEvent("audio.window", "partition", z.array(audioWindow));
