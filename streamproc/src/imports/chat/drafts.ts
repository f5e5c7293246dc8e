import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import type { VodError, Vod } from "@hypecast/contracts/vod.ts";
import type { ChatDialect } from "@hypecast/contracts/vod-words.ts";
import { isObject, Unreadable, type Draft, type Json } from "./draft.ts";
import { formOf, LOOK_BYTES, type Form } from "./detect.ts";
import { csvDraft } from "./dialects/csv.ts";
import { ircDraft } from "./dialects/irc.ts";
import { logDraft, newLogClock } from "./dialects/log.ts";
import { gatherFacts, type FoundFacts } from "./facts.ts";
import { ImportFailure } from "./failure.ts";
import { kindOf, type JsonKind } from "./json-kinds.ts";
import { scanJson } from "./json-scan.ts";
import { BAD_LINES_SHOWN, MOST_HOURS, RECORD_BYTES } from "./limits.ts";
import { notAChat } from "./looks.ts";
import { splitRecords } from "./records.ts";
import type { ByteSource } from "./source.ts";
import { asUtf8, badEncoding } from "./text.ts";
import { CutOff, filesOfZip, inflate, packingOf, startOf, type ArchiveFile } from "./unpack.ts";

/** Objects in lists that are looked at before a JSON file is given up as another program's. */
const STRANGE_OBJECTS = 500;
/** Ids that are remembered to leave out what two pages of an answer both hold. */
const IDS_REMEMBERED = 50_000;
/** Times outside of these are no message's. */
const EARLIEST_MS = Date.UTC(2005, 0, 1);
const LATEST_MS = Date.UTC(2100, 0, 1);

/** A chat file as drafts, read anew at each call of `drafts`. The rest says what is known after that. */
export interface DraftFile {
  /** In the file's order, as many at a time as a piece of the file holds. Throws ImportFailure. */
  drafts(signal?: AbortSignal, progress?: (bytes: number) => void): AsyncGenerator<Draft[]>;
  dialect(): ChatDialect | null;
  found(): FoundFacts;
  badLines(): Vod["badLines"];
  /** Which clock the file's messages have: the first message decides. */
  clock(): "offset" | "absolute";
  /** Third-party emotes whose names are in the file, and where: `[name, ref]`. */
  emotes(): [string, string][];
  notes(): VodError[];
  /** Lines that were left out since the file holds them twice. */
  repeated(): number;
}

/** Opens containers and finds the form. Throws ImportFailure: not_a_chat, bad_archive, bad_encoding, too_large, empty. */
export async function openDrafts(source: ByteSource): Promise<DraftFile> {
  if (source.bytes === 0) throw empty();
  const opened = await open(source);
  return reader(opened, source);
}

const empty = (): ImportFailure =>
  new ImportFailure(
    "empty",
    "There is no message in it.",
    "Check that the chat was really saved, and import it again.",
  );

/** UTF-8 of the chat, whatever it was packed in. */
interface Opened {
  readonly form: Form;
  readonly start: Buffer;
  readonly sidecars: readonly Json[];
  text(progress: (bytes: number) => void): AsyncIterable<Buffer>;
}

async function open(source: ByteSource): Promise<Opened> {
  const start = await startOf(source.read(), 512);
  const packing = packingOf(start);
  if (packing === "zip") return openZip(source);
  const read = (progress: (bytes: number) => void): AsyncIterable<Uint8Array> => counted(source, progress);
  if (packing === null) return openText(read, []);
  const inner = await startOf(
    tolerant(
      inflate(
        read(() => {}),
        packing,
      ),
    ),
    512,
  );
  return openInner(inner, (progress) => inflate(read(progress), packing));
}

/** What came out of one packing: a text, or packed once more. */
async function openInner(
  start: Buffer,
  read: (progress: (bytes: number) => void) => AsyncIterable<Uint8Array>,
  sidecars: readonly Json[] = [],
): Promise<Opened> {
  const packing = packingOf(start);
  if (packing === "zip")
    throw new ImportFailure(
      "bad_archive",
      "There is a zip inside of a packed file.",
      "Unpack the outer one first.",
    );
  if (packing === null) return openText(read, sidecars);
  const inner = await startOf(
    tolerant(
      inflate(
        read(() => {}),
        packing,
      ),
    ),
    512,
  );
  if (packingOf(inner) !== null)
    throw new ImportFailure(
      "bad_archive",
      "It is packed three times over.",
      "Unpack it once or twice first.",
    );
  return openText((progress) => inflate(read(progress), packing), sidecars);
}

async function openText(
  read: (progress: (bytes: number) => void) => AsyncIterable<Uint8Array>,
  sidecars: readonly Json[],
): Promise<Opened> {
  const start = await startOf(asUtf8(tolerant(read(() => {}))), LOOK_BYTES);
  if (start.length === 0 || /^\s*$/.test(start.toString("latin1", 0, 4096))) throw empty();
  return { form: formOf(start), start, sidecars, text: (progress) => asUtf8(read(progress)) };
}

async function openZip(source: ByteSource): Promise<Opened> {
  const files = await filesOfZip(source);
  const chats: { file: ArchiveFile; opened: Opened }[] = [];
  const sidecars: Json[] = [];
  let why: ImportFailure | null = null;
  for (const file of files) {
    if (file.bytes === 0) continue;
    const sidecar = file.bytes <= RECORD_BYTES ? await sidecarOf(file) : null;
    if (sidecar !== null) {
      sidecars.push(sidecar);
      continue;
    }
    try {
      const start = await startOf(tolerant(file.read()), 512);
      const opened = await openInner(
        start,
        (progress) => progressing(file, source.bytes, progress),
        sidecars,
      );
      chats.push({ file, opened });
    } catch (error) {
      if (!(error instanceof ImportFailure)) throw error;
      // What is no chat in an archive (a picture, a page beside it) is passed over; a bomb is not.
      if (error.error.code === "too_large") throw error;
      why ??= error;
    }
  }
  const found = chats.length > 1 ? chats.filter((chat) => isChatStart(chat.opened)) : chats;
  if (found.length === 1) return found[0]!.opened;
  if (found.length > 1)
    throw new ImportFailure(
      "bad_archive",
      `The zip holds ${found.length} chats: ${found
        .slice(0, 3)
        .map((chat) => `“${chat.file.name.slice(0, 60)}”`)
        .join(", ")}${found.length > 3 ? " …" : ""}.`,
      "Import them one by one.",
    );
  if (files.length === 1 && why !== null) throw why;
  throw new ImportFailure(
    "bad_archive",
    files.length === 0 ? "The zip is empty." : `None of the ${files.length} files in the zip is a chat.`,
    "Pack the chat file, or import it unpacked.",
  );
}

/** Whether the beginning of a JSON file has a message in it: any JSON has the form. */
function isChatStart(opened: Opened): boolean {
  if (opened.form.form !== "json") return true;
  let found = false;
  try {
    scanJson({
      element: (_path, bytes, from, to) => {
        const value = found ? null : parsed(bytes, from, to);
        if (value !== null && kindOf(value) !== null) found = true;
        return true;
      },
      isElement: () => false,
      scalar: () => {},
      tooLong: () => {},
    }).push(opened.start);
  } catch {
    return false;
  }
  return found;
}

/** A small object that tells of a video and has no messages in it. */
async function sidecarOf(file: ArchiveFile): Promise<Json | null> {
  const bytes = await startOf(file.read(), RECORD_BYTES);
  if (bytes[0] !== 0x7b && bytes[0] !== 0xef) return null;
  const value = parsed(bytes, 0, bytes.length);
  if (value === null || Array.isArray(value["comments"]) || kindOf(value) !== null) return null;
  return ["vod_id", "duration", "title", "created_at", "lengthSeconds"].some((key) => key in value)
    ? value
    : null;
}

async function* counted(source: ByteSource, progress: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of source.read()) {
    read += chunk.length;
    yield chunk;
    progress(read);
  }
}

async function* progressing(
  file: ArchiveFile,
  wholeBytes: number,
  progress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of file.read()) {
    read += chunk.length;
    yield chunk;
    progress(Math.round((read / Math.max(1, file.bytes)) * wholeBytes));
  }
}

/** For a look at the beginning: a file that is cut off later is still one. */
async function* tolerant(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
  }
}

function parsed(bytes: Buffer, from: number, to: number): Json | null {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8", from, to));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function reader(opened: Opened, source: ByteSource): DraftFile {
  let facts = gatherFacts();
  let kind: JsonKind | null = null;
  let clock: "offset" | "absolute" | null = null;
  let anchorMs = NaN;
  let bad: Vod["badLines"] = { count: 0, first: [] };
  let notes: VodError[] = [];
  let repeated = 0;
  let broken = 0;
  let long = 0;
  const emotes = new Map<string, string>();

  const drafts = async function* (
    signal?: AbortSignal,
    progress?: (bytes: number) => void,
  ): AsyncGenerator<Draft[]> {
    facts = gatherFacts();
    kind = null;
    clock = null;
    anchorMs = NaN;
    bad = { count: 0, first: [] };
    notes = [];
    repeated = broken = long = 0;
    let records = 0;
    let good = 0;
    let strange = 0;
    let lists = false;
    /** Where the messages stand; objects of other lists are not even unreadable. */
    let listPath: string | null = null;
    let out: Draft[] = [];
    const ids = rememberIds();
    const logClock = newLogClock();
    let sameSecond = NaN;
    const inSecond = new Map<string, number>();

    const unreadable = (why: string, text: string): void => {
      bad.count++;
      if (bad.first.length < BAD_LINES_SHOWN)
        bad.first.push({ line: records, why, text: text.slice(0, 200) });
    };
    const take = (draft: Draft): void => {
      const hasOffset = !Number.isNaN(draft.offsetS);
      clock ??= hasOffset ? "offset" : "absolute";
      const at = clock === "offset" ? draft.offsetS : draft.atMs / 1000;
      if (Number.isNaN(at)) throw new Unreadable("it has no time of the kind that the others have");
      if (clock === "offset") {
        if (Math.abs(at) > MOST_HOURS * 3600)
          throw new Unreadable(`its offset is more than ${MOST_HOURS} hours from the start`);
      } else {
        if (draft.atMs < EARLIEST_MS || draft.atMs > LATEST_MS)
          throw new Unreadable("its time is none of a chat's");
        if (Number.isNaN(anchorMs)) anchorMs = draft.atMs;
        if (Math.abs(draft.atMs - anchorMs) > MOST_HOURS * 3_600_000)
          throw new Unreadable(`it is more than ${MOST_HOURS} hours from the first line`);
      }
      if (draft.item.id === "") draft.item.id = derivedId(draft, at);
      if (ids(draft.item.id)) {
        repeated++;
        return;
      }
      good++;
      out.push(draft);
    };
    const derivedId = (draft: Draft, at: number): string => {
      const second = Math.floor(at);
      if (second !== sameSecond) {
        sameSecond = second;
        inSecond.clear();
      }
      const { item } = draft;
      const said =
        draft.kind === "line"
          ? `${draft.item.userId}\n${draft.item.text}`
          : `${draft.kind}\n${JSON.stringify({ ...item, id: "" })}`;
      const times = inSecond.get(said) ?? 0;
      inSecond.set(said, times + 1);
      return hash("sha1", `${at}\n${said}\n${times}`, "hex");
    };
    const tryTo = (read: () => void, text: () => string): void => {
      try {
        read();
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        unreadable(error.message, text());
      }
    };
    const object = (path: string, bytes: Buffer, from: number, to: number): boolean => {
      if (/(?:^|\.)chapters$/.test(path)) {
        const value = parsed(bytes, from, to);
        if (value !== null) facts.chapter(value);
        return true;
      }
      if (/^(?:embeddedData|emotes)\./.test(path)) {
        if (emotes.size < 10_000 && path.endsWith(".thirdParty")) thirdParty(bytes, from, to, emotes);
        return true;
      }
      const text = bytes.toString("utf8", from, to);
      records++;
      if (text.includes("\u{fffd}") && !isUtf8(bytes.subarray(from, to))) {
        broken++;
        unreadable("it is no UTF-8", text);
        return true;
      }
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        unreadable("it is no JSON", text);
        return false;
      }
      if (!isObject(value)) {
        unreadable("it is no object", text);
        return true;
      }
      if (kind === null || path !== listPath) {
        const found = kindOf(value);
        kind ??= found;
        if (found === null || kind === null) {
          records--;
          // Lists of other things may stand before the messages.
          if (++strange > STRANGE_OBJECTS && good === 0) throw strangeJson(opened.start);
          return true;
        }
        if (listPath === null) {
          listPath = path;
          const video = value["contentId"] ?? value["content_id"];
          if (typeof video === "string") facts.put("content_id", JSON.stringify(video));
        }
      }
      const of = kind;
      tryTo(
        () => {
          for (const draft of of.read(value)) if (draft !== null) take(draft);
        },
        () => text,
      );
      return true;
    };
    const line = (bytes: Buffer, from: number, to: number): void => {
      const text = bytes.toString("utf8", from, to);
      records++;
      if (text.includes("\u{fffd}") && !isUtf8(bytes.subarray(from, to))) {
        broken++;
        unreadable("it is no UTF-8", text);
        return;
      }
      if (text.trim() === "") return;
      tryTo(
        () => {
          const draft = of(text);
          if (draft !== null) take(draft);
        },
        () => text,
      );
    };
    const { form } = opened;
    let headed = false;
    const of = (text: string): Draft | null => {
      if (form.form === "irc-raw") return ircDraft(text);
      if (form.form === "irc-log") return logDraft(text, logClock);
      if (form.form !== "csv") throw new Error("no form of lines");
      if (!headed) {
        headed = true;
        return null;
      }
      return csvDraft(text, form.csv);
    };
    const tooLong = (start: Buffer): void => {
      records++;
      long++;
      unreadable(`it is longer than ${RECORD_BYTES / 1024 / 1024} MB`, start.toString("utf8", 0, 200));
    };

    const json =
      form.form === "json"
        ? scanJson({
            element: (path, bytes, from, to) => {
              lists = true;
              return object(path, bytes, from, to);
            },
            isElement: (bytes, from, to) => {
              const value = parsed(bytes, from, to);
              return value !== null && kindOf(value) !== null;
            },
            scalar: (path, text) => facts.put(path, text),
            tooLong: (path, start) => {
              if (!/^(?:embeddedData|emotes)\./.test(path)) tooLong(start);
            },
          })
        : null;
    const split =
      form.form === "json"
        ? null
        : splitRecords(
            {
              record: form.form === "ndjson" ? (bytes, from, to) => void object("", bytes, from, to) : line,
              tooLong,
            },
            form.form === "csv" ? form.csv.delimiter.charCodeAt(0) : null,
          );

    let cut: CutOff | null = null;
    try {
      for await (const chunk of opened.text(progress ?? (() => {}))) {
        signal?.throwIfAborted();
        try {
          json?.push(chunk);
        } catch (error) {
          if (error instanceof RangeError) throw strangeJson(opened.start);
          throw error;
        }
        split?.push(chunk);
        if (out.length > 0) {
          yield out;
          out = [];
        }
      }
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
      cut = error;
    }
    split?.end();
    if (out.length > 0) yield out;
    out = [];
    for (const sidecar of opened.sidecars) facts.sidecar(sidecar);

    const truncated = cut !== null || json?.whole() === false;
    if (good === 0) {
      if (broken > 0 && broken >= bad.count / 2) throw badEncoding();
      if (long > 0 && long === bad.count)
        throw new ImportFailure(
          "too_large",
          `It has ${long === 1 ? "a line" : `${long} lines`} longer than ${RECORD_BYTES / 1024 / 1024} MB and no other.`,
          "A chat has one message a line, or one object a message. Export it anew.",
        );
      if (truncated && records <= 1) throw truncation(source, cut, 0);
      if (bad.count > 0 && (kind !== null || form.form === "csv"))
        throw new ImportFailure(
          "empty",
          `None of its ${bad.count} messages can be read: ${bad.first[0]!.why}.`,
          "Export it anew; docs/import.md shows what each dialect needs.",
        );
      if (bad.count > 0)
        throw notAChat(opened.start, `None of its ${bad.count} lines can be read: ${bad.first[0]!.why}.`);
      if (json !== null && (lists || !looksLikeNoMessages(facts, opened.start)))
        throw strangeJson(opened.start);
      throw empty();
    }
    if (truncated) notes.push(truncation(source, cut, good).error);
    if (long > 0)
      notes.push({
        code: "too_large",
        detail: `${long === 1 ? "A line" : `${long} lines`} longer than ${RECORD_BYTES / 1024 / 1024} MB ${long === 1 ? "was" : "were"} left out.`,
        action: "The rest is whole. Export the chat anew if they were messages.",
      });
  };

  return {
    drafts,
    dialect: () => {
      switch (opened.form.form) {
        case "irc-raw":
          return "irc-raw";
        case "irc-log":
          return "irc-log";
        case "csv":
          return "csv";
        default:
      }
      if (kind === null) return null;
      const comments = kind.dialect === "twitch-v5" || kind.dialect === "twitch-gql";
      if (comments && ["FileInfo", "streamer", "embeddedData", "emotes"].some((key) => facts.saw(key)))
        return "twitch-downloader";
      if (kind.dialect === "twitch-gql" && facts.saw("video.lengthSeconds") && !facts.saw("data"))
        return "twitch-dl";
      return kind.dialect;
    },
    found: () => facts.found(),
    badLines: () => bad,
    clock: () => clock ?? "offset",
    emotes: () => [...emotes],
    notes: () => notes,
    repeated: () => repeated,
  };
}

function truncation(source: ByteSource, cut: CutOff | null, good: number): ImportFailure {
  const where =
    cut === null
      ? "in the middle of a message or list"
      : `${cut.message}, after ${cut.unpackedBytes} unpacked bytes`;
  return new ImportFailure(
    "truncated",
    cut === null
      ? `The file (${source.bytes} bytes) ends ${where}; ${good} messages were read before that.`
      : `The packed file cannot be read to its end (${where}); ${good} messages were read before that.`,
    good === 0 ? "Save or upload it again." : "What was read stays. Save the chat again to have the rest.",
  );
}

/** A document with a list of messages that is empty, as against one that has none. */
const looksLikeNoMessages = (facts: ReturnType<typeof gatherFacts>, start: Buffer): boolean =>
  /^\s*\[\s*\]\s*$/.test(start.toString("latin1")) ||
  /"(?:comments|messages|edges)"\s*:\s*\[\s*\]/.test(start.toString("latin1")) ||
  facts.saw("FileInfo");

function strangeJson(start: Buffer): ImportFailure {
  const keys = [...start.toString("utf8", 0, 4096).matchAll(/"([\w$ -]{1,40})"\s*:/g)].map(
    (found) => found[1]!,
  );
  const shown = [...new Set(keys)].slice(0, 5);
  return notAChat(
    start,
    `It is JSON, but of another program: no message is in it${shown.length === 0 ? "" : ` (its fields are ${shown.join(", ")} …)`}.`,
  );
}

const PROVIDERS: readonly [host: RegExp, provider: string][] = [
  [/betterttv\.net/, "bttv"],
  [/frankerfacez\.com/, "ffz"],
  [/7tv\.(?:app|io)/, "7tv"],
];

/** An emote that TwitchDownloader put into the file: the picture is left, the name and whose it is are taken. */
function thirdParty(bytes: Buffer, from: number, to: number, emotes: Map<string, string>): void {
  const value = parsed(bytes, from, to);
  if (value === null) return;
  const { name, id, url } = value;
  if (typeof name !== "string" || name === "" || name.length > 100) return;
  const text = typeof id === "string" || typeof id === "number" ? String(id) : "";
  if (!/^[\w-]{1,64}$/.test(text)) return;
  const host = typeof url === "string" ? PROVIDERS.find(([test]) => test.test(url)) : undefined;
  // Without an address: FrankerFaceZ counts, 7TV has ULIDs (or 24 hex digits, as BetterTTV).
  const provider =
    host?.[1] ?? (/^\d+$/.test(text) ? "ffz" : /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text) ? "7tv" : "bttv");
  emotes.set(name, `${provider}:${text}`);
}

/** Says whether an id was there among the last ones. */
function rememberIds(): (id: string) => boolean {
  let young = new Set<string>();
  let old = new Set<string>();
  return (id) => {
    if (young.has(id) || old.has(id)) return true;
    young.add(id);
    if (young.size >= IDS_REMEMBERED) {
      old = young;
      young = new Set();
    }
    return false;
  };
}
