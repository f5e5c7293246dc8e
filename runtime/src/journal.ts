import { createHash } from "node:crypto";
import {
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  JetStreamApiError,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from "@nats-io/jetstream";
import { headers, nanos, type NatsConnection } from "@nats-io/transport-node";
import {
  JOURNAL_STREAM,
  journalEntry,
  journalSubject,
  type JournalEntry,
  type JournalPrivate,
  type OpenEntry,
} from "@hypecast/contracts/journal.ts";
import type { Logger } from "./log.ts";
import { openPeople, type People } from "./people.ts";
import type { Secret } from "./secret.ts";

/** Finds an entry by its id without reading bodies. */
const ID_HEADER = "Hypecast-Id";
const FIRST_PREV = "0".repeat(64);
const RETRY_MS = 500;
const AHEAD = 500;
const PULL_MS = 2000;
/** The server forgets a reader that was cut off. */
const FORGOTTEN_MS = 30_000;
/** Subjects whose ids are remembered. */
const SUBJECTS = 2000;

/** What somebody wants to be written down. What is absent means none. */
export type Draft = Pick<JournalEntry, "channelId" | "id" | "by" | "act"> &
  Partial<
    Pick<
      JournalEntry,
      "atMs" | "caseId" | "of" | "durationS" | "reason" | "score" | "class" | "count" | "detail"
    >
  > & {
    /** What names a chatter: sealed before it is written. */
    readonly private?: JournalPrivate | null;
  };

/** An entry and where it stands in the stream. */
export interface Written {
  readonly entry: JournalEntry;
  readonly seq: number;
}

/** Others have written to the channel since the caller looked: look again, then decide anew. */
export class JournalMoved extends Error {
  readonly seq: number;
  constructor(seq: number) {
    super("the journal has moved on");
    this.seq = seq;
  }
}

export interface Verified {
  readonly entries: number;
  /** Hash of the last entry: noted down elsewhere it shows later that nothing was cut off. */
  readonly head: string;
  readonly broken: { readonly number: number; readonly why: string } | null;
}

export interface Journal {
  readonly people: People;
  /**
   * Writes an entry behind the channel's last one, or finds the one with the same id: whoever asks twice, or dies in between and asks again,
   * has one entry. With `after` only if nothing was written to the channel behind that sequence; throws JournalMoved.
   */
  append(draft: Draft, after?: number): Promise<Written & { readonly isNew: boolean }>;
  /** Of one channel, from its first entry or from a sequence of the stream, up to what is there at the call. */
  read(channelId: string, fromSeq?: number): AsyncGenerator<Written>;
  /** One entry by id. Null: there is none. */
  find(channelId: string, id: string): Promise<Written | null>;
  open(entry: JournalEntry): Promise<OpenEntry>;
  verify(channelId: string): Promise<Verified>;
}

/** What is known of a subject up to `seq`. */
interface Tail {
  seq: number;
  number: number;
  hash: string;
  /** Sequence by id. */
  readonly ids: Map<string, number>;
  /** Appends of this process stand in line: against each other they would only lose. */
  turn: Promise<unknown>;
}

export async function openJournal(nc: NatsConnection, secret: Secret): Promise<Journal> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const js = jetstream(nc);
  const people = await openPeople(nc, secret);
  const tails = new Map<string, Tail>();

  const tailOf = (channelId: string): Tail => {
    let tail = tails.get(channelId);
    if (tail === undefined) {
      tail = { seq: 0, number: 0, hash: FIRST_PREV, ids: new Map(), turn: Promise.resolve() };
      tails.set(channelId, tail);
      const oldest = tails.keys().next().value;
      if (tails.size > SUBJECTS && oldest !== undefined) tails.delete(oldest);
    }
    return tail;
  };

  /** Reads what others have written. The first time only headers, and the last entry whole. */
  async function catchUp(channelId: string, tail: Tail): Promise<void> {
    for await (const message of messagesOf(nc, channelId, tail.seq + 1, true)) {
      tail.ids.set(message.headers?.get(ID_HEADER) ?? "", message.seq);
      tail.seq = message.seq;
    }
    const last = await lastOf(jsm, channelId);
    if ((last?.seq ?? 0) < tail.seq) {
      // Another log than before, made anew or from a copy: what was remembered is of no use.
      Object.assign(tail, { seq: 0, number: 0, hash: FIRST_PREV });
      tail.ids.clear();
      return catchUp(channelId, tail);
    }
    if (last === null) return;
    // Written between the two: the next try reads it.
    if (last.seq !== tail.seq) return catchUp(channelId, tail);
    tail.number = last.entry.number;
    tail.hash = last.entry.hash;
  }

  async function at(seq: number): Promise<Written> {
    const stored = await jsm.streams.getMessage(JOURNAL_STREAM, { seq });
    if (stored === null) throw new Error(`the journal has no entry at ${seq}`);
    return { seq, entry: journalEntry.parse(stored.json()) };
  }

  async function appendNow(draft: Draft, after: number | undefined): Promise<Written & { isNew: boolean }> {
    const { channelId, id } = draft;
    const tail = tailOf(channelId);
    const names = draft.private ?? null;
    const sealed = names === null ? { target: null, sealed: null } : await people.seal(names);
    if (tail.seq === 0) await catchUp(channelId, tail);
    for (;;) {
      const there = tail.ids.get(id);
      if (there !== undefined) return { ...(await at(there)), isNew: false };
      if (after !== undefined && tail.seq > after) throw new JournalMoved(tail.seq);
      const entry = chained(draft, sealed, tail);
      const head = headers();
      head.set(ID_HEADER, id);
      try {
        const { seq } = await js.publish(journalSubject(channelId), JSON.stringify(entry), {
          headers: head,
          expect: { lastSubjectSequence: tail.seq },
        });
        Object.assign(tail, { seq, number: entry.number, hash: entry.hash });
        tail.ids.set(id, seq);
        return { entry, seq, isNew: true };
      } catch (error) {
        if (!(error instanceof Error && /wrong last sequence/i.test(error.message))) throw error;
        await catchUp(channelId, tail);
      }
    }
  }

  return {
    people,
    append(draft, after) {
      const tail = tailOf(draft.channelId);
      const mine = tail.turn.then(() => appendNow(draft, after));
      tail.turn = mine.catch(() => undefined);
      return mine;
    },
    async *read(channelId, fromSeq = 1) {
      for await (const message of messagesOf(nc, channelId, fromSeq, false))
        yield { seq: message.seq, entry: journalEntry.parse(message.json()) };
    },
    async find(channelId, id) {
      const tail = tailOf(channelId);
      const known = tail.ids.get(id);
      if (known === undefined) {
        const caughtUp = tail.turn.then(() => catchUp(channelId, tail));
        tail.turn = caughtUp.catch(() => undefined);
        await caughtUp;
      }
      const seq = tail.ids.get(id);
      return seq === undefined ? null : at(seq);
    },
    async open(entry) {
      const { sealed: _sealed, prev: _prev, ...rest } = entry;
      const opened = await people.open(entry);
      return { ...rest, private: opened, erased: entry.sealed !== null && opened === null };
    },
    async verify(channelId) {
      let number = 0;
      let head = FIRST_PREV;
      for await (const message of messagesOf(nc, channelId, 1, false)) {
        const why = whyBroken(message, channelId, number + 1, head);
        if (why !== null) return { entries: number, head, broken: { number: number + 1, why } };
        number++;
        head = message.json<JournalEntry>().hash;
      }
      return { entries: number, head, broken: null };
    },
  };
}

/** The entry that stands behind what is known. */
function chained(
  draft: Draft,
  { target, sealed }: Pick<JournalEntry, "target" | "sealed">,
  tail: Pick<Tail, "number" | "hash">,
): JournalEntry {
  const entry: Omit<JournalEntry, "hash"> = {
    form: 1,
    number: tail.number + 1,
    channelId: draft.channelId,
    id: draft.id,
    atMs: draft.atMs ?? Date.now(),
    by: draft.by,
    act: draft.act,
    caseId: draft.caseId ?? null,
    of: draft.of ?? null,
    target,
    sealed,
    durationS: draft.durationS ?? 0,
    reason: draft.reason ?? "",
    score: draft.score ?? -1,
    class: draft.class ?? "",
    count: draft.count ?? 1,
    detail: draft.detail ?? {},
    prev: tail.hash,
  };
  return journalEntry.parse({ ...entry, hash: hashOf(entry) });
}

const hashed = journalEntry.omit({ hash: true });
/** SHA-256 of the entry as JSON without `hash`, keys in the order of the schema. */
export const hashOf = (entry: Omit<JournalEntry, "hash">): string =>
  createHash("sha256")
    .update(JSON.stringify(hashed.parse(entry)))
    .digest("hex");

const strict = journalEntry.strict();

/** What is wrong with the message that should be entry `number`; null: nothing. */
function whyBroken(message: JsMsg, channelId: string, number: number, prev: string): string | null {
  let value: unknown;
  try {
    value = message.json();
  } catch {
    return "it is no JSON";
  }
  const read = strict.safeParse(value);
  if (!read.success) {
    const issue = read.error.issues[0];
    return `it is no entry: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trimEnd();
  }
  const entry = read.data;
  if (entry.channelId !== channelId) return `it names the channel ${entry.channelId}`;
  if (entry.number !== number) return `it says that it is number ${entry.number}`;
  if (entry.prev !== prev) return "it does not follow the entry before it";
  if (entry.hash !== hashOf(entry)) return "its words are not those that were hashed";
  return null;
}

async function lastOf(jsm: JetStreamManager, channelId: string): Promise<Written | null> {
  try {
    // Asked of the stream's leader, which knows what it has confirmed.
    const stored = await jsm.streams.getMessage(JOURNAL_STREAM, { last_by_subj: journalSubject(channelId) });
    return stored === null ? null : { seq: stored.seq, entry: journalEntry.parse(stored.json()) };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === 404) return null;
    throw error;
  }
}

/** A subject's messages from a sequence on, up to what is there at the call. */
async function* messagesOf(
  nc: NatsConnection,
  channelId: string,
  fromSeq: number,
  headersOnly: boolean,
): AsyncGenerator<JsMsg> {
  const consumer = await jetstream(nc).consumers.get(JOURNAL_STREAM, {
    filter_subjects: [journalSubject(channelId)],
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: fromSeq,
    headers_only: headersOnly,
    inactive_threshold: nanos(FORGOTTEN_MS),
  });
  try {
    let left = (await consumer.info()).num_pending;
    while (left > 0)
      for await (const message of await consumer.fetch({
        max_messages: Math.min(left, AHEAD),
        expires: PULL_MS,
      })) {
        left--;
        yield message;
      }
  } finally {
    consumer.delete().catch(() => undefined);
  }
}

export interface Follow {
  /** Resolves when what was there at the start has been told. */
  readonly ready: Promise<void>;
  /** Everything of the stream up to this sequence has been told, or is older than what was asked for. */
  readonly position: () => number;
  close(): void;
}

/**
 * Every channel's entries since a time, in the journal's order, then each as it comes, for good. What `take` throws ends nothing: the entry is
 * told again.
 */
export function followJournal(
  nc: NatsConnection,
  sinceMs: number,
  take: (written: Written) => Promise<void> | void,
  log: Logger,
): Follow {
  const closing = new AbortController();
  let isReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const reading: { messages: ConsumerMessages | null } = { messages: null };
  let newestSeq = 0;

  const read = async (): Promise<void> => {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const upTo = (await jsm.streams.info(JOURNAL_STREAM)).state.last_seq;
    const consumer = await jetstream(nc).consumers.get(JOURNAL_STREAM, {
      filter_subjects: [journalSubject("*")],
      ...(newestSeq > 0
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: newestSeq + 1 }
        : {
            deliver_policy: DeliverPolicy.StartTime,
            opt_start_time: new Date(Math.max(0, sinceMs)).toISOString(),
          }),
    });
    const caughtUp = (): void => {
      newestSeq = Math.max(newestSeq, upTo);
      isReady();
    };
    if ((await consumer.info()).num_pending === 0) caughtUp();
    const messages = await consumer.consume({ max_messages: AHEAD, expires: 5000, idle_heartbeat: 1000 });
    reading.messages = messages;
    for await (const message of messages) {
      if (message.seq > newestSeq) {
        const entry = journalEntry.safeParse(jsonOf(message));
        // A verifier says so too; the others go on.
        if (entry.success) await take({ entry: entry.data, seq: message.seq });
        else
          log.error({ seq: message.seq, subject: message.subject }, "an entry of the journal is unreadable");
        newestSeq = message.seq;
      }
      if (message.info.pending === 0) caughtUp();
    }
  };
  void (async () => {
    for await (const status of nc.status())
      // A consumer lives in the server's memory: after a restart of the server it would take heartbeats to notice.
      if (status.type === "reconnect") reading.messages?.stop();
  })();
  void (async () => {
    while (!closing.signal.aborted) {
      try {
        await read();
      } catch (error) {
        if (!closing.signal.aborted) log.warn({ err: error }, "reading the journal ended; beginning again");
      }
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();
  return {
    ready,
    position: () => newestSeq,
    close() {
      closing.abort();
      reading.messages?.stop();
    },
  };
}

function jsonOf(message: JsMsg): unknown {
  try {
    return message.json();
  } catch {
    return null;
  }
}
