import { RECORD_BYTES } from "./limits.ts";

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const LF = 10;
/** A key or a value outside of the messages that is longer is not kept: pictures as text, mostly. */
const SCALAR_BYTES = 16 * 1024;
const DEEPEST = 64;
/** Objects that are tried behind a broken one; a message has a dozen inside of it. */
const RESYNC_TRIES = 500;

export interface JsonEvents {
  /**
   * An object that stands in a list: `bytes` from `from` to `to`. `path`: the keys that lead there, with dots. Only valid during the call.
   * False: it is no JSON, and where it ends is not to be believed.
   */
  element(path: string, bytes: Buffer, from: number, to: number): boolean;
  /** Whether an object is such as the list is made of: asked only after a broken one. */
  isElement(bytes: Buffer, from: number, to: number): boolean;
  /** A string, number or literal that stands outside of such objects, as JSON text. */
  scalar(path: string, text: string): void;
  /** An object in a list that was longer than RECORD_BYTES. `start`: how it begins. */
  tooLong(path: string, start: Buffer): void;
}

interface Level {
  list: boolean;
  path: string;
  key: string;
}

/**
 * Finds the objects in the lists of a JSON document without building the document: memory is one object, whatever the file's size.
 * Strings are respected; whether an object is valid, JSON.parse says to whoever gets it. Several documents after another are read too.
 * A message that is broken costs itself and not the rest of the file: a line feed inside a string, which JSON does not allow, ends it, and behind
 * an object that is no JSON the next one is looked for that is whole.
 */
export function scanJson(events: JsonEvents): {
  push(chunk: Buffer): void;
  /** Whether the file ended where a document ends. */
  whole(): boolean;
} {
  const levels: Level[] = [];
  let inString = false;
  let escaped = false;
  // Of the object that is being passed over; 0: none.
  let depth = 0;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let long = false;
  // Outside: the string or literal that is being read.
  let token = "";
  let tokenBytes = 0;
  let inToken = false;
  let lastString: string | null = null;
  /** A bracket was closed that was not open: something before it was lost. */
  let torn = false;

  const top = (): Level | undefined => levels[levels.length - 1];
  const pathHere = (): string => {
    const level = top();
    if (level === undefined) return "";
    if (level.list || level.key === "") return level.path;
    return level.path === "" ? level.key : `${level.path}.${level.key}`;
  };
  /** Hands the object on that ends at `to`. Where it was broken: the bytes from its beginning on, and where in them to go on. */
  const emit = (chunk: Buffer, from: number, to: number): { bytes: Buffer; at: number } | null => {
    const path = pathHere();
    let again: { bytes: Buffer; at: number } | null = null;
    if (long || keptBytes + (to - from) > RECORD_BYTES)
      events.tooLong(path, (kept[0] ?? chunk.subarray(from, to)).subarray(0, 2000));
    else if (keptBytes > 0) {
      const whole = Buffer.concat([...kept, chunk.subarray(from, to)]);
      if (!events.element(path, whole, 0, whole.length)) {
        const bytes = Buffer.concat([whole, chunk.subarray(to)]);
        again = { bytes, at: nextWhole(bytes, 1) ?? whole.length };
      }
    } else if (!events.element(path, chunk, from, to))
      again = { bytes: chunk, at: nextWhole(chunk, from + 1) ?? to };
    kept = [];
    keptBytes = 0;
    long = false;
    return again;
  };
  /** Where the next object begins that is one of the list's. */
  const nextWhole = (bytes: Buffer, from: number): number | null => {
    for (let tried = 0, at = bytes.indexOf(OPEN, from); at >= 0 && tried < RESYNC_TRIES; tried++) {
      depth = 1;
      inString = escaped = false;
      const to = pass(bytes, at + 1);
      const ended = depth === 0;
      depth = 0;
      inString = escaped = false;
      if (ended && events.isElement(bytes, at, to)) return at;
      at = bytes.indexOf(OPEN, at + 1);
    }
    return null;
  };
  const scalar = (): void => {
    const level = top();
    if (level !== undefined && !level.list && level.key !== "" && tokenBytes <= SCALAR_BYTES)
      events.scalar(pathHere(), token);
    token = "";
    tokenBytes = 0;
  };

  /** Goes through an object from `at`; where it ends, or the chunk's length. */
  const pass = (chunk: Buffer, start: number): number => {
    const length = chunk.length;
    let at = start;
    while (at < length) {
      if (inString) {
        if (escaped) {
          escaped = false;
          at++;
        }
        while (at < length) {
          const byte = chunk[at]!;
          if (byte === QUOTE || byte === BACKSLASH || byte === LF) break;
          at++;
        }
        if (at === length) break;
        if (chunk[at] === BACKSLASH) escaped = true;
        else inString = false;
        at++;
        continue;
      }
      const byte = chunk[at++]!;
      if (byte === QUOTE) inString = true;
      else if (byte === OPEN || byte === OPEN_LIST) depth++;
      else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return at;
    }
    return at;
  };

  return {
    whole: () => levels.length === 0 && depth === 0 && !inString && !torn,
    push(given) {
      let chunk = given;
      let at = 0;
      const end = (from: number): void => {
        const again = emit(chunk, from, at);
        if (again !== null) ({ bytes: chunk, at } = again);
      };
      while (at < chunk.length) {
        if (depth > 0) {
          const from = at;
          at = pass(chunk, at);
          if (depth === 0) end(from);
          else if (!long) {
            if (keptBytes + at - from > RECORD_BYTES) {
              long = true;
              kept = [Buffer.from((kept[0] ?? chunk.subarray(from, at)).subarray(0, 2000))];
              keptBytes = 0;
            } else {
              kept.push(Buffer.from(chunk.subarray(from, at)));
              keptBytes += at - from;
            }
          }
          continue;
        }
        if (inString) {
          const from = at;
          if (escaped) {
            escaped = false;
            at++;
          } else {
            while (at < chunk.length && chunk[at] !== QUOTE && chunk[at] !== BACKSLASH) at++;
            if (at < chunk.length) {
              if (chunk[at] === BACKSLASH) escaped = true;
              else inString = false;
              at++;
            }
          }
          if (tokenBytes <= SCALAR_BYTES) token += chunk.toString("latin1", from, at);
          tokenBytes += at - from;
          if (!inString)
            lastString = tokenBytes <= SCALAR_BYTES ? Buffer.from(token, "latin1").toString("utf8") : "";
          continue;
        }
        const byte = chunk[at]!;
        if (inToken) {
          // A number or a literal goes on until something that cannot belong to it.
          if (
            (byte > 44 || byte === 43) &&
            byte !== 58 &&
            byte !== CLOSE &&
            byte !== CLOSE_LIST &&
            byte !== OPEN_LIST
          ) {
            token += String.fromCharCode(byte);
            tokenBytes++;
            at++;
            continue;
          }
          inToken = false;
          scalar();
        }
        if (byte === QUOTE) {
          inString = true;
          token = '"';
          tokenBytes = 1;
          lastString = null;
          at++;
        } else if (byte === 58) {
          const level = top();
          if (level !== undefined && !level.list && lastString !== null) level.key = keyOf(lastString);
          lastString = null;
          token = "";
          at++;
        } else if (byte === 44 || byte === CLOSE || byte === CLOSE_LIST) {
          if (lastString !== null) {
            token = lastString;
            scalar();
            lastString = null;
          }
          if (byte !== 44) {
            const closed = levels.pop();
            if (closed === undefined || closed.list !== (byte === CLOSE_LIST)) torn = true;
          } else {
            const level = top();
            if (level !== undefined) level.key = "";
          }
          at++;
        } else if (byte === OPEN || byte === OPEN_LIST) {
          if (byte === OPEN && top()?.list === true) {
            depth = 1;
            const from = at;
            at = pass(chunk, at + 1);
            if (depth === 0) end(from);
            else {
              kept.push(Buffer.from(chunk.subarray(from, at)));
              keptBytes = at - from;
            }
            continue;
          }
          if (levels.length >= DEEPEST) throw new RangeError("deeper than any chat");
          levels.push({ list: byte === OPEN_LIST, path: pathHere(), key: "" });
          at++;
        } else if (byte > 32) {
          inToken = true;
          token = String.fromCharCode(byte);
          tokenBytes = 1;
          at++;
        } else at++;
      }
    },
  };
}

function keyOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return "";
  }
}
