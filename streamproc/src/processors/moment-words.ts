import type { ChatLine } from "@hypecast/contracts/chat.ts";

/** Chat commands of the broadcaster and the moderators; what stands behind one is its label. */
const MARKS: ReadonlySet<string> = new Set([
  "!mark",
  "!marker",
  "!highlight",
  "!moment",
  "!отметка",
  "!отметь",
  "!метка",
  "!момент",
]);
/**
 * Asks, or says that it was done: "clip that", "CLIP IT", "someone clip", "!clip", "clipped", a line that is only "clip", "клип", "клипаните",
 * "заклипайте". Talk about clips ("that clip of …", "hair clip", "to clip through the map") is none.
 */
const ASKS = new RegExp(
  [
    String.raw`(?<![\p{L}\p{N}_])!?clip(?:ped)?\s+(?:it|that|this|dat|pls|plz|please)(?![\p{L}\p{N}_])`,
    String.raw`(?<![\p{L}\p{N}_])(?:someone|somebody|anyone|chat)\s+clip`,
    String.raw`^!?clip(?:ped)?(?:[\s!.]+clip(?:ped)?)*[\s!.]*$`,
    String.raw`(?<![\p{L}\p{N}_])(?:за)?клип(?:аните|айте|ани|ните|ни|уйте|уй|ай)(?![\p{L}\p{N}_])`,
    String.raw`^!?клип(?:[\s!.]+(?:клип|пж|плз|пожалуйста))*[\s!.]*$`,
  ].join("|"),
  "iu",
);
const LABEL_LENGTH = 80;

/** Somebody asks for a clip. */
export const asksForClip = (text: string): boolean => MAY_ASK.test(text) && ASKS.test(text);
const MAY_ASK = /clip|клип/i;

/** The label of a mark ("" without one); null: the line is none, or from somebody who may not. */
export function markIn(line: ChatLine): string | null {
  if (!line.text.startsWith("!")) return null;
  const [command = "", ...label] = line.text.split(" ");
  if (!MARKS.has(command.toLowerCase())) return null;
  const badges = line.badges ?? "";
  if (!/(?:^|,)(?:broadcaster|moderator|lead_moderator)\//.test(badges)) return null;
  return label.join(" ").trim().slice(0, LABEL_LENGTH);
}
