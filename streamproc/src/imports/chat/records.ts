import { RECORD_BYTES } from "./limits.ts";

const LF = 10;
const CR = 13;
const QUOTE = 34;

export interface RecordEvents {
  /** `bytes` from `from` to `to`, without its end. Only valid during the call. */
  record(bytes: Buffer, from: number, to: number): void;
  tooLong(start: Buffer): void;
}

/**
 * Bytes to lines, or with `delimiter` to the records of a CSV file, in which a quoted field may hold line feeds (RFC 4180). A record that
 * is longer than RECORD_BYTES is passed over up to its line's end without being kept. Empty ones are left out.
 */
export function splitRecords(
  events: RecordEvents,
  delimiter: number | null = null,
): { push(chunk: Buffer): void; end(): void } {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let long = false;
  let quoted = false;
  let fieldStart = true;
  let closing = false;

  const emit = (chunk: Buffer, from: number, end: number): void => {
    const to = keptBytes === 0 && end > from && chunk[end - 1] === CR ? end - 1 : end;
    if (long) events.tooLong(kept[0] ?? chunk.subarray(from, to));
    else if (keptBytes + to - from > RECORD_BYTES)
      events.tooLong((kept[0] ?? chunk.subarray(from, to)).subarray(0, 2000));
    else if (keptBytes > 0) {
      const whole = Buffer.concat([...kept, chunk.subarray(from, to)]);
      const length = whole[whole.length - 1] === CR ? whole.length - 1 : whole.length;
      if (length > 0) events.record(whole, 0, length);
    } else if (to > from) events.record(chunk, from, to);
    kept = [];
    keptBytes = 0;
    long = false;
  };

  /** Where the record that is being read ends, from `at`: a line feed outside of quotes; −1: not in this chunk. */
  const endOf = (chunk: Buffer, from: number): number => {
    if (delimiter === null || long) return chunk.indexOf(LF, from);
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (quoted) {
        if (byte === QUOTE) {
          quoted = false;
          closing = true;
        }
        continue;
      }
      if (closing && byte === QUOTE) {
        // Two quotes in a quoted field are one of its text.
        quoted = true;
        closing = false;
        continue;
      }
      closing = false;
      if (byte === LF) return at;
      if (byte === QUOTE && fieldStart) quoted = true;
      fieldStart = byte === delimiter;
    }
    return -1;
  };

  return {
    push(chunk) {
      let from = 0;
      for (;;) {
        const end = endOf(chunk, from);
        if (end < 0) break;
        emit(chunk, from, end);
        quoted = closing = false;
        fieldStart = true;
        from = end + 1;
      }
      if (from === chunk.length || long) return;
      const rest = chunk.subarray(from);
      if (keptBytes + rest.length > RECORD_BYTES) {
        long = true;
        quoted = false;
        kept = [Buffer.from((kept[0] ?? rest).subarray(0, 2000))];
        keptBytes = 0;
      } else {
        kept.push(Buffer.from(rest));
        keptBytes += rest.length;
      }
    },
    end() {
      if (keptBytes > 0 || long) emit(Buffer.alloc(0), 0, 0);
    },
  };
}

/** The fields of one CSV record. */
export function fieldsOf(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === '"') {
      let text = "";
      at++;
      for (;;) {
        const quote = record.indexOf('"', at);
        if (quote < 0) {
          text += record.slice(at);
          at = record.length;
          break;
        }
        text += record.slice(at, quote);
        at = quote + 1;
        if (record[at] !== '"') break;
        text += '"';
        at++;
      }
      const next = record.indexOf(delimiter, at);
      fields.push(text + record.slice(at, next < 0 ? undefined : next));
      if (next < 0) return fields;
      at = next + 1;
    } else {
      const next = record.indexOf(delimiter, at);
      fields.push(record.slice(at, next < 0 ? undefined : next));
      if (next < 0) return fields;
      at = next + 1;
    }
  }
}
