import { expect, test } from "vitest";
import { vodRequest, type Vod } from "./vod.ts";
import { newVod, retryVod } from "./vod-steps.ts";

const made = (url: string | null, change: Partial<Vod>, states: Partial<Record<string, string>>): Vod => {
  const vod = newVod("_abcdefghijklmnopqr", vodRequest.parse({ url, chatUpload: "abcdefgh" }), 1);
  const stages = vod.stages.map((stage) => ({
    ...stage,
    state: (states[stage.name] ?? "done") as typeof stage.state,
  }));
  return { ...vod, ...change, stages };
};
const waiting = (changes: Partial<Vod> | null): string[] | null =>
  changes?.stages?.filter(({ state }) => state === "waiting").map(({ name }) => name) ?? null;
const without = { video: "skipped", measure: "skipped", merge: "skipped" };

test("an import that failed goes on from the stage that failed", () => {
  const vod = made(null, { status: "error" }, { ...without, embed: "failed", moments: "cancelled" });
  expect(waiting(retryVod(vod))).toEqual(["embed", "moments"]);
});

test("a link whose picture could not be had is asked for the picture alone", () => {
  const link = "https://www.twitch.tv/videos/1";
  expect(waiting(retryVod(made(link, { status: "ready" }, without)))).toEqual(["video", "measure", "merge"]);
  expect(retryVod(made(null, { status: "ready" }, without))).toBeNull();
  expect(retryVod(made(link, { status: "processing" }, without))).toBeNull();
  expect(retryVod(made(link, { status: "ready", deleting: true }, without))).toBeNull();
});
