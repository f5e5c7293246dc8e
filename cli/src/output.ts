/** Where a person and a program read: results on stdout, progress and remarks on stderr. */
export interface Output {
  /** True: results are JSON. */
  readonly json: boolean;
  result(json: unknown, human: () => string): void;
  /** A line that the next one replaces, on a terminal; nothing elsewhere. */
  progress(line: string): void;
  /** Ends the progress line. */
  settle(): void;
  remark(line: string): void;
}

export function createOutput(json: boolean): Output {
  const live = process.stderr.isTTY && !json;
  let shown = false;
  return {
    json,
    result(value, human) {
      this.settle();
      process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${human()}\n`);
    },
    progress(line) {
      if (!live) return;
      const width = process.stderr.columns || 80;
      process.stderr.write(
        `\r\x1b[2K${Array.from(line)
          .slice(0, width - 1)
          .join("")}`,
      );
      shown = true;
    },
    settle() {
      if (shown) process.stderr.write("\r\x1b[2K");
      shown = false;
    },
    remark(line) {
      this.settle();
      if (!json) process.stderr.write(`${line}\n`);
    },
  };
}

const BAR = 24;

export function bar(share: number): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * BAR);
  return `${"█".repeat(full)}${"░".repeat(BAR - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}

/** "1:05" or "2:03:44". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * Text of strangers on a terminal: without what moves the cursor, changes colours or reorders what is written.
 */
export const safe = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim();

/** h:mm:ss, mm:ss or seconds; null: it is no time. */
export function seconds(text: string): number | null {
  if (!/^\d+(?::\d{1,2}){0,2}(?:\.\d+)?$/.test(text)) return null;
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
