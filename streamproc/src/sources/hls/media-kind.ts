const TS_PACKET = 188;
const TS_SYNC = 0x47;
const FMP4_BOXES = new Set(["ftyp", "styp", "moof", "moov", "sidx", "emsg", "prft", "free", "mdat"]);

/** What a file is by its first bytes, whatever its name or type says; null: neither a transport stream nor fragmented MP4. */
export function mediaKind(body: Uint8Array): "ts" | "fmp4" | null {
  if (body[0] === TS_SYNC && body.length >= TS_PACKET && (body[TS_PACKET] ?? TS_SYNC) === TS_SYNC)
    return "ts";
  const box = String.fromCharCode(...body.subarray(4, 8));
  return body.length > 8 && FMP4_BOXES.has(box) ? "fmp4" : null;
}
