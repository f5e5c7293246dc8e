import { createRequire } from "node:module";
import type * as uWebSockets from "@uwsjs/core";

export type Uws = typeof uWebSockets;

/** Newest first. The newer one is built for glibc 2.38; the older loads on Debian 12 too, under Node 18 to 23. */
const BUILDS = ["uws-new", "@uwsjs/core"] as const;

/** The newest uWebSockets.js that loads here. Throws a sentence that says for each build why it does not. */
export function loadUws(load: (name: string) => unknown = createRequire(import.meta.url)): {
  uws: Uws;
  build: (typeof BUILDS)[number];
} {
  const refusals: string[] = [];
  for (const build of BUILDS) {
    try {
      return { uws: load(build) as Uws, build };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const cause = message.split("\n").find((line) => /GLIBC|Cannot find|Error:/.test(line)) ?? message;
      refusals.push(`${build}: ${cause.trim()}`);
    }
  }
  throw new Error(
    `no uWebSockets.js loads under Node ${process.versions.node} on ${process.platform}-${process.arch}:\n  ` +
      `${refusals.join("\n  ")}\nHypecast needs Node 22 (run it through ./hypecast) and, on Linux, glibc 2.27 or newer`,
  );
}
