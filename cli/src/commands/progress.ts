import type { Vod } from "@hypecast/contracts/vod.ts";
import type { Client } from "../client.ts";
import { EXIT, Failure } from "../failure.ts";
import { bar, duration, type Output } from "../output.ts";

/** Follows an import to its end, or as far as `signal` lets it. */
export async function untilReady(
  client: Client,
  id: string,
  output: Output,
  signal: AbortSignal,
): Promise<Vod> {
  let vod: Vod | null = null;
  for await (const record of client.follow(`/api/v1/jobs/${id}/events`, signal)) {
    vod = record as Vod;
    output.progress(progressText(vod));
    if (isOver(vod)) return vod;
  }
  vod = (await client.call("GET", `/api/v1/streams/${id}`)) as Vod;
  if (!isOver(vod))
    throw new Failure(EXIT.failed, `the gateway stopped telling of ${id}; hypecast status ${id}`);
  return vod;
}

const isOver = ({ status, cancelled }: Vod): boolean => status !== "processing" || cancelled;

export function progressText(vod: Vod): string {
  const stage = vod.stages.find(({ state }) => state === "running");
  const left = vod.etaS === null ? "" : `, ${duration(vod.etaS)} left`;
  return `${bar(vod.progress)} ${stage?.name ?? vod.status}${left}`;
}
