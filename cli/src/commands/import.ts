import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { Upload } from "tus-js-client";
import { STREAM_PATHS } from "@hypecast/contracts/api-vods.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import type { Client } from "../client.ts";
import { EXIT, Failure } from "../failure.ts";
import { bar, duration, safe, type Output } from "../output.ts";
import { text, type Command } from "./command.ts";
import { untilReady } from "./progress.ts";

const VIDEO = new Set([".mp4", ".mkv", ".webm", ".mov", ".m4v", ".ts", ".flv", ".avi"]);
const PIECE_BYTES = 8 * 1024 * 1024;
const RETRY_MS = [0, 500, 1000, 3000, 5000];

export const importStream: Command = {
  name: "import",
  usage: "import LINK|CHAT_FILE|VIDEO_FILE… [--title TEXT] [--replaces ID] [--no-wait]",
  says: "a VOD link, a chat file, a video file, or both files of one stream; waits until it is searchable",
  options: {
    title: { type: "string" },
    replaces: { type: "string" },
    "no-wait": { type: "boolean" },
  },
  async run({ client, output, positionals, values, signal }) {
    const given = await Promise.all(positionals.map(whatIs));
    for (const kind of ["link", "chat", "video"] as const)
      if (given.filter((one) => one.kind === kind).length > 1)
        throw new Failure(
          EXIT.usage,
          `two of a kind: one link, one chat file and one video file make one stream`,
        );
    const find = (kind: Given["kind"]): Given | undefined => given.find((one) => one.kind === kind);
    if (given.length === 0)
      throw new Failure(EXIT.usage, "import what? A VOD link, a chat file or a video file.");
    const [chat, video] = [find("chat"), find("video")];
    const chatUpload = chat === undefined ? null : await send(client, chat.text, output);
    const videoUpload = video === undefined ? null : await send(client, video.text, output);
    const added = (await client.call("POST", "/api/v1/streams", {
      url: find("link")?.text ?? null,
      chatUpload,
      videoUpload,
      ...(text(values["title"]) === undefined ? {} : { title: text(values["title"]) }),
      replaces: text(values["replaces"]) ?? null,
    })) as { task_id: string; stream: Vod; existing: boolean };
    if (added.existing) output.remark(`the same chat is here already: ${added.task_id}`);
    if (values["no-wait"] === true) {
      output.result(added, () => added.task_id);
      return EXIT.ok;
    }
    const vod = await untilReady(client, added.task_id, output, signal);
    output.result(vod, () => vodText(vod, client.server.url));
    return vod.status === "ready" ? EXIT.ok : EXIT.failed;
  },
};

interface Given {
  readonly kind: "link" | "chat" | "video";
  readonly text: string;
}

async function whatIs(argument: string): Promise<Given> {
  if (/^https?:\/\//i.test(argument)) return { kind: "link", text: argument };
  // Files are meant from where the caller stands.
  const path = resolve(process.env["HYPECAST_CALLED_FROM"] ?? ".", argument);
  const found = await stat(path).catch(() => null);
  if (found === null) throw new Failure(EXIT.usage, `${argument}: no such file, and no link`);
  if (!found.isFile()) throw new Failure(EXIT.usage, `${argument}: no file`);
  return { kind: VIDEO.has(extname(path).toLowerCase()) ? "video" : "chat", text: path };
}

/** Uploads by tus and resolves to the upload's id. A broken connection is taken up again where it broke. */
async function send(client: Client, path: string, output: Output): Promise<string> {
  const { size } = await stat(path);
  const name = basename(path);
  const begun = performance.now();
  return new Promise((done, failed) => {
    const upload = new Upload(createReadStream(path), {
      endpoint: client.server.url + STREAM_PATHS.uploads,
      uploadSize: size,
      chunkSize: PIECE_BYTES,
      retryDelays: RETRY_MS,
      metadata: { filename: name },
      headers: { ...client.headers },
      onProgress(sent) {
        const rate = sent / ((performance.now() - begun) / 1000);
        const left = rate > 0 ? `, ${duration((size - sent) / rate)} left` : "";
        output.progress(
          `${bar(size === 0 ? 1 : sent / size)} ${name}, ${(rate / 1e6).toFixed(1)} MB/s${left}`,
        );
      },
      onError: (error) => failed(new Failure(EXIT.failed, `${name} could not be uploaded: ${error.message}`)),
      onSuccess() {
        const id = upload.url?.split("/").at(-1);
        if (id === undefined)
          failed(new Failure(EXIT.failed, `${name}: the gateway gave the upload no address`));
        else done(id);
      },
    });
    upload.start();
  });
}

export function vodText(vod: Vod, server: string): string {
  if (vod.error !== null)
    return [
      `${vod.id}  ${vod.status}: ${vod.error.detail} ${vod.error.action}`,
      ...(vod.sameAs === null ? [] : [`  ${server}/vod/${vod.sameAs}`]),
    ].join("\n");
  const complete =
    vod.completeness === null ? "" : ` · complete to ${(vod.completeness.share * 100).toFixed(1)} %`;
  const bad = vod.badLines.count === 0 ? "" : ` · ${vod.badLines.count} lines could not be read`;
  return [
    `${vod.id}  ${vod.status}  ${safe(vod.title)}`,
    `  ${vod.lines} lines, ${vod.moments} moments${vod.durationS === null ? "" : `, ${duration(vod.durationS)}`}${complete}${bad}`,
    ...vod.notes.map(({ detail, action }) => `  note: ${detail} ${action}`),
    `  ${server}/vod/${vod.id}`,
  ].join("\n");
}
