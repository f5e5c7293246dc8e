/** Bytes of a file, both ends inclusive. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * What a Range header asks of a file of `size` bytes (RFC 9110, 14.2). Null: all of it, also where the header is not understood or asks for
 * several ranges, which a server may answer with the whole. `outside`: a range that the file does not have.
 */
export function rangeOf(header: string, size: number): ByteRange | "outside" | null {
  const asked = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header);
  if (asked === null) return null;
  const [, first = "", last = ""] = asked;
  if (first === "") {
    if (last === "") return null;
    const tail = Number(last);
    return tail === 0 || size === 0 ? "outside" : { from: Math.max(0, size - tail), to: size - 1 };
  }
  const from = Number(first);
  const to = last === "" ? size - 1 : Number(last);
  if (last !== "" && to < from) return null;
  return from >= size ? "outside" : { from, to: Math.min(to, size - 1) };
}
