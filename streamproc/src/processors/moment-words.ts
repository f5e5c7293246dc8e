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
/** "clip that", "CLIP IT", "someone clip", "!clip", "клип", "клипаните", "заклипайте" – and not "eclipse", "paperclip" or "clippers". */
const ASKS =
  /(?:^|[^\p{L}\p{N}_])(?:!?clip(?:ped|pls)?|!?(?:за)?клип(?:аните|айте|ани|ни|ните|уй|уйте|ай)?)(?![\p{L}\p{N}_])/iu;
const LABEL_LENGTH = 80;

/** Somebody asks for a clip. */
export const asksForClip = (text: string): boolean => ASKS.test(text);

/** The label of a mark ("" without one); null: the line is none, or from somebody who may not. */
export function markIn(line: ChatLine): string | null {
  if (!line.text.startsWith("!")) return null;
  const [command = "", ...label] = line.text.split(" ");
  if (!MARKS.has(command.toLowerCase())) return null;
  const badges = line.badges ?? "";
  if (!/(?:^|,)(?:broadcaster|moderator|lead_moderator)\//.test(badges)) return null;
  return label.join(" ").trim().slice(0, LABEL_LENGTH);
}
