import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ChatLine, LineEmote } from "@hypecast/contracts/chat.ts";
import { HYPE_BURST_KINDS } from "@hypecast/contracts/burst.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import type { ForecastOutcome, HypeForecast } from "@hypecast/contracts/hype.ts";
import { answerTo, askOf, newChannel, stepChannel } from "@hypecast/streamproc/partitions/channel.ts";
import type { FoldInput, FoldOutput } from "@hypecast/streamproc/processors/fold.ts";
import { forecast, type ForecastState } from "@hypecast/streamproc/processors/forecast.ts";
import { folds } from "@hypecast/streamproc/processors/index.ts";

/** One stretch of chat that forecasts are tried on. */
export interface Series {
  readonly name: string;
  /** `vod`: every line, through all folds. `minutes`: counts of a minute, spread over its seconds, for the forecast fold alone. */
  readonly set: "vod" | "minutes";
  readonly channel: string;
  readonly file: string;
}

/** What the folds said about a series, and what came. */
export interface Played {
  readonly series: Series;
  readonly forecasts: HypeForecast[];
  readonly outcomes: ForecastOutcome[];
  /** Lines by second from startS on. */
  readonly startS: number;
  readonly lines: Uint32Array;
  /** First seconds of hype bursts, in order. */
  readonly burstsS: number[];
}

/** Chat of these marathons was counted well until 2019. */
const MINUTES_UNTIL_YEAR = 2019;

/** Every series of a folder laid out like the project's test data; empty where there is none. */
export function findSeries(data: string): Series[] {
  const vods = globSync(join(data, "chat-vod/*/*.{chat.json.gz,json}"))
    .filter((file) => !file.endsWith(".vod.json"))
    .map((file) => {
      const folder = basename(join(file, ".."));
      const name = basename(file).replace(/(?:\.chat)?\.json(?:\.gz)?$/, "");
      return { name, set: "vod" as const, channel: folder === "v5" ? name : folder, file };
    });
  const minutes = globSync(join(data, "forecast-minutes/*.json"))
    .filter((file) => yearOf(file) <= MINUTES_UNTIL_YEAR)
    .map((file) => {
      const name = basename(file, ".json");
      return { name, set: "minutes" as const, channel: name, file };
    });
  return [...vods, ...minutes].toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

interface Minute {
  time: string;
  c: number | null;
}
const read = (file: string): unknown => {
  const bytes = readFileSync(file);
  return JSON.parse((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString());
};
const yearOf = (file: string): number =>
  new Date((read(file) as Minute[])[0]?.time ?? "9999").getUTCFullYear();

/** Asks the model; null when it is silent. */
export type Ask = (features: Float32Array, rows: number) => Promise<Record<string, Float32Array> | null>;

/** Ticks that are asked together: what is said does not depend on it. */
const ASK_EVERY_S = 1280;
const FORECAST = folds.indexOf(forecast);

/** Runs the product's folds over the series. */
export async function play(series: Series, version: string, ask: Ask): Promise<Played> {
  const channel = newChannel(series.channel, folds);
  const outputs: FoldOutput[] = [];
  const played: Pick<Played, "forecasts" | "outcomes" | "burstsS"> = {
    forecasts: [],
    outcomes: [],
    burstsS: [],
  };
  const answer = async (): Promise<void> => {
    const features = askOf(channel, folds, FORECAST);
    if (features !== null) {
      const said = await ask(features, features.length / forecast.model!.width);
      answerTo(channel, folds, FORECAST, said, said === null ? "none" : version, outputs);
    }
    for (const output of outputs)
      if (output.type === "forecast") played.forecasts.push(output.forecast);
      else if (output.type === "outcome") played.outcomes.push(output.outcome);
      else if (output.type === "burst" && output.burst.open && isHype(output.burst.kind))
        played.burstsS.push(Math.floor(output.burst.startMs / 1000));
    outputs.length = 0;
  };
  const { startS, lines, inputs } = series.set === "vod" ? vodInputs(series) : minuteInputs(series);
  // Bare counts go to the forecast fold alone: the others would have no lines to read.
  const counted = channel.states[FORECAST] as ForecastState;
  let askedS = startS;
  for (const { atS, input } of inputs) {
    if (series.set === "vod") stepChannel(channel, folds, input, outputs);
    else forecast.step(counted, input, (said) => outputs.push(said as FoldOutput));
    if (atS < askedS + ASK_EVERY_S) continue;
    askedS = atS;
    await answer();
  }
  await answer();
  played.burstsS.sort((a, b) => a - b);
  return { series, ...played, startS, lines };
}

const isHype = (kind: string): boolean => (HYPE_BURST_KINDS as readonly string[]).includes(kind);

interface Inputs {
  startS: number;
  lines: Uint32Array;
  inputs: Iterable<{ atS: number; input: FoldInput }>;
}

/** Seconds after the last line that are still played, so that its forecasts are measured. */
const TAIL_S = 120;

function vodInputs(series: Series): Inputs {
  const chat = readVod(series.file).toSorted((a, b) => a.sentAtMs - b.sentAtMs);
  const startS = Math.floor((chat[0]?.sentAtMs ?? 0) / 1000);
  const endS = Math.floor((chat.at(-1)?.sentAtMs ?? 0) / 1000) + TAIL_S;
  const lines = new Uint32Array(endS - startS + 1);
  for (const { sentAtMs } of chat) lines[Math.floor(sentAtMs / 1000) - startS]!++;
  function* inputs(): Generator<{ atS: number; input: FoldInput }> {
    let at = 0;
    for (let second = startS; second <= endS; second++) {
      const from = at;
      while (at < chat.length && chat[at]!.sentAtMs < (second + 1) * 1000) at++;
      if (at > from)
        yield { atS: second, input: { type: "lines", lines: chat.slice(from, at), emoteSet: "" } };
      yield { atS: second, input: { type: "alive", atMs: (second + 1) * 1000 } };
    }
  }
  return { startS, lines, inputs: inputs() };
}

/** The dialects of VOD chats: GraphQL and its older form (`contentOffsetSeconds`), and v5 (`content_offset_seconds`). */
interface VodComment {
  id?: string;
  _id?: string;
  contentOffsetSeconds?: number;
  content_offset_seconds?: number;
  commenter?: { id?: string; _id?: string; login?: string; name?: string } | null;
  message?: {
    is_action?: boolean;
    bitsSpent?: number;
    fragments?: {
      text?: string;
      emote?: { emoticon_id?: string; emoteID?: string } | null;
      emoticon?: { emoticon_id?: string };
    }[];
  };
}

function readVod(file: string): ChatLine[] {
  const content = read(file) as VodComment[] | { comments: VodComment[] };
  const comments = Array.isArray(content) ? content : content.comments;
  const about = file.replace(".chat.json.gz", ".vod.json");
  const createdAt =
    about !== file && existsSync(about) ? (read(about) as { created_at?: string }).created_at : "";
  // "2023-07-23 22:23:35", with or without a zone.
  const found = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/.exec(createdAt ?? "");
  const startedMs = found === null ? Date.UTC(2020, 0, 1) : Date.parse(`${found[1]}T${found[2]}Z`);
  return comments.map((comment, i) => {
    const offsetS = comment.contentOffsetSeconds ?? comment.content_offset_seconds ?? 0;
    const { commenter } = comment;
    let text = "";
    let points = 0;
    const emotes: LineEmote[] = [];
    for (const fragment of comment.message?.fragments ?? []) {
      const part = fragment.text ?? "";
      const { length } = Array.from(part);
      const id =
        fragment.emote?.emoticon_id ?? fragment.emote?.emoteID ?? fragment.emoticon?.emoticon_id ?? "";
      if (id !== "" && length > 0) emotes.push([`twitch:${id}`, part, points, points + length - 1]);
      text += part;
      points += length;
    }
    return {
      id: comment.id ?? comment._id ?? String(i),
      channelId: "0",
      sentAtMs: startedMs + Math.round(offsetS * 1000),
      userId: commenter?.id ?? commenter?._id ?? "0",
      login: commenter?.login ?? commenter?.name ?? "",
      text,
      ...(emotes.length > 0 ? { emotes } : {}),
      ...(comment.message?.is_action === true ? { action: true } : {}),
      ...((comment.message?.bitsSpent ?? 0) > 0 ? { bits: comment.message!.bitsSpent! } : {}),
    };
  });
}

const NO_MOODS = MOODS.map(() => 0);

/** A minute's lines fall on its seconds at random (seeded): the data says no more. Missing minutes were not heard. */
function minuteInputs(series: Series): Inputs {
  const byMinute = new Map<number, number>();
  for (const { time, c } of read(series.file) as Minute[])
    if (typeof c === "number") byMinute.set(Math.floor(Date.parse(time) / 60_000), c);
  const minutes = [...byMinute.keys()].toSorted((a, b) => a - b);
  const first = minutes[0] ?? 0;
  const last = minutes.at(-1) ?? -1;
  const startS = first * 60;
  const lines = new Uint32Array((last - first + 1) * 60);
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  for (const minute of minutes)
    for (let left = byMinute.get(minute)!; left > 0; left--)
      lines[(minute - first) * 60 + Math.floor(random() * 60)]!++;
  function* inputs(): Generator<{ atS: number; input: FoldInput }> {
    for (let minute = first; minute <= last; minute++) {
      const heard = byMinute.has(minute);
      for (let second = minute * 60; second < (minute + 1) * 60; second++) {
        const messages = lines[second - startS]!;
        const reaction = {
          fromS: second,
          untilS: second + 1,
          heard,
          greeting: false,
          messages,
          lines: messages,
          emoteLines: 0,
          caps: 0,
          moods: NO_MOODS,
          users: NOBODY,
          reacting: [],
        };
        yield { atS: second, input: { type: "reaction", reaction } };
      }
    }
  }
  return { startS, lines, inputs: inputs() };
}
const NOBODY: readonly number[] = [];
