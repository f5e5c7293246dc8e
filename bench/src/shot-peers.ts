import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The frame at which each peer says a new shot begins. */
export interface Peer {
  name: string;
  cuts: (path: string) => number[];
}

/** ffmpeg's scdet: its score of every frame, so that each threshold can be tried. */
export function scdetScores(path: string): number[] {
  const { stdout } = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-nostdin", "-threads", "1", "-i", path],
      ...["-vf", "scdet=t=100,metadata=print:file=-", "-f", "null", "-"],
    ],
    { encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  return [...stdout.matchAll(/lavfi\.scd\.score=([\d.]+)/g)].map((match) => Number(match[1]));
}

const VERSION = "scenedetect==0.7.2";
const SCRIPT = `
import json, sys
from scenedetect import detect, AdaptiveDetector, ContentDetector
found = {}
for name, detector in (("content", ContentDetector()), ("adaptive", AdaptiveDetector())):
    scenes = detect(sys.argv[1], detector)
    found[name] = [start.frame_num for start, _ in scenes][1:]
print(json.dumps(found))
`;

/** Both detectors of PySceneDetect with their defaults, from a virtual environment of their own; null where it cannot be had. */
export function sceneDetect(): ((path: string) => { content: number[]; adaptive: number[] }) | null {
  const folder = join(tmpdir(), "hypecast-bench-scenedetect");
  const python = join(folder, "bin/python");
  const works = (): boolean =>
    existsSync(python) && spawnSync(python, ["-c", "import scenedetect"]).status === 0;
  if (!works()) {
    spawnSync("python3", ["-m", "venv", folder], { stdio: "ignore" });
    spawnSync(python, ["-m", "pip", "install", "-q", VERSION, "opencv-python-headless"], {
      stdio: "ignore",
      timeout: 180_000,
    });
    if (!works()) return null;
  }
  return (path) => {
    const { stdout, stderr, status } = spawnSync(python, ["-c", SCRIPT, path], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr.slice(-500));
    return JSON.parse(stdout) as { content: number[]; adaptive: number[] };
  };
}
