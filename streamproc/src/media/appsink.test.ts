import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gstreamerEnv, loadAppsink, type Appsink, type Sample } from "./appsink.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let folder: string;
let appsink: Appsink;
beforeAll(() => {
  // The plugins of the workers, and GStreamer's own test pictures and sounds.
  folder = mkdtempSync(join(tmpdir(), "hypecast-appsink-"));
  const system = execFileSync("pkg-config", ["--variable=pluginsdir", "gstreamer-1.0"], {
    encoding: "utf8",
  }).trim();
  mkdirSync(join(folder, "plugins"));
  for (const name of [
    "app",
    "coreelements",
    "videoconvertscale",
    "videotestsrc",
    "audiotestsrc",
    "audioconvert",
    "audioresample",
  ])
    symlinkSync(join(system, `libgst${name}.so`), join(folder, "plugins", `libgst${name}.so`));
  Object.assign(process.env, gstreamerEnv, {
    GST_PLUGIN_SYSTEM_PATH_1_0: join(folder, "plugins"),
    GST_REGISTRY_1_0: join(folder, "registry.bin"),
  });
  appsink = loadAppsink();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SINK = "sync=false async=false max-buffers=2";

/** Plays to the end of all sinks; what each gave, its end included, in the order in which it came. */
async function all(
  launch: string,
  sinks: string[],
  options: { queue?: number; onSample?: () => void } = {},
): Promise<(Sample | "end")[][]> {
  const got: (Sample | "end")[][] = sinks.map(() => []);
  return new Promise((resolve, reject) => {
    let open = sinks.length;
    const pipeline = new appsink.Pipeline(
      launch,
      { sinks, queue: options.queue ?? 4 },
      (sink, sample) => {
        options.onSample?.();
        got[sink]!.push(sample ?? "end");
        if (sample !== null || --open > 0) return;
        pipeline.stop();
        resolve(got);
      },
      (text) => {
        pipeline.stop();
        reject(new Error(text));
      },
    );
    expect(pipeline.play()).toBe(true);
  });
}

test("a pipeline that nobody references plays to its end under garbage collection", async () => {
  let samples = 0;
  await new Promise<void>((resolve) => {
    // In a function of its own: nothing here holds the pipeline.
    const play = (): void => {
      new appsink.Pipeline(
        `videotestsrc num-buffers=300 ! video/x-raw,format=RGB,width=64,height=36 ! identity sleep-time=1000 ! appsink name=s ${SINK}`,
        { sinks: ["s"], queue: 2 },
        (_sink, sample) => {
          if (sample === null) resolve();
          else if (++samples % 20 === 0) collectGarbage();
        },
        () => resolve(),
      ).play();
    };
    play();
  });
  expect(samples).toBe(300);
});

test("once stopped a pipeline is collected: pipelines do not add up", async () => {
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  for (let i = 0; i < 20; i++)
    await new Promise<void>((resolve) => {
      const pipeline = new appsink.Pipeline(
        `videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=64,height=36 ! appsink name=s ${SINK}`,
        { sinks: ["s"], queue: 2 },
        (_sink, sample) => {
          if (sample !== null) return;
          pipeline.stop();
          resolve();
        },
        () => undefined,
      );
      registry.register(pipeline, i);
      pipeline.play();
    });
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collectGarbage();
  }
  expect(collected).toBeGreaterThanOrEqual(15);
});

test("two pictures and a sound through queues of one do not block each other, however slow the reader", async () => {
  let busy = 0;
  const got = await all(
    `videotestsrc num-buffers=200 ! video/x-raw,format=RGB,width=64,height=36 ! tee name=t ! queue max-size-buffers=2 ! appsink name=a ${SINK}
     t. ! queue max-size-buffers=2 ! appsink name=b ${SINK}
     audiotestsrc num-buffers=200 ! audio/x-raw,format=F32LE,rate=48000,channels=1 ! appsink name=c ${SINK}`,
    ["a", "b", "c"],
    {
      queue: 1,
      onSample() {
        if (busy++ % 20 !== 0) return;
        const until = performance.now() + 3;
        while (performance.now() < until);
      },
    },
  );
  expect(got.map((samples) => samples.length)).toEqual([201, 201, 201]);
});

test("each sink's end comes after its last sample, every time", async () => {
  for (let round = 0; round < 30; round++) {
    const got = await all(
      `videotestsrc num-buffers=${round + 1} ! video/x-raw,format=RGB,width=64,height=36 ! appsink name=a ${SINK}
       audiotestsrc num-buffers=${round * 2 + 1} ! audio/x-raw,format=F32LE,rate=48000,channels=1 ! appsink name=b ${SINK}`,
      ["a", "b"],
    );
    expect(got.map((samples) => samples.length)).toEqual([round + 2, round * 2 + 2]);
    expect(got.map((samples) => samples.indexOf("end"))).toEqual([round + 1, round * 2 + 1]);
  }
});

test("rows that GStreamer pads come tightly packed", async () => {
  // 284 and 30 are no multiples of four: GStreamer's rows of GRAY8 are 284 and 32 bytes long.
  const [samples] = await all(
    `videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=GRAY8,width=30,height=8 ! appsink name=a ${SINK}`,
    ["a"],
  );
  const sample = samples![0] as Sample;
  expect([sample.width, sample.height]).toEqual([30, 8]);
  expect(sample.data).toHaveLength(240);
  expect(sample.data.every((value) => value > 200)).toBe(true);
});

test("a sample is a copy: it stays as it was while hundreds follow it", async () => {
  const [samples] = await all(
    `videotestsrc num-buffers=300 pattern=snow ! video/x-raw,format=RGB,width=64,height=36 ! appsink name=a ${SINK}`,
    ["a"],
  );
  const frames = samples!.slice(0, -1) as Sample[];
  expect(new Set(frames.map(({ data }) => data.toString("base64"))).size).toBe(300);
});

test("without a clock a minute of pictures does not take a minute", async () => {
  const began = performance.now();
  const [samples] = await all(
    `videotestsrc num-buffers=1800 ! video/x-raw,format=RGB,width=64,height=36,framerate=30/1 ! appsink name=a ${SINK}`,
    ["a"],
    { queue: 64 },
  );
  expect(samples).toHaveLength(1801);
  expect((samples![1799] as Sample).ptsNs).toBeGreaterThan(59e9);
  expect(performance.now() - began).toBeLessThan(30_000);
});

test("stopped in mid-stream, with its threads waiting for room, it stops at once and calls nothing back", async () => {
  for (let round = 0; round < 20; round++) {
    let after = 0;
    await new Promise<void>((resolve) => {
      let stopped = false;
      const pipeline = new appsink.Pipeline(
        `videotestsrc ! video/x-raw,format=RGB,width=64,height=36 ! tee name=t ! queue ! appsink name=a ${SINK}  t. ! queue ! appsink name=b ${SINK}`,
        { sinks: ["a", "b"], queue: 1 },
        () => {
          if (stopped) after++;
          else {
            stopped = true;
            // Time for both threads to fill their queues.
            const until = performance.now() + 5;
            while (performance.now() < until);
            pipeline.stop();
            pipeline.stop();
            resolve();
          }
        },
        () => undefined,
      );
      pipeline.play();
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(after).toBe(0);
  }
});

test("what cannot be built or has no such sink is an exception with GStreamer's words", () => {
  const make = (launch: string, sinks: string[]): unknown =>
    new appsink.Pipeline(
      launch,
      { sinks, queue: 1 },
      () => undefined,
      () => undefined,
    );
  expect(() => make("videotestsrc ! nosuchelement ! appsink name=a", ["a"])).toThrow(
    'no element "nosuchelement"',
  );
  expect(() => make("videotestsrc ! appsink name=a", ["b"])).toThrow("no appsink named b");
  expect(() => make("videotestsrc ! fakesink name=a", ["a"])).toThrow("no appsink named a");
});

test("what fails while it plays is told, with the element that failed", async () => {
  const said = await new Promise<string>((resolve) => {
    const pipeline = new appsink.Pipeline(
      `videotestsrc ! video/x-raw,format=RGB,width=64,height=36 ! identity name=culprit error-after=5 ! appsink name=a ${SINK}`,
      { sinks: ["a"], queue: 4 },
      () => undefined,
      (text) => {
        pipeline.stop();
        resolve(text);
      },
    );
    pipeline.play();
  });
  expect(said).toMatch(/^culprit: /);
});

test("bytes pushed in come out with their time, and the end after them", async () => {
  const got: (Sample | null)[] = [];
  await new Promise<void>((resolve) => {
    const pipeline = new appsink.Pipeline(
      `appsrc name=in format=time caps=video/x-raw,format=RGB,width=4,height=2,framerate=30/1 ! appsink name=a ${SINK}`,
      { sinks: ["a"], queue: 2 },
      (_sink, sample) => {
        got.push(sample);
        if (sample !== null) return;
        pipeline.stop();
        expect(pipeline.push("in", new Uint8Array(24), 0, -1)).toBe(false);
        resolve();
      },
      () => undefined,
    );
    pipeline.play();
    for (let i = 0; i < 5; i++)
      expect(pipeline.push("in", new Uint8Array(24).fill(i), i * 1e9, -1)).toBe(true);
    pipeline.end("in");
  });
  expect(got.map((sample) => sample && [sample.ptsNs, sample.data[0]])).toEqual([
    [0, 0],
    [1e9, 1],
    [2e9, 2],
    [3e9, 3],
    [4e9, 4],
    null,
  ]);
});
