import { jetstreamManager } from "@nats-io/jetstream";
import { isVodWanted } from "@hypecast/contracts/vod-steps.ts";
import { vodFacts } from "@hypecast/contracts/question.ts";
import { vodChannelId, vodPictureChannel, type Vod } from "@hypecast/contracts/vod.ts";
import type { VodStageName } from "@hypecast/contracts/vod-words.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { channelFilter } from "./channel-writer.ts";
import { ImportFailure } from "./chat/failure.ts";
import type { ChatSurvey } from "./chat/read-chat.ts";
import { chatFile, keepFiles } from "./files.ts";
import { forgetRun } from "./forget.ts";
import { cardOf, factsOf, importChat, keptSurvey, survey, untilEmbedded, withNotes } from "./import-chat.ts";
import { lastSequence } from "./stored.ts";
import { makeRun } from "./make-run.ts";
import { sameSource, type Told } from "./told.ts";
import type { ImportTools } from "./tools.ts";
import { knownOfLink } from "./twitch-facts.ts";
import { measured } from "./video/measured.ts";
import { pictureEvents } from "./video/merge.ts";
import type { Tell, VideoFacts } from "./video/tools.ts";
import { lookAtVideo, namesVideo, takeVideo } from "./video/video.ts";

const CHAT_STAGES: readonly VodStageName[] = ["download", "parse", "windows", "chunks", "embed", "moments"];
const VIDEO_STAGES: readonly VodStageName[] = ["video", "measure", "merge"];
/** A chat that goes on so much longer than its video belongs to another one. */
const WRONG_CHAT = { s: 120, share: 0.1 } as const;

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
  const isOpen = (name: VodStageName): boolean => !["done", "skipped"].includes(told.stage(name).state);
  let vod = await linked(asked, tools, told, signal);
  const named = sensesOf(vod, tools);
  if (!named.chat && !named.picture)
    throw new ImportFailure(
      "no_way",
      "The settings name no way to the chat or the video of this link.",
      "Upload a chat file, a video file, or both; docs/import.md says what can be turned on.",
    );
  let look: VideoFacts | null = null;
  if (named.picture && isOpen("video")) {
    look = await lookOrNote(vod, named.chat, tools, told, signal);
    if (look !== null) vod = await withPicture(vod, look, tools);
  }
  const has = { chat: named.chat, picture: look !== null || told.stage("video").state === "done" };
  for (const name of CHAT_STAGES) if (!has.chat && isOpen(name)) await told.end(name, "skipped");
  for (const name of VIDEO_STAGES) if (!has.picture && isOpen(name)) await told.end(name, "skipped");

  if (CHAT_STAGES.some(isOpen)) vod = await chatRun(vod, has.picture, tools, told, signal);
  if (VIDEO_STAGES.some(isOpen)) vod = await pictureRun(vod, has.chat, tools, told, signal);
  await finish(vod, has.picture, tools, signal);
}

/** Null: a link's picture cannot be had now. Its chat does not wait for that: a note says so, and whoever tries again asks for the picture alone. */
async function lookOrNote(
  vod: Vod,
  hasChat: boolean,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<VideoFacts | null> {
  try {
    return await lookAtVideo(vod, tools, signal);
  } catch (error) {
    if (!(error instanceof ImportFailure) || !hasChat || vod.source.videoUpload !== null) throw error;
    told.note({ notes: withNotes(vod.notes, [error.error]) });
    await told.written();
    return null;
  }
}

/** What the link says of the stream, where the settings name a way to ask. */
async function linked(vod: Vod, tools: ImportTools, told: Told, signal: AbortSignal): Promise<Vod> {
  const { url } = vod.source;
  if (url === null || vod.twitchId !== null) return vod;
  const facts = await knownOfLink(vod, url, tools.config, signal);
  if (facts === null) return vod;
  told.note(facts);
  await told.written();
  return current(vod, tools);
}

const sensesOf = (vod: Vod, { config }: ImportTools): { chat: boolean; picture: boolean } => ({
  chat: vod.source.chatUpload !== null || (vod.twitchId !== null && config.TWITCH_UNOFFICIAL_CHAT_URL !== ""),
  picture: namesVideo(vod.source, config),
});

/** A picture says how long the stream is, and a playlist when it was. What has been imported already stays where it is. */
async function withPicture(
  vod: Vod,
  { durationS, startMs }: VideoFacts,
  { records }: ImportTools,
): Promise<Vod> {
  const changed = await records.change(vod.id, (known) => ({
    durationS: durationS ?? known.durationS,
    ...(startMs !== null && !known.startKnown && known.channelId === null
      ? { startMs, startKnown: true }
      : {}),
  }));
  return changed ?? vod;
}

async function chatRun(
  asked: Vod,
  hasPicture: boolean,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<Vod> {
  const begun = await beginRun(asked, tools, signal);
  const channelId = begun.making!;
  const source = await chatFile(begun, tools, told, signal);
  if (told.stage("download").state !== "done") {
    told.run("download", source.bytes, source.bytes);
    await told.end("download", "done");
  }
  const known = { startMs: begun.startKnown ? begun.startMs : null, durationS: begun.durationS };
  const found = await survey(begun, channelId, source, known, tools, told, signal);
  if (hasPicture && begun.durationS !== null) checkChat(begun, begun.durationS, found);
  told.run("parse", source.bytes, source.bytes);
  // The first run answers from its first lines on; a later one when it is whole.
  told.note({ ...factsOf(begun, found, source.name), ...(begun.channelId === null ? { channelId } : {}) });
  await told.end("parse", "done");
  const vod = await current(begun, tools);

  const span = { channelId, fromMs: found.startMs, toMs: endOf(vod, found) };
  await importChat(channelId, { source, survey: found }, span.toMs, tools, told, signal);
  const missing = await untilEmbedded(span, tools, told, signal);
  told.note({
    ...(await cardOf(span, tools, signal)),
    channelId,
    making: null,
    notes: withNotes(vod.notes, missing === null ? [] : [missing]),
  });
  await told.end("embed", missing === null ? "done" : "skipped");
  return current(vod, tools);
}

function checkChat({ twitchId }: Vod, videoS: number, { facts, startMs, lastMs }: ChatSurvey): void {
  const chatS = (lastMs - startMs) / 1000;
  const tooLong = chatS > videoS + Math.max(WRONG_CHAT.s, videoS * WRONG_CHAT.share);
  const another = twitchId !== null && facts.twitchId !== null && facts.twitchId !== twitchId;
  if (!tooLong && !another) return;
  throw new ImportFailure(
    "wrong_chat",
    another
      ? `The chat is of Twitch's video ${facts.twitchId}, the link is of ${twitchId}.`
      : `The chat goes on for ${Math.round(chatS)} s, the video for ${Math.round(videoS)} s.`,
    "Give the chat and the video of the same stream, or import each by itself.",
  );
}

/** Takes the picture, has it measured, and tells it together with the chat as a run that takes the place of the one before. */
async function pictureRun(
  asked: Vod,
  hasChat: boolean,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<Vod> {
  const isOpen = (name: VodStageName): boolean => !["done", "skipped"].includes(told.stage(name).state);
  if (isOpen("video")) {
    const tell: Tell = ({ seconds, ofSeconds, video = null }) => {
      told.run("video", seconds, ofSeconds);
      // It can be played as far as it is there.
      if (video !== null) told.note({ video });
    };
    const taken = await takeVideo(asked, tools, signal, tell, hasChat);
    if (taken.asked) for (const name of ["measure", "merge"] as const) await told.end(name, "skipped");
    told.note({ video: taken.video, notes: withNotes(asked.notes, taken.notes) });
    if (!hasChat) told.note({ durationS: taken.video.durationS });
    await told.end("video", "done");
  }
  if (!isOpen("merge")) return current(asked, tools);
  if (isOpen("measure")) {
    const { thumbKey } = await measured(asked, tools, signal, ({ seconds, ofSeconds }) =>
      told.run("measure", seconds, ofSeconds),
    );
    const { video } = await current(asked, tools);
    told.note({ video: video === null ? null : { ...video, thumbKey } });
    await told.end("measure", "done");
  }
  const vod = await beginRun(await current(asked, tools), tools, signal);
  const channelId = vod.making!;
  const found = hasChat ? await keptSurvey(vod.id, tools) : null;
  const chat = found === null ? null : { source: await chatFile(vod, tools, told, signal), survey: found };
  const videoMs = vod.startMs + Math.ceil((vod.video?.durationS ?? 0) * 1000);
  const span = {
    channelId,
    fromMs: vod.startMs,
    toMs: Math.max(videoMs, found === null ? 0 : endOf(vod, found)),
  };
  const seconds = (span.toMs - span.fromMs) / 1000;
  const picture = (from: number): ReturnType<typeof pictureEvents> =>
    pictureEvents(vod, channelId, tools, from);
  const folded = (untilMs: number): void =>
    told.run("merge", Math.min(seconds, Math.max(0, (untilMs - span.fromMs) / 1000)), seconds);
  await makeRun({ channelId, chat, picture, endMs: span.toMs }, tools, folded, signal);
  if (chat !== null) {
    const missing = await untilEmbedded(span, tools, told, signal);
    await told.end("embed", missing === null ? "done" : "skipped");
  }
  told.note({ ...(await cardOf(span, tools, signal)), channelId, making: null });
  await told.end("merge", "done");
  return current(vod, tools);
}

const endOf = ({ durationS }: Vod, { startMs, lastMs }: ChatSurvey): number =>
  Math.max(startMs + Math.ceil((durationS ?? 0) * 1000), lastMs + 1);

/** Gives the run that is being made its number and its channel. One that was left for so long that the log has forgotten it begins anew. */
async function beginRun(vod: Vod, tools: ImportTools, signal: AbortSignal): Promise<Vod> {
  const stale = vod.making !== null && (await isForgotten(vod.making, tools, signal)) ? vod.making : null;
  const begun = await tools.records.change(vod.id, (known) => {
    if (!isVodWanted(known) || known.making !== stale || !sameSource(known, vod)) return null;
    const run = known.run + 1;
    return { run, making: vodChannelId(known.id, run) };
  });
  if (begun === null || begun.making === null) throw new Error(`stream ${vod.id} is not wanted any more`);
  return begun;
}

/** Rows of it are stored, and nothing says any more how far it was. */
async function isForgotten(
  channelId: string,
  { nc, ask }: ImportTools,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await lastSequence(nc, [channelFilter(channelId)])) > 0) return false;
  const ever = { fromMs: 1, toMs: 4_102_444_800_000, columns: 1 };
  return (await ask(vodFacts, { channelId, ...ever }, signal)).lines > 0;
}

async function current(vod: Vod, { records }: ImportTools): Promise<Vod> {
  const known = await records.get(vod.id);
  if (known === null || !sameSource(known, vod)) throw new Error(`stream ${vod.id} is another one by now`);
  return known;
}

/** What was made before this run is removed, what was only needed to make it too, and the stream is ready. */
async function finish(vod: Vod, hasPicture: boolean, tools: ImportTools, signal: AbortSignal): Promise<void> {
  const { nc, records } = tools;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const runs = Array.from({ length: vod.run }, (_, i) => vodChannelId(vod.id, i + 1));
  const made = hasPicture ? [vodPictureChannel(vod.id), ...runs] : runs;
  await Promise.all(
    made.map(async (channelId) => {
      if (channelId !== vod.channelId) await forgetRun(channelId, tools, signal);
      else
        await whenTheLogAnswers(nc, () => jsm.streams.purge("INPUT", { filter: channelFilter(channelId) }));
    }),
  );
  await keepFiles(vod, tools);
  await records.change(vod.id, (known) =>
    isVodWanted(known) && !known.deleting && sameSource(known, vod)
      ? { status: "ready", readyAtMs: Date.now(), progress: 1, etaS: 0, error: null }
      : null,
  );
}
