import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { Clip } from "@hypecast/contracts/clip.ts";
import { clipPath } from "@hypecast/contracts/media.ts";
import { EXIT, Failure, type ExitCode } from "../failure.ts";
import { bar, duration, seconds } from "../output.ts";
import { text, type Call, type Command } from "./command.ts";

type Begun = z.infer<typeof vodRoutes.render.result>;

export const render: Command = {
  name: "render",
  usage:
    "render STREAM FROM-TO… [--film] [--vertical] [--chat-only] [--no-chat] [--title TEXT] [--out FILE] [--no-wait]",
  says: "MP4 of places like 1:12:30-1:13:01; several make a numbered batch, or one film",
  options: {
    film: { type: "boolean" },
    vertical: { type: "boolean" },
    "chat-only": { type: "boolean" },
    "no-chat": { type: "boolean" },
    title: { type: "string" },
    out: { type: "string", short: "o" },
    "no-wait": { type: "boolean" },
  },
  async run(call) {
    const { client, output, positionals, values } = call;
    const [stream, ...spans] = positionals;
    if (stream === undefined || spans.length === 0)
      throw new Failure(EXIT.usage, "render what? A stream's id and places like 1:12:30-1:13:01.");
    const out = text(values["out"]);
    if (out !== undefined && spans.length > 1 && values["film"] !== true)
      throw new Failure(EXIT.usage, "--out: one file for several clips; leave it out, or make a --film");
    const begun = (await client.call("POST", "/api/v1/render", {
      parts: spans.map((span) => ({ stream, ...spanOf(span) })),
      as: values["film"] === true ? "film" : "clips",
      layouts: [values["vertical"] === true ? "9:16" : "16:9"],
      picture: values["chat-only"] === true ? "chat" : "auto",
      chat: values["no-chat"] !== true,
      title: text(values["title"]) ?? "",
    })) as Begun;
    if (values["no-wait"] === true) {
      output.result(begun, () => begun.task_ids.join("\n"));
      return EXIT.ok;
    }
    const clips: Clip[] = [];
    for (const id of begun.task_ids) clips.push(await made(call, id));
    if (out !== undefined && clips[0]?.state === "ready") await download(call, clips[0], out);
    output.result({ clips }, () => clips.map((clip) => clipText(clip, client.server.url)).join("\n"));
    return clips.every(({ state }) => state === "ready") ? EXIT.ok : EXIT.failed;
  },
};

function spanOf(span: string): { fromS: number; toS: number } {
  const [from, to, more] = span.split(/[-–—]/).map(seconds);
  if (from === undefined || to === undefined || from === null || to === null || more !== undefined)
    throw new Failure(EXIT.usage, `${span}: a place is FROM-TO, like 1:12:30-1:13:01 or 90-120`);
  return { fromS: from, toS: to };
}

async function made({ client, output, signal }: Call, id: string): Promise<Clip> {
  const isOver = ({ state }: Clip): boolean => !["queued", "running"].includes(state);
  for await (const record of client.follow(`/api/v1/jobs/${id}/events`, signal)) {
    const clip = record as Clip;
    const left = clip.etaS === null ? "" : `, ${duration(clip.etaS)} left`;
    output.progress(`${bar(clip.progress)} ${clip.stage ?? clip.state}${left}`);
    if (isOver(clip)) return clip;
  }
  return (await client.call("GET", `/api/v1/clips/${id}`)) as Clip;
}

/** Whole, or not at all: what is half there has another name. */
async function download({ client }: Call, clip: Clip, out: string): Promise<ExitCode> {
  const path = resolve(process.env["HYPECAST_CALLED_FROM"] ?? ".", out);
  const response = await client.open(fileOf(clip));
  const partial = `${path}.part`;
  try {
    if (response.body === null) throw new Failure(EXIT.failed, "the clip's file is empty");
    await pipeline(Readable.fromWeb(response.body), createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return EXIT.ok;
}

const fileOf = (clip: Clip): string => clipPath(clip.id, clip.files[0]?.layout ?? "16:9");

const clipText = (clip: Clip, server: string): string =>
  clip.state === "ready"
    ? `${clip.id}  ready  ${server}${fileOf(clip)}`
    : `${clip.id}  ${clip.state}: ${clip.error === null ? "" : `${clip.error.detail} ${clip.error.action}`}`;
