import { jetstreamManager } from "@nats-io/jetstream";
import { isVodWanted } from "@hypecast/contracts/vod-steps.ts";
import { vodChannelId, type Vod } from "@hypecast/contracts/vod.ts";
import type { VodStageName } from "@hypecast/contracts/vod-words.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { channelFilter } from "./channel-writer.ts";
import { ImportFailure } from "./chat/failure.ts";
import type { ByteSource } from "./chat/source.ts";
import { forgetRun } from "./forget.ts";
import { cardOf, CHAT_STAGES, factsOf, importChat, survey, untilEmbedded, withNotes } from "./import-chat.ts";
import type { Told } from "./told.ts";
import type { ImportTools } from "./tools.ts";
import { removeUpload, uploadSource } from "./upload-source.ts";

/**
 * One stream from what a person gave to rows that answer. Each step begins where the record and the log say that it stood, so this may be
 * called again after any death. Throws ImportFailure, or whatever else went wrong.
 */
export async function importStream(
  asked: Vod,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  const isOpen = (name: VodStageName): boolean => {
    const { state } = told.stage(name);
    return state !== "done" && state !== "skipped";
  };
  let vod = asked;
  if (CHAT_STAGES.some(isOpen)) vod = await chatRun(vod, tools, told, signal);
  for (const name of ["video", "measure", "merge"] as const)
    if (isOpen(name)) await told.end(name, "skipped");
  await finish(vod, tools, signal);
}

async function chatRun(asked: Vod, tools: ImportTools, told: Told, signal: AbortSignal): Promise<Vod> {
  let vod = await beginRun(asked, tools);
  const channelId = vod.making!;
  const source = await download(vod, tools, told);
  const known = { startMs: vod.startKnown ? vod.startMs : null, durationS: vod.durationS };
  const found = await survey(vod, channelId, source, known, tools, told, signal);
  told.note(factsOf(vod, found, source.name, null));
  told.run("parse", source.bytes, source.bytes);
  await told.end("parse", "done");
  vod = await current(vod, tools);

  const durationS = vod.durationS ?? 0;
  // The first run answers from its first lines on; a later one when it is whole.
  if (vod.channelId === null) told.note({ channelId });
  await importChat(channelId, source, found, durationS, tools, told, signal);
  const endMs = Math.max(found.startMs + durationS * 1000, found.lastMs + 1);
  const span = { fromMs: found.startMs, toMs: Math.ceil(endMs) };
  const missing = await untilEmbedded(channelId, span, tools, told, signal);
  await told.end("embed", missing === null ? "done" : "skipped");
  const card = await cardOf(channelId, span.fromMs, span.toMs, tools, signal);
  told.note({
    ...card,
    channelId,
    making: null,
    notes: withNotes((await current(vod, tools)).notes, missing === null ? [] : [missing]),
  });
  await told.written();
  return current(vod, tools);
}

/** Gives the run that is being made its number and its channel. */
async function beginRun(vod: Vod, { records }: ImportTools): Promise<Vod> {
  const begun = await records.change(vod.id, (known) => {
    if (!isVodWanted(known) || known.making !== null) return null;
    const run = known.run + 1;
    return { run, making: vodChannelId(known.id, run) };
  });
  if (begun === null || begun.making === null) throw new Error(`stream ${vod.id} is not wanted any more`);
  return begun;
}

async function current(vod: Vod, { records }: ImportTools): Promise<Vod> {
  const known = await records.get(vod.id);
  if (known === null) throw new Error(`stream ${vod.id} is gone`);
  return known;
}

async function download(vod: Vod, { nc, objects }: ImportTools, told: Told): Promise<ByteSource> {
  const { chatUpload } = vod.source;
  if (chatUpload === null)
    throw new ImportFailure(
      "no_way",
      "There is no chat file, and the settings name no way to this link's chat.",
      "Upload a chat file.",
    );
  const source = await uploadSource(nc, objects, chatUpload);
  told.run("download", source.bytes, source.bytes);
  await told.end("download", "done");
  return source;
}

/** What was made before this run is removed, what was only needed to make it too, and the stream is ready. */
async function finish(vod: Vod, tools: ImportTools, signal: AbortSignal): Promise<void> {
  const { nc, records, objects } = tools;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  for (let run = 1; run <= vod.run; run++) {
    const channelId = vodChannelId(vod.id, run);
    if (channelId !== vod.channelId) await forgetRun(channelId, tools, signal);
    else await whenTheLogAnswers(nc, () => jsm.streams.purge("INPUT", { filter: channelFilter(channelId) }));
  }
  const ready = await records.change(vod.id, (known) =>
    isVodWanted(known) && !known.deleting
      ? { status: "ready", readyAtMs: Date.now(), progress: 1, etaS: 0, error: null }
      : null,
  );
  if (ready?.status !== "ready") return;
  for (const uploaded of [vod.source.chatUpload, vod.source.videoUpload])
    if (uploaded !== null) await removeUpload(nc, objects, uploaded);
}
