import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ChatLine, LineEmote } from "@hypecast/contracts/chat.ts";

/** One recorded stream's chat as the source would have published it: second resolution, native emotes only. */
export interface VodChat {
  readonly name: string;
  readonly channel: string;
  readonly lines: ChatLine[];
}

interface Comment {
  id: string;
  contentOffsetSeconds: number;
  commenter: { id: string; login: string } | null;
  message: {
    fragments: { text: string; emote?: { emoticon_id?: string; emoteID?: string } | null }[];
  };
}

/** When the recordings are said to begin: any whole hour does, the folds know no other time. */
const BEGIN_MS = Date.UTC(2026, 0, 1);

/** The chats under `<data>/chat-vod/channel_*`, in order; empty when the folder is missing. */
export function* vodChats(data: string): Generator<VodChat> {
  const root = join(data, "chat-vod");
  if (!existsSync(root)) return;
  for (const channel of readdirSync(root).sort()) {
    if (!channel.startsWith("channel_")) continue;
    for (const file of readdirSync(join(root, channel)).sort()) {
      if (!file.endsWith(".chat.json.gz")) continue;
      const text = gunzipSync(readFileSync(join(root, channel, file))).toString("utf8");
      yield { name: `${channel}/${file}`, channel, lines: linesOf(JSON.parse(text) as Comment[]) };
    }
  }
}

function linesOf(comments: Comment[]): ChatLine[] {
  const sorted = comments
    .filter((comment) => comment.commenter !== null)
    .sort((a, b) => a.contentOffsetSeconds - b.contentOffsetSeconds);
  let second = -1;
  let inSecond = 0;
  return sorted.map((comment) => {
    inSecond = comment.contentOffsetSeconds === second ? inSecond + 1 : 0;
    second = comment.contentOffsetSeconds;
    const emotes: LineEmote[] = [];
    let text = "";
    let points = 0;
    for (const fragment of comment.message.fragments) {
      const length = Array.from(fragment.text).length;
      const id = fragment.emote?.emoticon_id ?? fragment.emote?.emoteID;
      if (id !== undefined && length > 0)
        emotes.push([`twitch:${id}`, fragment.text, points, points + length - 1]);
      text += fragment.text;
      points += length;
    }
    return {
      id: comment.id,
      channelId: "1",
      sentAtMs: BEGIN_MS + second * 1000 + Math.min(999, inSecond * 20),
      userId: comment.commenter!.id,
      login: comment.commenter!.login,
      text,
      ...(emotes.length > 0 ? { emotes } : {}),
    };
  });
}
