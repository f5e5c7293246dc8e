import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { channelLayout, type ClipLayout } from "@hypecast/contracts/clip.ts";
import { encoding, playlistOf } from "@hypecast/streamproc/clips/cut.ts";
import { keepFootage } from "@hypecast/streamproc/clips/footage.fixture.ts";
import { render } from "@hypecast/streamproc/clips/render.ts";
import { openWorld } from "@hypecast/streamproc/clips/world.fixture.ts";

/**
 * What a clip of 30 s of 1080p costs in CPU seconds of all programs that take part: instant against a bare stream copy, exact with chat against a
 * plain encode of the same pictures with the same x264 settings, for both shapes. One thread each, all at the renderer's low priority: other load
 * beside the bench costs both alike.
 */
const { values: options } = parseArgs({
  options: { data: { type: "string", default: join(import.meta.dirname, "../../shared/data") } },
});

const SECONDS = 30;
const SEGMENTS = 18;
const folder = mkdtempSync(join(tmpdir(), "hypecast-bench-clip-"));
const START = Math.floor(Date.now() / 1000) * 1000 - 600_000;

/** CPU seconds of this process and of every program that it has started and that has ended. */
function cpuS(): number {
  const own = process.cpuUsage();
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (own.user + own.system) / 1e6 + (Number(fields[13]) + Number(fields[14])) / 100;
}
async function costS(work: () => unknown): Promise<number> {
  const before = cpuS();
  await work();
  return Math.round((cpuS() - before) * 1000) / 1000;
}
const ffmpeg = (...args: string[]): void => {
  execFileSync("nice", ["-n", "10", "ffmpeg", "-v", "error", "-nostdin", "-y", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
};

/** 36 s of 1080p30 at 6 Mbps with sound, in segments of 2 s: real footage where there is some, otherwise a moving test picture. */
function source(): Buffer[] {
  const out = join(folder, "source");
  mkdirSync(out);
  const real = join(options.data, "footage", "intel");
  const files = existsSync(real)
    ? readdirSync(real)
        .filter((name) => name.endsWith(".mp4"))
        .slice(0, 4)
    : [];
  const shape =
    "fps=30,scale=1920:1080:force_original_aspect_ratio=increase,crop=1920:1080,setsar=1,format=yuv420p";
  const each = Math.ceil((SEGMENTS * 2) / Math.max(1, files.length));
  const inputs =
    files.length > 0
      ? files.flatMap((name) => ["-stream_loop", "-1", "-t", String(each), "-i", join(real, name)])
      : ["-f", "lavfi", "-t", String(each), "-i", "testsrc2=size=1920x1080:rate=30"];
  const count = Math.max(1, files.length);
  const parts = Array.from({ length: count }, (_, i) => `[${i}:v]${shape}[p${i}]`);
  const joined = `${parts.map((_, i) => `[p${i}]`).join("")}concat=n=${count}[v]`;
  ffmpeg(
    ...inputs,
    ...["-f", "lavfi", "-i", "anoisesrc=a=0.1:r=48000"],
    ...["-filter_complex", [...parts, joined].join(";"), "-map", "[v]", "-map", `${count}:a`],
    ...["-t", String(SEGMENTS * 2), "-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M"],
    ...["-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-c:a", "aac", "-b:a", "160k"],
    ...["-f", "hls", "-hls_time", "2", "-hls_list_size", "0"],
    ...["-hls_segment_filename", join(out, "%03d.ts"), join(out, "list.m3u8")],
  );
  return readdirSync(out)
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => readFileSync(join(out, name)));
}

/** Four lines a second, every second one with emotes that move. */
function chat(): ChatLine[] {
  const texts = [
    "that was insane",
    "GG",
    "clip it!!",
    "no way 😂🔥",
    "это было красиво",
    "日本語 こんにちは",
    "مرحبا بالعالم",
  ];
  return Array.from({ length: (SECONDS + 30) * 4 }, (_, i) => {
    const words = texts[i % texts.length] ?? "";
    const hasEmote = i % 2 === 0;
    return {
      id: `line-${i}`,
      channelId: "bench",
      sentAtMs: START - 25_000 + i * 250,
      userId: String(i % 40),
      login: `viewer_${i % 40}`,
      text: hasEmote ? `Kappa ${words} Kappa` : words,
      badges: i % 3 === 0 ? "subscriber/12" : "",
      ...(hasEmote
        ? {
            emotes: [
              ["twitch:25", "Kappa", 0, 4],
              ["twitch:25", "Kappa", 7 + Array.from(words).length, 11 + Array.from(words).length],
            ] satisfies ChatLine["emotes"],
          }
        : {}),
    };
  });
}

/** Twelve frames in three quarters of a second. */
function movingEmote(): Buffer {
  const path = join(folder, "emote.gif");
  ffmpeg("-f", "lavfi", "-i", "testsrc=size=56x56:rate=16:duration=0.75", path);
  return readFileSync(path);
}

const world = await openWorld();
try {
  const segments = source();
  const footage = { width: 1920, height: 1080, fps: 30, seconds: SEGMENTS * 2 };
  await keepFootage(world.nc, world.objects, {
    ...{ channelId: "bench", epoch: START, firstSeq: 0, startMs: START, footage },
    files: { segments, init: null },
  });
  // As measuring leaves it beside each segment.
  const small = join(folder, "small.jpg");
  ffmpeg("-f", "lavfi", "-i", "testsrc2=size=284x160:rate=1:duration=1", "-frames:v", "1", small);
  for (const i of segments.keys())
    await world.objects.put(`thumbs/bench/${START}/${i}.jpg`, readFileSync(small));
  await world.say(chat());
  const emote = { type: "image/gif", bytes: movingEmote() };
  const tools = {
    layoutOf: () => Promise.resolve(channelLayout.parse({})),
    nameOf: (login: string) => Promise.resolve(login),
    chatterHash: (userId: string) => `hash-${userId}`,
    nc: world.nc,
    objects: world.objects,
    emotes: { image: () => Promise.resolve(emote), keyOf: () => "" },
    threads: 1,
  };
  let made = 0;
  const clip = async (cut: "instant" | "exact", layouts: ClipLayout[]): Promise<number> => {
    const asked = await world.ask({
      ...{ channelId: "bench", startMs: START + 1000, endMs: START + 1000 + SECONDS * 1000, cut, layouts },
    });
    const work = join(folder, `work-${++made}`);
    mkdirSync(work);
    return costS(() => render(asked, work, tools, new AbortController().signal, () => undefined));
  };

  // The same pictures for the bare programs, from a playlist of the same files.
  const plain = join(folder, "plain");
  mkdirSync(plain);
  const named = segments.map((bytes, i) => {
    writeFileSync(join(plain, `${i}.ts`), bytes);
    return { name: `${i}.ts`, durationS: 2 };
  });
  const list = join(plain, "list.m3u8");
  writeFileSync(list, playlistOf(named, null));
  const cut = ["-ss", "1", "-t", String(SECONDS)];
  const whole = ["-movflags", "+faststart", "-f", "mp4", join(plain, "out.mp4")];
  const encode = (filters: string[]): Promise<number> =>
    costS(() =>
      ffmpeg(
        "-threads",
        "1",
        "-i",
        list,
        ...cut,
        "-filter_threads",
        "1",
        ...filters,
        ...encoding(1),
        ...whole,
      ),
    );

  // Once for what is loaded only once: fonts, libraries, code.
  await clip("exact", ["9:16"]);
  const figures = {
    copyS: await costS(() => ffmpeg("-i", list, ...cut, "-c", "copy", ...whole)),
    instantS: await clip("instant", ["16:9"]),
    plainS: await encode([]),
    exactS: await clip("exact", ["16:9"]),
    plainUprightS: await encode(["-vf", "crop=608:1080"]),
    exactUprightS: await clip("exact", ["9:16"]),
    bothS: await clip("exact", ["16:9", "9:16"]),
    stackedS: await clip("exact", ["9:16-stacked"]),
  };
  const ratio = (a: number, b: number): number => Math.round((a / b) * 1000) / 1000;
  const ratios = {
    instantOverCopy: ratio(figures.instantS, figures.copyS),
    exactOverPlain: ratio(figures.exactS, figures.plainS),
    exactUprightOverPlain: ratio(figures.exactUprightS, figures.plainUprightS),
    bothOverPlainOfBoth: ratio(figures.bothS, figures.plainS + figures.plainUprightS),
  };
  const meets = {
    "instant ≤ 0.3 s": figures.instantS <= 0.3,
    "exact 16:9 with chat ≤ 1.2 × plain": ratios.exactOverPlain <= 1.2,
    "exact 9:16 with chat ≤ 1.2 × plain": ratios.exactUprightOverPlain <= 1.2,
    "both ≤ 1.2 × plain of both": ratios.bothOverPlainOfBoth <= 1.2,
  };
  console.log(JSON.stringify({ bench: "clip", figures, ratios, meets }));
} finally {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
