import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";
import { moodCounts } from "./window.ts";

/** Which chunker, cleaner and emote words make chunks now; raised with each change of what a chunk says. */
export const CHUNK_VERSION = 1;

/**
 * 30 to 60 s of one channel's chat as a search sees it, overlapping its neighbours, cut at a lull. Columns of `chat_chunks`.
 * Times are event time.
 */
export const chatChunk = z.object({
  /** `<channelId>:c:<startMs>` */
  id: z.string(),
  channelId,
  startMs: z.int(),
  endMs: z.int(),
  /** `CHUNK_VERSION` of what made it. */
  version: z.int(),
  messages: z.int(),
  chatters: z.int(),
  /** What was said, cleaned: one distinct line a row in order of time, `text ×137` where it was said more than once. People are not named in it. */
  text: z.string(),
  /** Emotes by name and what the mood map calls them, as words of both languages: `KEKW laughs смех`. */
  emoteWords: z.string(),
  /** Logins that wrote or were answered, space-separated: for questions about a person, never embedded. */
  people: z.string(),
  moods: moodCounts,
  /** Peak messages a second against the channel's usual; 1: as usual. */
  times: z.number(),
  /** When its strongest second was. */
  peakMs: z.int(),
  /** Ids of bursts that overlap it. */
  bursts: z.array(z.string()),
  /** Facts from picture and sound as words of both languages, where there are any: `loud громко`, `many cuts`. */
  screenWords: z.string(),
});
export type ChatChunk = z.infer<typeof chatChunk>;

/** Per channel, so that one channel's text can be taken off the log. */
export const chatChunks = defineEvent("chat.chunk", "channel", z.array(chatChunk));
