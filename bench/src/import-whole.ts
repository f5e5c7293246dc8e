import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { said, v5Comment } from "@hypecast/streamproc/imports/chat/chats.fixture.ts";
import { openDesk } from "@hypecast/tests/imported.fixture.ts";
import { startWorld } from "@hypecast/tests/murder.ts";
import type { Parsed } from "./import-parse.ts";

const PIECE_CHARS = 8 * 1024 * 1024;
const MB = 1024 * 1024;

/**
 * A chat of so many messages from its upload to a stream that is ready: read twice, through log, folds and sink, its chunks with a vector each.
 * Every process is a real one of its own, all on this machine.
 */
export async function importing(messages: number, data: string): Promise<Parsed> {
  const world = await startWorld({ store: true, imports: true, oracle: true, processors: 1 });
  const desk = await openDesk(world.nc, world.env["HYPECAST_REDIS_URL"]!, world.folder);
  try {
    const chat = chatOf(messages, spokenIn(join(data, "chat-vod")));
    let bytes = 0;
    console.error("the processes are there, the file is made");
    const chatUpload = await desk.upload(
      "million.json",
      (function* () {
        for (const piece of chat) {
          bytes += piece.length;
          yield piece;
        }
      })(),
    );
    const began = performance.now();
    const cpuBefore = cpuOf(world);
    const asked = await desk.ask({ chatUpload });
    let searchableS = Infinity;
    let said = "";
    const done = await desk.until(asked.id, (vod) => {
      const stage = vod.stages.findLast(({ state }) => state === "running");
      const now = `${stage?.name ?? ""} ${Math.round((stage?.progress ?? 0) * 10) * 10} %`;
      if (now !== said) console.error(`${((performance.now() - began) / 1000).toFixed(1)} s: ${now}`);
      said = now;
      if (vod.searchableS > 60 && searchableS === Infinity) searchableS = (performance.now() - began) / 1000;
      return vod.status !== "processing";
    });
    const tookS = (performance.now() - began) / 1000;
    const stored = await (
      await world.store!.query({
        query: `SELECT (SELECT count() FROM vod_lines WHERE channelId = {id:String}) AS lines,
          (SELECT sum(messages) + sum(late) FROM chat_windows FINAL WHERE channelId = {id:String} AND sizeS = 60) AS counted,
          (SELECT count() FROM chat_chunks WHERE channelId = {id:String}) AS chunks`,
        query_params: { id: done.channelId ?? "" },
        format: "JSONEachRow",
      })
    ).json<{ lines: number; counted: number; chunks: number }>();
    const [rows] = stored as [{ lines: number; counted: number; chunks: number }];
    const cpu = cpuOf(world);
    const rss = rssOf(world);
    const figures: Record<string, number> = {
      importMessages: messages,
      importMb: Math.round(bytes / MB),
      importS: round(tookS),
      importFirstMinuteSearchableS: round(searchableS),
      importChunks: rows.chunks,
      importMoments: done.moments,
    };
    for (const stage of done.stages) if (stage.state === "done") figures[`${stage.name}S`] = stage.tookS;
    for (const [name, mb] of rss) figures[`${name}RssMb`] = mb;
    for (const [name, s] of cpu) figures[`${name}CpuS`] = round(s - (cpuBefore.get(name) ?? 0));
    const whole = done.status === "ready" && stageOf(done, "embed") === "done";
    return {
      figures,
      meets: {
        "1 M messages: import, windows, chunks and vectors in ≤ 60 s": whole && tookS <= 60,
        "every message is stored and counted once": rows.lines === messages && rows.counted === messages,
        "the importing process stays ≤ 500 MB": (rss.get("imports") ?? Infinity) <= 500,
      },
    };
  } finally {
    await desk.close();
    await world.close();
  }
}

const stageOf = ({ stages }: Vod, name: string): string | undefined =>
  stages.find((stage) => stage.name === name)?.state;
const round = (value: number): number => Math.round(value * 10) / 10;

interface Spoken {
  readonly login: string;
  readonly text: string;
}

/** What people have really said, some ten thousand lines of it; a few made words where there is no such file. */
function spokenIn(folder: string): Spoken[] {
  const spoken: Spoken[] = [];
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  for (const name of names.filter((each) => each.endsWith(".chat.json.gz")).toSorted()) {
    const comments = JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as {
      commenter: { login: string } | null;
      message: { body?: string };
    }[];
    for (const { commenter, message } of comments)
      if (commenter !== null && message.body !== undefined)
        spoken.push({ login: commenter.login, text: message.body });
    if (spoken.length > 100_000) break;
  }
  return spoken.length > 0 ? spoken : said(1000).map(({ login, text }) => ({ login, text }));
}

/** 60 messages a second in Twitch's v5, piece by piece. */
function* chatOf(messages: number, spoken: readonly Spoken[]): Generator<Buffer> {
  const { emoteId: _emoteId, ...pattern } = said(1)[0]!;
  let piece = '{"video":{"id":"2134567890","title":"a"},"comments":[';
  for (let i = 0; i < messages; i++) {
    const { login, text } = spoken[i % spoken.length]!;
    const line = { ...pattern, login, name: login, userId: String(1000 + fnv1a(login)), text, atS: i / 60 };
    piece += `${i === 0 ? "" : ","}${JSON.stringify(v5Comment(line, i))}`;
    if (piece.length > PIECE_CHARS) {
      yield Buffer.from(piece);
      piece = "";
    }
  }
  yield Buffer.from(`${piece}]}`);
}

type Running = Awaited<ReturnType<typeof startWorld>>;
const processesOf = (world: Running): [string, number][] => [
  ...[...world.programs].map(([name, program]): [string, number] => [name, program.child().pid!]),
  ...[...world.victims]
    .filter(([name]) => !world.programs.has(name))
    .map(([name, victim]): [string, number] => [name, victim.child().pid!]),
];

/** The most that each process had in memory. */
const rssOf = (world: Running): Map<string, number> =>
  new Map(
    processesOf(world).map(([name, pid]) => {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return [name, Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)];
    }),
  );

const TICKS_A_SECOND = 100;
const cpuOf = (world: Running): Map<string, number> =>
  new Map(
    processesOf(world).map(([name, pid]) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      return [name, (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND];
    }),
  );
