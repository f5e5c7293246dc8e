import type { z } from "zod";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { EXIT, Failure } from "../failure.ts";
import { bar, duration, safe } from "../output.ts";
import { text, type Command } from "./command.ts";
import { vodText } from "./import.ts";
import { progressText } from "./progress.ts";

type Task = z.infer<typeof vodRoutes.taskStatus.result>;
type Page = z.infer<typeof vodRoutes.listStreams.result>;

export const status: Command = {
  name: "status",
  usage: "status [TASK…] [--cancel | --retry | --delete]",
  says: "how far imports and renders are; without a task: all streams",
  options: { cancel: { type: "boolean" }, retry: { type: "boolean" }, delete: { type: "boolean" } },
  async run({ client, output, positionals, values }) {
    const asked = ["cancel", "retry", "delete"].filter((name) => values[name] === true);
    if (asked.length > 1) throw new Failure(EXIT.usage, `--${asked.join(" and --")}: one of them`);
    if (asked.length > 0 && positionals.length === 0)
      throw new Failure(EXIT.usage, `${asked[0]} what? The id of a stream.`);
    const lineOf = (vod: Vod): string =>
      vod.status === "processing"
        ? `${vod.id}  ${progressText(vod)}  ${safe(vod.title)}`
        : vodText(vod, client.server.url);
    if (positionals.length === 0) {
      const streams = await allStreams((path) => client.call("GET", path));
      output.result({ streams }, () =>
        streams.length === 0
          ? "no streams yet: hypecast import LINK|FILE"
          : streams.map((vod) => lineOf(vod)).join("\n"),
      );
      return EXIT.ok;
    }
    let failed = false;
    for (const id of positionals) {
      const path = `/api/v1/streams/${encodeURIComponent(id)}`;
      if (values["delete"] === true) {
        await client.call("DELETE", path);
        output.result({ task_id: id, deleted: true }, () => `${id}  is being deleted`);
        continue;
      }
      if (values["cancel"] === true || values["retry"] === true) {
        const job = values["cancel"] === true ? "cancel" : "retry";
        const vod = (await client.call("PATCH", path, { job })) as Vod;
        output.result(vod, () => lineOf(vod));
        continue;
      }
      const task = (await client.call("GET", `/api/v1/status/${encodeURIComponent(id)}`)) as Task;
      failed ||= task.status === "error";
      output.result(task, () => taskText(task));
    }
    return failed ? EXIT.failed : EXIT.ok;
  },
};

/** Every page of the list. */
export async function allStreams(get: (path: string) => Promise<unknown>): Promise<Vod[]> {
  const streams: Vod[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const page = (await get(`/api/v1/streams${query}`)) as Page;
    streams.push(...page.streams);
    cursor = page.next;
  }
  return streams;
}

function taskText({ task_id, kind, status, percent, stage, eta_s, error }: Task): string {
  if (status === "error") return `${task_id}  ${kind} failed: ${text(error ?? "") ?? ""}`;
  if (status === "ready") return `${task_id}  ${kind}  ${bar(1)} ready`;
  const left = eta_s === null ? "" : `, ${duration(eta_s)} left`;
  return `${task_id}  ${kind}  ${bar(percent / 100)} ${stage ?? status}${left}`;
}
