import { audioWindows } from "@hypecast/contracts/audio.ts";
import { chatBursts } from "@hypecast/contracts/burst.ts";
import { chatChunks } from "@hypecast/contracts/chunk.ts";
import type { EventType } from "@hypecast/contracts/event.ts";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import { forecastOutcomes, hypeForecasts, hypeValues } from "@hypecast/contracts/hype.ts";
import { modCases } from "@hypecast/contracts/mod-case.ts";
import { moments, reactionLags } from "@hypecast/contracts/moment.ts";
import { videoShots } from "@hypecast/contracts/shot.ts";
import { toxicitySpikes, toxicityWindows } from "@hypecast/contracts/toxicity.ts";
import { STATE_SUBJECT } from "@hypecast/contracts/streams.ts";
import { chatWindows } from "@hypecast/contracts/window.ts";
import type { Fold, FoldInput, FoldOutput } from "../processors/fold.ts";
import {
  answerTo,
  askOf,
  checkCounts,
  loadChannel,
  newChannel,
  outcomesOf,
  saveChannel,
  stepChannel,
  type Channel,
} from "./channel.ts";
import { BATCH_MESSAGES, type Commit } from "./commit.ts";
import { decode, type Decoded, type LogMessage } from "./decode.ts";

/** Channels of a partition are saved in this many messages, by hash: a fixed number, so that a batch always fits. */
export const STATE_SLOTS = 256;
/** A channel that the log has not named for this long is forgotten: as long as the log itself remembers. */
const FORGET_AFTER_MS = 48 * 3600 * 1000;
/** Output messages stay well below the payload limit: whoever reads them holds several. */
const OUTPUT_BYTES = 512 * 1024;
/** What a message carries beside its body: headers and subject. */
const HEADER_BYTES = 1024;

/** The position record of a partition, `fold.checkpoint.<partition>`. */
interface Checkpoint {
  form: 1;
  /** Last sequence of INPUT that is in the states and outputs. */
  position: number;
  /** When the stream INPUT was created: another log has other positions. */
  log: string;
  /** By slot: the position that its messages carry and how many they are. */
  slots: Record<string, [position: number, parts: number]>;
  /** For people: who wrote it. */
  by: string;
}

export interface Stored {
  readonly revision: number;
  readonly checkpoint: Uint8Array;
  /** `fold.state.<partition>.<slot>.<part>` */
  readonly states: readonly { subject: string; data: Uint8Array; position: number }[];
}

export interface Ask {
  readonly channel: Channel;
  readonly fold: number;
  /** One or more, row-major. */
  readonly rows: Float32Array;
}

const OUTPUT_EVENT: Record<FoldOutput["type"], EventType> = {
  window: chatWindows,
  burst: chatBursts,
  hype: hypeValues,
  forecast: hypeForecasts,
  outcome: forecastOutcomes,
  shot: videoShots,
  audio: audioWindows,
  moment: moments,
  lag: reactionLags,
  chunk: chatChunks,
  toxicityWindow: toxicityWindows,
  spike: toxicitySpikes,
  modCase: modCases,
};
/** What a moderator is to see at once. */
const URGENT: ReadonlySet<FoldOutput["type"]> = new Set<FoldOutput["type"]>(["spike", "modCase"]);

const valueOf = (output: FoldOutput): unknown => {
  switch (output.type) {
    case "window":
      return output.window;
    case "burst":
      return output.burst;
    case "hype":
      return output.hype;
    case "forecast":
      return output.forecast;
    case "outcome":
      return output.outcome;
    case "shot":
      return output.shot;
    case "audio":
      return output.audio;
    case "moment":
      return output.moment;
    case "lag":
      return output.lag;
    case "chunk":
      return output.chunk;
    case "toxicityWindow":
      return output.toxicityWindow;
    case "spike":
      return output.spike;
    case "modCase":
      return output.modCase;
  }
};

/**
 * One partition from its last checkpoint on: the log's messages go in one by one, a commit's content comes out. Nothing here
 * waits, reads a clock or knows NATS; whoever drives it decides when. A state that has left by `take` counts as saved: if
 * that commit fails, this object is worthless and must be built again from what is stored.
 */
export class Partition {
  readonly number: number;
  readonly folds: readonly Fold[];
  position = 0;
  readonly channels = new Map<string, Channel>();
  /** Folds that had to start anew when this was loaded, `<channel> <fold>`. */
  readonly anew: string[] = [];
  /** Not yet committed. */
  outputs: FoldOutput[] = [];
  bad: { message: LogMessage; rows: Decoded["bad"] }[] = [];
  /** Somebody waits for one of the outputs: it is not to wait for the second. */
  urgent = false;
  linesSinceTake = 0;
  /** Lines of the last `take` by what became of them. */
  outcomes: Record<string, number> = {};
  /** Channels with lines since whoever sends live ticks cleared this. */
  readonly touched = new Set<string>();
  #slots: Checkpoint["slots"] = {};
  #taken = 0;

  constructor(number: number, folds: readonly Fold[]) {
    this.number = number;
    this.folds = folds;
  }

  /** Folds one message; those at or before the position were folded already. False when it was such a one. */
  apply(message: LogMessage): boolean {
    if (message.seq <= this.position) return false;
    const { events, ended, bad } = decode(message);
    for (const { channelId, input } of events) this.step(channelId, input, message.storedAtMs);
    for (const channelId of ended) {
      const channel = this.channels.get(channelId);
      if (channel !== undefined) channel.ended = channel.dirty = true;
    }
    if (bad.length > 0) this.bad.push({ message, rows: bad });
    this.position = message.seq;
    return true;
  }

  step(channelId: string, input: FoldInput, storedAtMs: number): void {
    let channel = this.channels.get(channelId);
    if (channel === undefined) this.channels.set(channelId, (channel = newChannel(channelId, this.folds)));
    channel.storedAtMs = storedAtMs;
    if (input.type === "lines") {
      this.linesSinceTake += input.lines.length;
      this.touched.add(channelId);
    }
    const before = this.outputs.length;
    stepChannel(channel, this.folds, input, this.outputs);
    for (let i = before; i < this.outputs.length; i++)
      if (URGENT.has(this.outputs[i]!.type)) this.urgent = true;
  }

  /** Everything that folds want to ask their models now. */
  asks(): Ask[] {
    const asks: Ask[] = [];
    for (const [fold, { model }] of this.folds.entries())
      if (model !== undefined)
        for (const channel of this.channels.values()) {
          const rows = channel.dirty ? askOf(channel, this.folds, fold) : null;
          if (rows !== null) asks.push({ channel, fold, rows });
        }
    return asks;
  }

  answer(ask: Ask, answer: Record<string, Float32Array> | null, version: string): void {
    answerTo(ask.channel, this.folds, ask.fold, answer, version, this.outputs);
  }

  /** True when there is something that a commit would change. */
  get changed(): boolean {
    return this.position > this.#taken;
  }

  /** All that was done since the last call, ready to be committed. Throws when a fold lost count of its lines. */
  take(log: string, by: string, maxPayload: number): Commit {
    this.outcomes = {};
    for (const channel of this.channels.values()) {
      if (!channel.dirty) continue;
      checkCounts(channel, this.folds);
      const outcomes = outcomesOf(channel, this.folds);
      for (const [outcome, lines] of Object.entries(outcomes))
        this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + lines - (channel.told[outcome] ?? 0);
      channel.told = outcomes;
    }
    const states = this.#takeStates(maxPayload - HEADER_BYTES);
    const outputs = packOutputs(this.outputs, this.number);
    const checkpoint: Checkpoint = { form: 1, position: this.position, log, slots: this.#slots, by };
    this.outputs = [];
    this.urgent = false;
    this.linesSinceTake = 0;
    this.#taken = this.position;
    if (outputs.length + states.length >= BATCH_MESSAGES)
      throw new Error(`partition ${this.number}: a commit of ${outputs.length} + ${states.length} messages`);
    return { partition: this.number, outputs, states, checkpoint: Buffer.from(JSON.stringify(checkpoint)) };
  }

  /** The slots with a channel that has changed or has been forgotten. */
  #takeStates(partBytes: number): Commit["states"] {
    const bySlot = new Map<number, Channel[]>();
    const dirty = new Set<number>();
    let newestMs = 0;
    for (const { storedAtMs } of this.channels.values()) newestMs = Math.max(newestMs, storedAtMs);
    for (const channel of this.channels.values()) {
      const slot = slotOf(channel.id);
      if (channel.dirty) dirty.add(slot);
      if (channel.ended || channel.storedAtMs < newestMs - FORGET_AFTER_MS) {
        this.channels.delete(channel.id);
        dirty.add(slot);
        continue;
      }
      const others = bySlot.get(slot);
      if (others === undefined) bySlot.set(slot, [channel]);
      else others.push(channel);
    }
    const states: { subject: string; data: Uint8Array; position: number }[] = [];
    for (const slot of dirty) {
      const channels = bySlot.get(slot) ?? [];
      const parts = splitBytes(
        packRecords(channels.map((channel) => saveChannel(channel, this.folds))),
        partBytes,
      );
      for (const channel of channels) channel.dirty = false;
      this.#slots[slot] = [this.position, parts.length];
      for (const [part, data] of parts.entries())
        states.push({ subject: stateSubject(this.number, slot, part), data, position: this.position });
    }
    return states;
  }

  /**
   * A partition as it was committed. Null when the record and its states were not read at one moment (somebody is committing,
   * or a replica lags): read again. `log` is the id of the INPUT stream now.
   */
  static restore(
    number: number,
    folds: readonly Fold[],
    stored: Stored | null,
    log: string,
  ): Partition | null {
    const partition = new Partition(number, folds);
    if (stored === null) return partition;
    const checkpoint = JSON.parse(Buffer.from(stored.checkpoint).toString()) as Checkpoint;
    if (checkpoint.form !== 1)
      throw new Error(
        `the checkpoint of partition ${number} has form ${String(checkpoint.form)}, this program reads form 1: run the version that wrote it, or start on an empty data folder`,
      );
    partition.#slots = checkpoint.slots;
    const parts = new Map(stored.states.map((state) => [state.subject, state]));
    for (const [slot, [position, count]] of Object.entries(checkpoint.slots)) {
      const bodies: Uint8Array[] = [];
      for (let part = 0; part < count; part++) {
        const state = parts.get(stateSubject(number, Number(slot), part));
        if (state === undefined || state.position !== position) return null;
        bodies.push(state.data);
      }
      for (const record of unpackRecords(Buffer.concat(bodies))) {
        const { channel, anew } = loadChannel(record, folds, partition.outputs);
        partition.channels.set(channel.id, channel);
        for (const fold of anew) partition.anew.push(`${channel.id} ${fold}`);
      }
    }
    // On another log the positions mean nothing; what the folds know of the channels still holds.
    partition.position = partition.#taken = checkpoint.log === log ? checkpoint.position : 0;
    return partition;
  }
}

const slotOf = (channelId: string): number => Math.floor(fnv1a(channelId) / 32) % STATE_SLOTS;
const stateSubject = (partition: number, slot: number, part: number): string =>
  `${STATE_SUBJECT}.${partition}.${slot}.${part}`;

/** Arrays of one event type each, in the order that they were said. */
function packOutputs(outputs: readonly FoldOutput[], partition: number): { subject: string; data: Buffer }[] {
  const open = new Map<string, string>();
  const packed: { subject: string; data: Buffer }[] = [];
  const close = (subject: string, rows: string): void => {
    packed.push({ subject, data: Buffer.from(`[${rows}]`) });
  };
  for (const output of outputs) {
    const event = OUTPUT_EVENT[output.type];
    const subject = `${event.name}.${partition}${output.type === "chunk" ? `.${output.chunk.channelId}` : ""}`;
    const row = JSON.stringify(valueOf(output));
    const rows = open.get(subject);
    if (rows === undefined) open.set(subject, row);
    else if (rows.length + row.length > OUTPUT_BYTES) {
      close(subject, rows);
      open.set(subject, row);
    } else open.set(subject, `${rows},${row}`);
  }
  for (const [subject, rows] of open) close(subject, rows);
  return packed;
}

function packRecords(records: readonly Buffer[]): Buffer {
  const lengths = records.flatMap((record) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(record.length);
    return [length, record];
  });
  return Buffer.concat(lengths);
}

function unpackRecords(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    records.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return records;
}

/** At least one part, so that an emptied slot overwrites what it held. */
function splitBytes(bytes: Buffer, partBytes: number): Buffer[] {
  const parts = [bytes.subarray(0, partBytes)];
  for (let at = partBytes; at < bytes.length; at += partBytes) parts.push(bytes.subarray(at, at + partBytes));
  return parts;
}
