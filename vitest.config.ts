import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "**/build/**", ".tools/**", ".hypecast/**"];

export default defineConfig({
  // Not in node_modules, which a reinstall empties while tests run.
  cacheDir: ".tools/vitest",
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...exclude, "**/*.{int,e2e,long}.test.ts"],
        },
      },
      {
        // Real servers and a real browser: one file at a time, or they measure each other.
        test: {
          name: "integration",
          include: ["**/*.{int,e2e}.test.ts"],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
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
