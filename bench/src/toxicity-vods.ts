import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Places } from "@hypecast/streamproc/toxicity/normalise.ts";

interface Message {
  readonly message: { readonly fragments?: readonly { text: string | null; emote: unknown }[] } | null;
}

/** Every line of the real VOD chats with its emotes' places, in order; null where there are none. */
export function vodTexts(data: string): { text: string; emotes: Places }[] | null {
  const lines: { text: string; emotes: Places }[] = [];
  for (const channel of ["channel_a", "channel_b", "channel_c"]) {
    const folder = join(data, "chat-vod", channel);
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".chat.json.gz")))
      for (const { message } of JSON.parse(
        gunzipSync(readFileSync(join(folder, file))).toString("utf8"),
      ) as Message[]) {
        let text = "";
        const emotes: [number, number][] = [];
        for (const fragment of message?.fragments ?? []) {
          const from = Array.from(text).length;
          text += fragment.text ?? "";
          if (fragment.emote !== null && fragment.emote !== undefined)
            emotes.push([from, Array.from(text).length - 1]);
        }
        if (text.trim() !== "") lines.push({ text, emotes });
      }
  }
  return lines.length === 0 ? null : lines;
}
