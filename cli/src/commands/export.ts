import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { finished } from "node:stream/promises";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { EXIT, Failure } from "../failure.ts";
import { text, type Call, type Command } from "./command.ts";

const KINDS = ["moments", "markers", "chat", "windows", "heatmap", "report"] as const;
/** One page of chat: what one answer may hold. */
const PAGE_LINES = 5000;
const WINDOW_S = 10;
const MOST_WINDOWS = 5000;

export const exportStream: Command = {
  name: "export",
  usage: `export STREAM --as ${KINDS.join("|")} [--format csv|edl|fcpxml|youtube] [--out FILE]`,
  says: "what is known of a stream: JSON, NDJSON (chat), markers for editing programs, or the HTML report",
  options: {
    as: { type: "string" },
    format: { type: "string" },
    out: { type: "string", short: "o" },
  },
  async run(call) {
    const { client, positionals, values } = call;
    const [id] = positionals;
    const as = text(values["as"]) ?? "moments";
    if (id === undefined) throw new Failure(EXIT.usage, "export which stream?");
    if (!KINDS.includes(as as (typeof KINDS)[number]))
      throw new Failure(EXIT.usage, `--as ${as}: one of ${KINDS.join(", ")}`);
    const vod = (await client.call("GET", `/api/v1/streams/${encodeURIComponent(id)}`)) as Vod;
    const write = writer(text(values["out"]));
    try {
      for await (const piece of pieces(call, vod, as as (typeof KINDS)[number])) await write.piece(piece);
      await write.end();
    } catch (error) {
      await write.drop();
      throw error;
    }
    return EXIT.ok;
  },
};

async function* pieces(
  { client, values, language }: Call,
  vod: Vod,
  as: (typeof KINDS)[number],
): AsyncGenerator<string> {
  const fromMs = vod.startMs;
  const toMs = vod.startMs + Math.ceil((vod.durationS ?? 0) * 1000) + 1;
  const channel = `/api/v1/channels/${vod.id}`;
  const span = `from=${fromMs}&to=${toMs}`;
  switch (as) {
    case "moments":
      yield `${JSON.stringify(await client.call("GET", `${channel}/moments?${span}&limit=1000`))}\n`;
      return;
    case "heatmap":
      yield `${JSON.stringify(await client.call("GET", `${channel}/heatmap?${span}&columns=2000`))}\n`;
      return;
    case "windows": {
      const pageMs = MOST_WINDOWS * WINDOW_S * 1000;
      for (let at = fromMs; at < toMs; at += pageMs) {
        const query = `from=${at}&to=${Math.min(toMs, at + pageMs)}&size=${WINDOW_S}&limit=${MOST_WINDOWS}`;
        const { windows } = (await client.call("GET", `${channel}/windows?${query}`)) as {
          windows: unknown[];
        };
        for (const window of windows) yield `${JSON.stringify(window)}\n`;
      }
      return;
    }
    case "chat":
      yield* chatOf(client, channel, fromMs, toMs);
      return;
    case "markers": {
      const format = text(values["format"]) ?? "csv";
      const response = await client.open(
        `${channel}/markers?${span}&format=${encodeURIComponent(format)}&language=${language}`,
      );
      yield await response.text();
      return;
    }
    case "report":
      yield await (await client.open(`/s/${vod.id}?lang=${language}`)).text();
  }
}

/** Lines as NDJSON. A span that does not fit into one answer is halved. */
async function* chatOf(
  client: Call["client"],
  channel: string,
  fromMs: number,
  toMs: number,
): AsyncGenerator<string> {
  const { lines, complete } = (await client.call(
    "GET",
    `${channel}/chat?from=${fromMs}&to=${toMs}&limit=${PAGE_LINES}`,
  )) as { lines: unknown[]; complete: boolean };
  if (complete || toMs - fromMs <= 1) {
    for (const line of lines) yield `${JSON.stringify(line)}\n`;
    return;
  }
  const middleMs = Math.floor((fromMs + toMs) / 2);
  yield* chatOf(client, channel, fromMs, middleMs);
  yield* chatOf(client, channel, middleMs, toMs);
}

/** To stdout, or to a file: whole, or not at all. What is half there has another name. */
function writer(out: string | undefined): {
  piece(text: string): Promise<void>;
  end(): Promise<void>;
  drop(): Promise<void>;
} {
  const path = out === undefined ? null : resolve(process.env["HYPECAST_CALLED_FROM"] ?? ".", out);
  const stream = path === null ? process.stdout : createWriteStream(`${path}.part`);
  return {
    async piece(piece) {
      if (!stream.write(piece)) await once(stream, "drain");
    },
    async end() {
      if (path === null) return;
      stream.end();
      await finished(stream);
      await rename(`${path}.part`, path);
    },
    async drop() {
      if (path === null) return;
      stream.destroy();
      await rm(`${path}.part`, { force: true });
    },
  };
}
