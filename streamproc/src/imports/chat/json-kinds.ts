import type { ChatDialect } from "@hypecast/contracts/vod-words.ts";
import { chatDownloaderDraft, isChatDownloader } from "./dialects/chat-downloader.ts";
import { commentDraft, commentsIn } from "./dialects/comments.ts";
import { isRustlog, rustlogDraft } from "./dialects/irc.ts";
import { isOwn, ownDraft } from "./dialects/own.ts";
import type { Draft, Json } from "./draft.ts";

export interface JsonKind {
  readonly dialect: ChatDialect;
  /** The messages of one object; null in the list: it is none of the chat's. Throws Unreadable. */
  read(value: Json): readonly (Draft | null)[];
}

const COMMENTS = (dialect: ChatDialect): JsonKind => ({
  dialect,
  read: (value) => (commentsIn(value) ?? [value]).map(commentDraft),
});
const KINDS = {
  v5: COMMENTS("twitch-v5"),
  gql: COMMENTS("twitch-gql"),
  chatDownloader: { dialect: "chat-downloader", read: (value) => [chatDownloaderDraft(value)] },
  rustlog: { dialect: "rustlog-json", read: (value) => [rustlogDraft(value)] },
  own: { dialect: "ndjson", read: (value) => [ownDraft(value)] },
} as const satisfies Record<string, JsonKind>;

/** What an object of a list is, by its fields; null: no message. The first that is one decides for the file. */
export function kindOf(value: Json): JsonKind | null {
  const comments = commentsIn(value);
  const comment = comments?.[0];
  if (comment !== undefined) return "content_offset_seconds" in comment ? KINDS.v5 : KINDS.gql;
  if (isRustlog(value)) return KINDS.rustlog;
  if (isChatDownloader(value)) return KINDS.chatDownloader;
  if (isOwn(value)) return KINDS.own;
  return null;
}
