import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotMedia, TooLarge, type DecodeRequest, type FrameSource } from "./frame-source.ts";
import { bytesOf, file, H264, hls, plain } from "./test-footage.ts";

/** What every FrameSource does with good, odd and hostile segments. */
export function frameSourceContract(name: string, open: () => FrameSource): void {
  describe(name, () => {
    let source: FrameSource;
    beforeAll(() => void (source = open()));

    const ofFile = (path: string, durationMs = 2000): DecodeRequest => ({
      container: "ts",
      media: readFileSync(path),
      init: null,
      durationMs,
      before: null,
    });
    const bytes = (media: Buffer): DecodeRequest => ({
      container: "ts",
      media,
      init: null,
      durationMs: 2000,
      before: null,
    });
    const lavfi = (...graphs: string[]): string[] => graphs.flatMap((graph) => ["-f", "lavfi", "-i", graph]);

    for (const container of ["ts", "fmp4"] as const)
      test(`every frame of a ${container} segment comes with its time, finer frames three times a second`, async () => {
        const segment = bytesOf(plain(6, container), 1);
        const { frames, detail, sizes } = await source.decode({ ...segment, durationMs: 2000, before: null });
        expect(frames).toHaveLength(60);
        for (const [i, frame] of frames.entries()) {
          expect(frame.atMs).toBeCloseTo((i * 1000) / 30, 0);
          expect(frame.rgb).toHaveLength(64 * 36 * 3);
        }
        expect(detail.map(({ atMs }) => Math.round(atMs))).toEqual([0, 333, 667, 1000, 1333, 1667]);
        for (const { width, height, rgb } of detail) {
          expect([width, height]).toEqual([284, 160]);
          expect(rgb).toHaveLength(284 * 160 * 3);
        }
        expect(sizes).toEqual([{ atMs: expect.closeTo(0, 1), width: 284, height: 160 }]);
      });

    test("pixels are where they are in the picture: red, green, blue and white in its corners", async () => {
      const corners = file([
        ...lavfi(
          ...["red", "lime", "blue", "white"].map(
            (colour) => `color=${colour}:size=142x80:rate=30:duration=1`,
          ),
        ),
        ...["-filter_complex", "[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack", ...H264, "-f", "mpegts"],
      ]);
      const { frames, detail } = await source.decode(ofFile(corners, 1000));
      for (const [picture, width, height] of [
        [frames[5]!.rgb, 64, 36],
        [detail[1]!.rgb, 284, 160],
      ] as const) {
        const at = (x: number, y: number): number[] => {
          const i = (Math.floor(y * height) * width + Math.floor(x * width)) * 3;
          return [...picture.subarray(i, i + 3)].map((value) => Math.round(value / 255));
        };
        expect([at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.75, 0.75)]).toEqual([
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
          [1, 1, 1],
        ]);
      }
    });

    for (const container of ["ts", "fmp4"] as const)
      test(`the sound of ${container} segments joins: a tone over three of them is one sine, as if decoded in one go`, async () => {
        const stream = plain(6, container);
        const line: number[] = [];
        for (const i of [0, 1, 2]) {
          const { sound } = await source.decode({
            ...bytesOf(stream, i),
            durationMs: 2000,
            before: i === 0 ? null : bytesOf(stream, i - 1),
          });
          expect(sound).toMatchObject({ channels: 2, tracks: 1 });
          if (i > 0) expect(sound!.preroll).toBe(24_000);
          // What a segment's own file does not hold any more is in the pre-roll of the next.
          const from = (i === 0 ? 0 : line.length - i * 96_000 + sound!.preroll) * 2;
          if (i === 0)
            for (let at = sound!.preroll * 2; at < sound!.samples.length; at += 2)
              line.push(sound!.samples[at]!);
          else for (let at = from; at < sound!.samples.length; at += 2) line.push(sound!.samples[at]!);
        }
        expect(line.length).toBeGreaterThan(280_000);
        // A sine goes on as 2·cos(ω)·x₁ − x₂. Where pieces do not join the step is of the size of the tone itself (0.125).
        const turn = 2 * Math.cos((2 * Math.PI * 440) / 48_000);
        let worst = 0;
        for (let i = 2402; i < line.length - 2400; i++)
          worst = Math.max(worst, Math.abs(line[i]! - (turn * line[i - 1]! - line[i - 2]!)));
        expect(worst).toBeLessThan(0.01);
      });

    test("without the segment before it there is no pre-roll to speak of", async () => {
      const { sound } = await source.decode({ ...bytesOf(plain(6), 1), durationMs: 2000, before: null });
      expect(sound!.preroll).toBeLessThan(4800);
    });

    test("a segment before it whose clock does not go on in this one is no pre-roll", async () => {
      const stream = plain(6);
      const { sound } = await source.decode({
        ...bytesOf(stream, 2),
        durationMs: 2000,
        before: bytesOf(stream, 0),
      });
      expect(sound!.preroll).toBeLessThan(4800);
    });

    test("without audio there are pictures and no sound", async () => {
      const silent = hls(lavfi("testsrc2=size=284x160:rate=30:duration=2"), H264);
      const { frames, sound } = await source.decode({
        ...bytesOf(silent, 0),
        durationMs: 2000,
        before: null,
      });
      expect(frames).toHaveLength(60);
      expect(sound).toBeNull();
    });

    test("without video there is sound and no picture", async () => {
      const blind = file([
        ...lavfi("sine=frequency=440:sample_rate=44100:duration=2"),
        "-c:a",
        "aac",
        "-f",
        "mpegts",
      ]);
      const { frames, sizes, sound } = await source.decode(ofFile(blind));
      expect([frames, sizes]).toEqual([[], []]);
      expect(sound).toMatchObject({ channels: 1, tracks: 1 });
      // 44.1 kHz has become 48.
      expect(sound!.samples.length).toBeGreaterThan(94_000);
      expect(sound!.samples.length).toBeLessThanOrEqual(96_000);
    });

    test("of two audio tracks the first is heard and both are counted", async () => {
      const two = file([
        ...lavfi(
          "testsrc2=size=284x160:rate=30:duration=2",
          "sine=frequency=440:duration=2",
          "anullsrc=r=48000:cl=stereo",
        ),
        ...["-map", "0", "-map", "1", "-map", "2", "-t", "2", ...H264, "-c:a", "aac", "-f", "mpegts"],
      ]);
      const { sound } = await source.decode(ofFile(two));
      expect(sound!.tracks).toBe(2);
      expect(Math.max(...sound!.samples.subarray(4800, 9600))).toBeGreaterThan(0.05);
    });

    test("a picture that changes its size in mid-stream says so, and every frame is there", async () => {
      const small = file(
        [...lavfi("testsrc2=size=284x160:rate=30:duration=1"), ...H264, "-f", "mpegts"],
        "a.ts",
      );
      const large = file(
        [
          ...lavfi("testsrc2=size=640x480:rate=30:duration=1"),
          ...H264,
          "-output_ts_offset",
          "1",
          "-f",
          "mpegts",
        ],
        "b.ts",
      );
      const { frames, sizes, detail } = await source.decode(
        bytes(Buffer.concat([readFileSync(small), readFileSync(large)])),
      );
      expect(frames).toHaveLength(60);
      expect(sizes.map(({ width, height }) => [width, height])).toEqual([
        [284, 160],
        [640, 480],
      ]);
      expect(sizes[1]!.atMs).toBeCloseTo(1000, -1);
      // 4:3 keeps its shape.
      const last = detail.at(-1)!;
      expect(last.height).toBe(160);
      expect(Math.abs(last.width - 213)).toBeLessThanOrEqual(1);
      expect(last.rgb).toHaveLength(last.width * last.height * 3);
    });

    test("4K is decoded to the same small frames", async () => {
      const large = file([...lavfi("testsrc2=size=3840x2160:rate=30:duration=0.5"), ...H264, "-f", "mpegts"]);
      const { frames, sizes, detail } = await source.decode(ofFile(large, 500));
      expect(frames).toHaveLength(15);
      expect(sizes).toEqual([{ atMs: 0, width: 3840, height: 2160 }]);
      expect([detail[0]!.width, detail[0]!.height]).toEqual([284, 160]);
    });

    test("a picture larger than any that H.264 level 5.2 has is refused", async () => {
      const huge = file([...lavfi("color=black:size=5120x2880:rate=1:duration=1"), ...H264, "-f", "mpegts"]);
      await expect(source.decode(ofFile(huge))).rejects.toThrow(TooLarge);
    });

    test("with a variable frame rate each frame keeps its own time", async () => {
      // Frames at 0, 1/30, 2/30 … and after one second only each fifth.
      const uneven = file([
        ...lavfi("testsrc2=size=284x160:rate=30:duration=2"),
        ...["-vf", "select='lt(t,1)+not(mod(n,5))'", "-fps_mode", "vfr", ...H264, "-bf", "2", "-f", "mpegts"],
      ]);
      const { frames } = await source.decode(ofFile(uneven));
      const times = frames.map(({ atMs }) => Math.round(atMs));
      expect(times).toHaveLength(36);
      expect(times.slice(28, 33)).toEqual([933, 967, 1000, 1167, 1333]);
    });

    test("a jump of time inside of a segment is kept as it is", async () => {
      const first = file(
        [...lavfi("testsrc2=size=284x160:rate=30:duration=1"), ...H264, "-f", "mpegts"],
        "a.ts",
      );
      const later = file(
        [
          ...lavfi("testsrc2=size=284x160:rate=30:duration=1"),
          ...H264,
          "-output_ts_offset",
          "5",
          "-f",
          "mpegts",
        ],
        "c.ts",
      );
      const { frames } = await source.decode(
        bytes(Buffer.concat([readFileSync(first), readFileSync(later)])),
      );
      expect(frames).toHaveLength(60);
      expect(frames[30]!.atMs).toBeCloseTo(5000, -1);
    });

    test("of a truncated segment what is there is decoded", async () => {
      const { media } = bytesOf(plain(6), 1);
      const { frames } = await source.decode(bytes(media.subarray(0, media.length / 2)));
      expect(frames.length).toBeGreaterThan(10);
      expect(frames.length).toBeLessThan(60);
    });

    test("of a segment with holes what is there is decoded", async () => {
      const media = Buffer.from(bytesOf(plain(6), 1).media);
      for (let at = 188 * 40; at + 188 <= media.length; at += 188 * 25) media.fill(0, at, at + 188);
      const { frames } = await source.decode(bytes(media));
      expect(frames.length).toBeGreaterThan(10);
    });

    const html = Buffer.from(`<!doctype html><title>404 Not Found</title>${"<p>not here".repeat(2000)}`);
    const random = Buffer.alloc(200_000);
    for (let i = 0, state = 1; i < random.length; i++)
      random[i] = (state = (state * 16_807) % 2_147_483_647) & 0xff;
    for (const [what, media] of [
      ["an empty file", Buffer.alloc(0)],
      ["a web page", html],
      ["noise", random],
      ["a few bytes of a segment", Buffer.from("47400010", "hex")],
    ] as const)
      test(`${what} is no media`, async () => {
        await expect(source.decode(bytes(media))).rejects.toThrow(NotMedia);
        await expect(source.decode({ ...bytes(media), container: "fmp4", init: media })).rejects.toThrow(
          NotMedia,
        );
      });

    test("a file of another container than was said is no media", async () => {
      const avi = file(
        [...lavfi("testsrc2=size=284x160:rate=30:duration=1"), ...H264, "-f", "avi"],
        "file.avi",
      );
      await expect(source.decode(ofFile(avi))).rejects.toThrow(NotMedia);
      const fmp4 = bytesOf(plain(6, "fmp4"), 1);
      await expect(
        source.decode({ ...fmp4, container: "ts", durationMs: 2000, before: null }),
      ).rejects.toThrow(NotMedia);
      await expect(
        source.decode({ ...bytes(bytesOf(plain(6), 1).media), container: "fmp4", init: fmp4.init }),
      ).rejects.toThrow(NotMedia);
    });

    describe("what names other files opens none of them", () => {
      const folder = mkdtempSync(join(tmpdir(), "hypecast-tricks-"));
      const secret = join(folder, "secret.ts");
      beforeAll(() => writeFileSync(secret, bytesOf(plain(6), 1).media));
      afterAll(() => rmSync(folder, { recursive: true }));

      const playlist = `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2,\nfile://${secret}\n#EXT-X-ENDLIST\n`;
      /** An AVI with a GAB2 subtitle chunk that holds a playlist: ffmpeg's demuxer guesses its way into it. */
      const gab2 = Buffer.concat([
        Buffer.from("RIFF\0\0\0\0AVI LIST\0\0\0\0hdrlstrh8\0\0\0txts", "latin1"),
        Buffer.alloc(64),
        Buffer.from("GAB2\0\x02\0", "latin1"),
        Buffer.from(playlist),
      ]);
      for (const [what, media] of [
        ["a playlist", Buffer.from(playlist)],
        ["a list for concat", Buffer.from(`ffconcat version 1.0\nfile '${secret}'\n`)],
        ["an AVI with a playlist in its subtitles", gab2],
        [
          "an SVG with a reference",
          Buffer.from(
            `<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="file://${secret}"/></svg>`,
          ),
        ],
      ] as const)
        test(what, async () => {
          await expect(source.decode(bytes(media))).rejects.toThrow(NotMedia);
          await expect(source.decode({ ...bytes(media), container: "fmp4", init: media })).rejects.toThrow(
            NotMedia,
          );
          expect(readdirSync(folder)).toEqual(["secret.ts"]);
        });

      test("an fMP4 whose samples are said to be in another file", async () => {
        // The data reference becomes `alis`-like: flag "in this file" taken away, an address put in its place.
        const { init, media } = bytesOf(plain(6, "fmp4"), 1);
        const tricked = Buffer.from(init!);
        for (let at = tricked.indexOf("url "); at >= 0; at = tricked.indexOf("url ", at + 4))
          tricked[at + 7] = 0;
        const { frames } = await source.decode({
          container: "fmp4",
          init: tricked,
          media,
          durationMs: 2000,
          before: null,
        });
        expect(frames).toHaveLength(60);
      });
    });
  });
}
