import { csvForm, type CsvForm } from "./dialects/csv.ts";
import { ircDraft, looksLikeRawIrc } from "./dialects/irc.ts";
import { looksLikeLog } from "./dialects/log.ts";
import { isObject, Unreadable } from "./draft.ts";
import { kindOf } from "./json-kinds.ts";
import { notAChat } from "./looks.ts";
import { badEncoding, startsAsUtf8 } from "./text.ts";

/** How the bytes are cut into records. What a JSON object means is found with the first of them. */
export type Form =
  | { readonly form: "json" }
  | { readonly form: "ndjson" }
  | { readonly form: "irc-raw" }
  | { readonly form: "irc-log" }
  | { readonly form: "csv"; readonly csv: CsvForm };

/** Bytes of the beginning that are looked at. */
export const LOOK_BYTES = 256 * 1024;
const LOOK_LINES = 200;

/** By the content alone. Throws ImportFailure: not_a_chat, bad_encoding. `start`: UTF-8 without a mark. */
export function formOf(start: Buffer): Form {
  if (!startsAsUtf8(start)) {
    const failure = notAChat(start);
    // A text in an old encoding has no bytes that no text has.
    throw start.subarray(0, 4096).some((byte) => byte < 9) || /looks like/.test(failure.error.detail)
      ? failure
      : badEncoding();
  }
  const text = start.toString("utf8");
  const whole = start.length < LOOK_BYTES;
  const lines = text.split(/\r?\n/);
  if (!whole) lines.pop();
  const filled = lines.filter((line) => line.trim() !== "").slice(0, LOOK_LINES);
  const share = (test: (line: string) => boolean): number =>
    filled.filter(test).length / Math.max(1, filled.length);

  const first = text.trimStart()[0];
  if (filled.length > 0) {
    if (share(readsAsIrc) >= 0.5 && filled.some(looksLikeRawIrc)) return { form: "irc-raw" };
    if (share(looksLikeLog) >= 0.3) return { form: "irc-log" };
  }
  if (first === "{") {
    // One object a line; a document on one line is none of these: what it means stands in lists inside it.
    const kinds = filled.map(objectIn);
    if (kinds.some((kind) => kind === "item") && share((line) => objectIn(line) !== null) >= 0.5)
      return { form: "ndjson" };
    return { form: "json" };
  }
  if (first === "[") return { form: "json" };
  const csv = filled[0] === undefined ? null : csvForm(filled[0]);
  if (csv !== null) return { form: "csv", csv };
  throw notAChat(start);
}

function readsAsIrc(line: string): boolean {
  try {
    ircDraft(line);
    return line.startsWith("@") || line.startsWith(":") || line.startsWith("PING");
  } catch (error) {
    return error instanceof Unreadable && looksLikeRawIrc(line);
  }
}

/** `item`: a message or a page of them on one line; `other`: another object; null: none. */
function objectIn(line: string): "item" | "other" | null {
  if (line[0] !== "{") return null;
  try {
    const value: unknown = JSON.parse(line);
    if (!isObject(value)) return null;
    const document = Array.isArray(value["comments"]) || Array.isArray(value["messages"]);
    return !document && kindOf(value) !== null ? "item" : "other";
  } catch {
    return null;
  }
}
