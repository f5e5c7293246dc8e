import type { ChatLine } from "@hypecast/contracts/chat.ts";

/** A line as it was on the wire: what is empty is absent. */
export function withoutDefaults(row: ChatLine): ChatLine {
  const kept = Object.entries(row).filter(
    ([key, value]) =>
      ["id", "channelId", "userId", "login", "text"].includes(key) ||
      !(value === "" || value === 0 || value === false || (Array.isArray(value) && value.length === 0)),
  );
  return Object.fromEntries(kept) as ChatLine;
}
