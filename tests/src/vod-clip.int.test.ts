import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { migrate } from "@hypecast/analytics/migrate.ts";
import { answers } from "@hypecast/analytics/questions/index.ts";
import { serveQuestions } from "@hypecast/analytics/questions/serve.ts";
import { openStore } from "@hypecast/analytics/store.ts";
import { channelLayout } from "@hypecast/contracts/clip.ts";
import { UNKNOWN_START_MS } from "@hypecast/contracts/vod.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { render } from "@hypecast/streamproc/clips/render.ts";
import { openWorld } from "@hypecast/streamproc/clips/world.fixture.ts";
import { startClickHouse, STORE_PASSWORD } from "./servers.ts";

test("an imported stream that the log has forgotten gives a clip of its chat, without what a moderator removed", async () => {
  const [world, clickhouse] = await Promise.all([openWorld(), startClickHouse()]);
  const config = readConfig({
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
  });
  const store = openStore(config);
  const log = createLog("test", "silent");
  await migrate(store, config, log);
  const questions = serveQuestions(world.nc, store, answers, log, () => null);
  const channelId = "vod-0abcdefgh123456789-2";
  const startMs = UNKNOWN_START_MS + 60_000;
  const said = (id: string, atMs: number, text: string) => ({
    ...{ id, channelId, sentAtMs: startMs + atMs, userId: "1", login: "ann", text },
  });
  await store.insert({
    table: "vod_lines",
    values: [said("a", 500, "he fell into the lava"), said("b", 5000, "this one was removed")],
    format: "JSONEachRow",
  });
  await store.insert({
    table: "vod_moderation",
    values: [{ id: "m", channelId, sentAtMs: startMs + 9000, action: "delete", targetMessageId: "b" }],
    format: "JSONEachRow",
  });
  const ask = { login: "_0abcdefgh123456789", channelId, picture: "chat", layouts: ["16:9"] } as const;
  const make = async (fromMs: number, toMs: number) => {
    const clip = await world.ask({
      ...ask,
      layouts: ["16:9"],
      startMs: startMs + fromMs,
      endMs: startMs + toMs,
    });
    const folder = join(world.folder, clip.id);
    mkdirSync(folder);
    return render(
      clip,
      folder,
      {
        ...{ nc: world.nc, objects: world.objects, threads: 1 },
        emotes: { image: () => Promise.reject(new Error("none")), keyOf: () => "" },
        layoutOf: () => Promise.resolve(channelLayout.parse({})),
        nameOf: () => Promise.resolve("ann"),
        chatterHash: (userId: string) => `hash-${userId}`,
      },
      new AbortController().signal,
      () => undefined,
    );
  };
  const { files } = await make(0, 2000);
  const file = await world.objects.file(files[0]?.key ?? "");
  const probe = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file?.path ?? ""];
  expect(Number(execFileSync("ffprobe", probe, { encoding: "utf8" }))).toBeCloseTo(2, 1);
  // Only the removed line stands there.
  await expect(make(4000, 6000)).rejects.toMatchObject({ error: { code: "nothing_left" } });
  await questions.close();
  await store.close();
  await clickhouse.close();
  await world.close();
});
