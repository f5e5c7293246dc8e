import type { MsgHdrs } from "@nats-io/transport-node";
import { chatLines, chatNotice, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { CHECKPOINT_SUBJECT } from "@hypecast/contracts/streams.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import type { Fold } from "../processors/fold.ts";
import { commit, POSITION_HEADER, type Wire } from "./commit.ts";
import type { LogMessage } from "./decode.ts";
import type { Stored } from "./partition.ts";
import { startWorker, type Clock, type ReadMessage, type Worker } from "./worker.ts";

/**
 * A whole world for the simulation: one log server, any number of processes that all believe they own the same partition, a
 * network between them and a clock that stands still until told. Nothing happens by itself; every delivery, loss, kill and
 * tick is one call, so a schedule is a list of numbers.
 */
export const PARTITION = 3;
const ANSWER_LOST_AFTER_MS = 5000;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface StoredMessage {
  seq: number;
  data: Uint8Array;
  position: number;
}

/** The log server, as far as folds see it: atomic batches, rollup, expected last sequence by subject. */
class Server {
  readonly chat: ReadMessage[] = [];
  readonly bySubject = new Map<string, StoredMessage[]>();
  #seq = 0;
  readonly #open = new Map<string, { subject: string; data: Uint8Array; headers: MsgHdrs }[]>();

  append(channel: string, lines: readonly ChatLine[], storedAtMs: number): void {
    this.appendRaw(`${chatLines.name}.${PARTITION}.${channel}`, packLines(lines), storedAtMs);
  }

  notice(channel: string, id: string, atMs: number): void {
    const notice = { id, channelId: channel, sentAtMs: atMs, kind: "sub", userId: "1", login: "someone" };
    this.appendRaw(`${chatNotice.name}.${PARTITION}.${channel}`, Buffer.from(JSON.stringify(notice)), atMs);
  }

  appendRaw(subject: string, data: Uint8Array, storedAtMs: number): void {
    this.chat.push({ seq: this.chat.length + 1, subject, data, header: () => "", storedAtMs, pending: 0 });
  }

  receive(subject: string, data: Uint8Array, headers: MsgHdrs): object | null {
    const id = headers.get("Nats-Batch-Id");
    const batch = this.#open.get(id) ?? [];
    this.#open.set(id, batch);
    if (Number(headers.get("Nats-Batch-Sequence")) !== batch.length + 1) {
      this.#open.delete(id);
      return { error: { err_code: 10176, description: "batch publish is incomplete and was abandoned" } };
    }
    batch.push({ subject, data, headers });
    if (headers.get("Nats-Batch-Commit") !== "1") return null;
    this.#open.delete(id);
    for (const message of batch) {
      const expected = message.headers.get("Nats-Expected-Last-Subject-Sequence");
      const last = this.bySubject.get(message.subject)?.at(-1)?.seq ?? 0;
      if (expected !== "" && Number(expected) !== last)
        return { error: { err_code: 10071, description: `wrong last sequence: ${last}` } };
    }
    for (const message of batch) {
      const kept =
        message.headers.get("Nats-Rollup") === "sub" ? [] : (this.bySubject.get(message.subject) ?? []);
      kept.push({
        seq: ++this.#seq,
        data: message.data,
        position: Number(message.headers.get(POSITION_HEADER)),
      });
      this.bySubject.set(message.subject, kept);
    }
    return { seq: this.#seq };
  }

  checkpoint(): Pick<Stored, "revision" | "checkpoint"> | null {
    const last = this.bySubject.get(`${CHECKPOINT_SUBJECT}.${PARTITION}`)?.at(-1);
    return last === undefined ? null : { revision: last.seq, checkpoint: last.data };
  }

  states(): Stored["states"] {
    const states = [];
    for (const [subject, messages] of this.bySubject)
      if (subject.startsWith("fold.state.")) states.push({ subject, ...messages.at(-1)! });
    return states;
  }

  windows(): ChatWindow[] {
    const messages = this.bySubject.get(`chat.window.${PARTITION}`) ?? [];
    return messages.flatMap(({ data }) => JSON.parse(Buffer.from(data).toString()) as ChatWindow[]);
  }
}

/** A process that owns the partition, as it believes. */
class Process {
  readonly worker: Worker;
  paused = false;
  dead = false;
  setAside = 0;
  /** Sent and not yet at the server; answers not yet back. */
  readonly out: (() => void)[] = [];
  readonly back: (() => void)[] = [];
  readonly #world: World;
  readonly #timers: { atMs: number; fire: () => void }[] = [];
  #reader: { next: number; give: (message: ReadMessage) => void } | null = null;

  constructor(world: World, folds: readonly Fold[], name: string) {
    this.#world = world;
    const { server } = world;
    const wire: Wire = {
      publish: (subject, data, { headers }) => {
        this.out.push(() => server.receive(subject, data, headers));
      },
      request: async (subject, data, { headers }) =>
        new Promise((resolve, reject) => {
          this.#timers.push({
            atMs: world.nowMs + ANSWER_LOST_AFTER_MS,
            fire: () => reject(new Error("timeout")),
          });
          this.out.push(() => {
            const answer = server.receive(subject, data, headers);
            this.back.push(() => resolve({ json: () => answer }));
          });
        }),
    };
    const clock: Clock = {
      nowMs: () => world.nowMs,
      sleep: async (ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          const fire = (): void => {
            signal.removeEventListener("abort", fire);
            resolve();
          };
          signal.addEventListener("abort", fire);
          this.#timers.push({ atMs: world.nowMs + ms, fire });
        }),
    };
    this.worker = startWorker(PARTITION, {
      folds,
      scorer: {
        score: async (_model, { features }) =>
          new Promise((resolve, reject) => {
            this.#timers.push({ atMs: world.nowMs + 250, fire: () => reject(new Error("too slow")) });
            this.out.push(() => this.back.push(() => resolve({ same: (features as Float32Array).slice() })));
          }),
        inputs: async () => [],
        version: () => "echo@1",
        close: async () => undefined,
      },
      clock,
      logger: silent,
      instance: name,
      log: {
        id: "log",
        maxPayload: 2048, // small: states and outputs need several messages
        // Two reads in the wrong order, between which somebody else may commit.
        load: async () =>
          new Promise((resolve) => {
            let states: Stored["states"] = [];
            this.out.push(() => (states = server.states()));
            this.out.push(() => {
              const checkpoint = server.checkpoint();
              this.back.push(() => resolve(checkpoint === null ? null : { ...checkpoint, states }));
            });
          }),
        commit: async (work, expected) => commit(wire, work, expected),
        read: (_partition, after, signal) => this.#read(after, signal),
        setAside: async (_message: LogMessage, rows) => {
          this.setAside += rows.length;
        },
      },
    });
    this.worker.ended.catch((error: unknown) => world.broken.push(error));
  }

  async *#read(after: number, signal: AbortSignal): AsyncGenerator<ReadMessage> {
    const waiting: ReadMessage[] = [];
    let wake: () => void = () => undefined;
    signal.addEventListener("abort", () => wake());
    const reader = {
      next: after,
      give: (message: ReadMessage) => {
        waiting.push(message);
        wake();
      },
    };
    this.#reader = reader;
    while (!signal.aborted) {
      const message = waiting.shift();
      if (message === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else yield message;
    }
    if (this.#reader === reader) this.#reader = null;
  }

  /** The next message of the log reaches it; sometimes one that it has had already. */
  read(again: boolean): void {
    if (this.#reader === null) return;
    const message = this.#world.server.chat[again ? this.#reader.next - 1 : this.#reader.next];
    if (message === undefined) return;
    if (!again) this.#reader.next++;
    this.#reader.give(message);
  }

  timers(): void {
    for (const timer of this.#timers.splice(0))
      if (timer.atMs <= this.#world.nowMs) timer.fire();
      else this.#timers.push(timer);
  }
}

export class World {
  readonly server = new Server();
  readonly processes: Process[] = [];
  readonly broken: unknown[] = [];
  nowMs = 1_000_000;
  readonly #folds: readonly Fold[];
  #started = 0;

  constructor(folds: readonly Fold[]) {
    this.#folds = folds;
  }

  start(): Process {
    const process = new Process(this, this.#folds, `p${this.#started++}`);
    this.processes.push(process);
    return process;
  }

  /** kill -9: what it had not sent yet is gone; of what is on its way, `arrives` messages still reach the server. */
  kill(process: Process, arrives: number): void {
    process.dead = true;
    this.processes.splice(this.processes.indexOf(process), 1);
    for (const send of process.out.splice(0, arrives)) send();
    process.out.length = process.back.length = 0;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const process of this.processes) if (!process.paused) process.timers();
  }
}
