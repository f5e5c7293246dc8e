/** Longest line that is read. Twitch's own are below 16 KB even with a quoted reply. */
export const LINE_BYTES = 64 * 1024;

const LF = 10;
const CR = 13;

type OnLine = (text: string, from: number, to: number) => void;

export interface LineSplitter {
  /** Takes what a socket gave, in any cut, and hands on each whole line: `text` from `from` to `to`. Empty ones are left out. */
  push(chunk: Buffer, line: OnLine): void;
  /** Lines that were thrown away because they were longer than LINE_BYTES. */
  readonly tooLong: number;
}

/**
 * Bytes to lines. A line, and a character, may be cut anywhere between two chunks; what is no UTF-8 becomes U+FFFD. A line
 * that does not end within LINE_BYTES is thrown away up to its end, so memory is bounded whatever the other side sends.
 */
export function splitLines(): LineSplitter {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let skipping = false;
  let tooLong = 0;

  const forget = (): void => {
    rest = [];
    restBytes = 0;
  };

  return {
    get tooLong() {
      return tooLong;
    },
    push(chunk, line) {
      const last = chunk.lastIndexOf(LF);
      if (last < 0) {
        if (skipping) return;
        rest.push(chunk);
        restBytes += chunk.length;
        if (restBytes > LINE_BYTES) {
          tooLong++;
          skipping = true;
          forget();
        }
        return;
      }
      let whole = chunk.subarray(0, last);
      if (skipping) {
        const first = chunk.indexOf(LF);
        whole = chunk.subarray(first + 1, Math.max(last, first + 1));
        skipping = false;
      } else if (restBytes > 0) {
        whole = Buffer.concat([...rest, whole]);
      }
      forget();
      tooLong += eachLine(whole, line);
      if (last + 1 < chunk.length) {
        // A copy: the socket's buffer is many times as large as the rest of a line.
        const tail = Buffer.from(chunk.subarray(last + 1));
        rest.push(tail);
        restBytes = tail.length;
      }
    },
  };
}

/** Decodes once: faster than line by line. Returns how many were too long. */
function eachLine(whole: Buffer, line: OnLine): number {
  const text = whole.toString("utf8");
  let tooLong = 0;
  let from = 0;
  while (from < text.length) {
    let to = text.indexOf("\n", from);
    if (to < 0) to = text.length;
    const end = to > from && text.charCodeAt(to - 1) === CR ? to - 1 : to;
    if (end - from > LINE_BYTES) tooLong++;
    else if (end > from) line(text, from, end);
    from = to + 1;
  }
  return tooLong;
}
