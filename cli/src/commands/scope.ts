import { EXIT, Failure } from "../failure.ts";
import { text, type Call } from "./command.ts";

export const scopeOptions = {
  stream: { type: "string", short: "s" },
  channel: { type: "string", short: "c" },
} as const;

/** Where to look: one stream, all of a broadcaster's, or everything. */
export function scopeOf({ values }: Pick<Call, "values">): {
  kind: "stream" | "channel" | "all";
  stream: string | null;
  channel: string | null;
} {
  const stream = text(values["stream"]) ?? null;
  const channel = text(values["channel"]) ?? null;
  if (stream !== null && channel !== null)
    throw new Failure(EXIT.usage, "--stream and --channel: one of them");
  return { kind: stream !== null ? "stream" : channel !== null ? "channel" : "all", stream, channel };
}
