import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { vodChat, VOD_CREATED_AT_MS } from "@hypecast/demo/vod.ts";

interface Comment {
  _id: string;
  content_offset_seconds: number;
  commenter: { _id: string; name: string; display_name: string };
  message: { body: string };
}

/** The demo's finished stream as an import of its chat file sees it. */
export function demoVodLines(channelId: string): ChatLine[] {
  const { comments } = vodChat() as { comments: Comment[] };
  let second = -1;
  let inSecond = 0;
  return comments.map(({ _id: id, content_offset_seconds: offsetS, commenter, message }) => {
    inSecond = offsetS === second ? inSecond + 1 : 0;
    second = offsetS;
    return {
      id,
      channelId,
      sentAtMs: VOD_CREATED_AT_MS + offsetS * 1000 + Math.min(999, inSecond * 10),
      userId: commenter._id,
      login: commenter.name,
      name: commenter.display_name,
      text: message.body,
    };
  });
}
