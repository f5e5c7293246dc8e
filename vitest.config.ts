import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const exclude = ["**/node_modules/**", "**/build/**", ".tools/**", ".hypecast/**"];

/** What takes longest begins first, or it goes on alone at the end. What waits stands between what needs the processor. */
const LONG_FIRST = [
  "streamproc/src/sources/twitch-chat.int.test.ts",
  "tests/src/web.e2e.test.ts",
  "tests/src/murder-import.int.test.ts",
  "tests/src/murder-video.int.test.ts",
  "tests/src/up.e2e.test.ts",
  "tests/src/murder.int.test.ts",
  "tests/src/video.e2e.test.ts",
  "tests/src/murder-cluster.int.test.ts",
  "tests/src/import-picture.int.test.ts",
  "tests/src/oracle.e2e.test.ts",
  "tests/src/murder-share.int.test.ts",
  "tests/src/library.e2e.test.ts",
  "gateway/src/gateway.int.test.ts",
  "tests/src/deploy/commands.int.test.ts",
  "analytics/src/sink/sink.int.test.ts",
  "streamproc/src/media/media.int.test.ts",
  "streamproc/src/imports/video/video.int.test.ts",
  "streamproc/src/clips/worker.int.test.ts",
  "clickhouse/src/http.int.test.ts",
  "streamproc/src/sources/hls/process.int.test.ts",
  "streamproc/src/clips/render.int.test.ts",
  "streamproc/src/sources/hls/hls.int.test.ts",
  "streamproc/src/media/workers.int.test.ts",
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG_FIRST.findIndex((path) => moduleId.endsWith(`/${path}`));
      return at === -1 ? LONG_FIRST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** As `tests/src/patience.ts` has it for `vi.waitFor`. */
const patient = { setupFiles: ["tests/src/patience.ts"], expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  // Not in node_modules, which a reinstall empties while tests run.
  cacheDir: ".tools/vitest",
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...patient,
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...exclude, "**/*.{int,e2e,long}.test.ts"],
          // `./hypecast test` runs these beside the others, on what those leave of the processor.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Real servers and a real browser, for which these tests mostly wait: more at once than there are cores.
        test: {
          ...patient,
          name: "integration",
          include: ["**/*.{int,e2e}.test.ts"],
          exclude,
          // For what hangs; how fast anything is, no test asks of a machine that is busy with others.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
        },
      },
      {
        test: {
          ...patient,
          name: "long",
          include: ["**/*.long.test.ts"],
          exclude,
          testTimeout: 3_600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
