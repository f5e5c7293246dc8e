import { isBot } from "@hypecast/contracts/bots.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";

/** A person's words, written here: no bot's, no `!command`, not of shared chat. What is scored and what is counted is one and the same. */
export const isPeoplesLine = (line: ChatLine): boolean =>
  !isCommand(line.text) &&
  (line.sourceChannelId === undefined || line.sourceChannelId === line.channelId) &&
  !isBot(line);

/** `!` and a letter or digit behind it: "!!!" is a shout. */
function isCommand(text: string): boolean {
  if (text.charCodeAt(0) !== 33) return false;
  const code = text.charCodeAt(1);
  return (
    code > 127 || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  );
}
