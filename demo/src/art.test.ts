import { inflateSync, crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { drawnFaces, pictureOf } from "./art.ts";
import { allEmotes } from "./emotes.ts";
import { encodePng } from "./png.ts";

/** By the PNG specification: signature, chunks with right checksums, rows without a filter. */
function decode(png: Buffer): { width: number; height: number; rgba: Buffer } {
  expect(png.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
  const data: Buffer[] = [];
  const types: string[] = [];
  let size = { width: 0, height: 0 };
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    types.push(type);
    if (type === "IHDR") size = { width: body.readUInt32BE(0), height: body.readUInt32BE(4) };
    if (type === "IDAT") data.push(body);
    at += length + 12;
  }
  expect(types).toEqual(["IHDR", "IDAT", "IEND"]);
  const rows = inflateSync(Buffer.concat(data));
  const stride = size.width * 4 + 1;
  expect(rows).toHaveLength(stride * size.height);
  const pixels = Array.from({ length: size.height }, (_, y) => {
    expect(rows[y * stride]).toBe(0);
    return rows.subarray(y * stride + 1, (y + 1) * stride);
  });
  return { ...size, rgba: Buffer.concat(pixels) };
}

test("a PNG holds exactly the pixels that went in", () => {
  const rgba = Uint8Array.from({ length: 3 * 2 * 4 }, (_, i) => (i * 37) % 256);
  expect(decode(encodePng(3, 2, rgba))).toEqual({ width: 3, height: 2, rgba: Buffer.from(rgba) });
  expect(() => encodePng(3, 3, rgba)).toThrow("3×3 pixels need 36 bytes, not 24");
});

test("every emote has a picture, in every size, unlike every other", () => {
  expect(allEmotes.filter(({ face }) => !drawnFaces.includes(face))).toEqual([]);
  for (const pixels of [28, 32, 56, 64, 96, 112, 128]) {
    const pictures = drawnFaces.map((face) => pictureOf(face, pixels));
    for (const png of pictures) expect(decode(png)).toMatchObject({ width: pixels, height: pixels });
    expect(new Set(pictures.map((png) => png.toString("base64"))).size).toBe(drawnFaces.length);
  }
});

test("a larger picture is the same drawing", () => {
  const small = decode(pictureOf("lamp-laugh", 28)).rgba;
  const large = decode(pictureOf("lamp-laugh", 112)).rgba;
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++) {
      const there = (y * 4 * 112 + x * 4) * 4;
      expect(large.subarray(there, there + 4)).toEqual(
        small.subarray((y * 28 + x) * 4, (y * 28 + x) * 4 + 4),
      );
    }
});
