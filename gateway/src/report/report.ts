import type { Person } from "@hypecast/contracts/journal.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { heatmap, momentAt, momentList, topEmotes } from "@hypecast/contracts/question.ts";
import { vodId, type Vod } from "@hypecast/contracts/vod.ts";
import type { z } from "zod";
import type { Reply, Request } from "../http.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Parts } from "../routes/handlers.ts";
import { spanOfVod } from "../vods.ts";
import { nothingPage, reportPage, type Report } from "./page.ts";

const COLUMNS = 240;
const MOMENTS = 12;
const QUOTES = 3;
/** Around a moment's reaction, where its quotes are looked for. */
const QUOTE_S = 10;
const EMOTES = 15;

/** Answers GET /s/<id>: a stream's report as one file of HTML. Behind the login as everything else; to give it away, keep it and send it. */
export function serveReports(
  parts: Pick<Parts, "vods" | "channels" | "moments" | "ask" | "roles">,
): (request: Request, person: Person) => Promise<Reply> {
  return async (request, person) => {
    if (request.method !== "GET")
      throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
    const id = request.path.slice("/s/".length);
    const stream = vodId.safeParse(id).success ? parts.vods.get(id) : null;
    if (stream === null) return nothingPage(request);
    parts.roles.authorise(person, stream.id, "analyst");
    return reportPage(await reportOf(parts, stream), request);
  };
}

async function reportOf(
  parts: Pick<Parts, "vods" | "channels" | "moments" | "ask">,
  stream: Vod,
): Promise<Report> {
  const { ask, moments } = parts;
  const channelId = channelIdOf(parts, stream.id);
  const { fromMs, toMs } = spanOfVod(stream);
  const span = { channelId, fromMs, toMs };
  const [heat, emotes, list] = await Promise.all([
    ask(heatmap, { ...span, columns: COLUMNS }),
    ask(topEmotes, { ...span, limit: EMOTES }),
    ask(momentList, { ...span, limit: 1000 }),
  ]);
  const found = (JSON.parse(list) as z.infer<typeof momentList.answer>).moments;
  const best = found
    .filter(({ id }) => moments.decisionOn(id)?.verdict !== "discarded")
    .sort((a, b) => b.score - a.score || a.startMs - b.startMs)
    .slice(0, MOMENTS);
  return {
    stream,
    columns: (JSON.parse(heat) as z.infer<typeof heatmap.answer>).columns,
    emotes: (JSON.parse(emotes) as z.infer<typeof topEmotes.answer>).emotes,
    moments: await Promise.all(
      best.map(async (moment) => ({ moment, quotes: await quotesOf(parts, channelId, moment) })),
    ),
    made: Date.now(),
  };
}

/** What most people wrote when it happened, in nearly the same words. */
async function quotesOf(
  { ask }: Pick<Parts, "ask">,
  channelId: string,
  { chatOnsetMs, peakMs }: Moment,
): Promise<Report["moments"][number]["quotes"]> {
  const atMs = Math.round(((chatOnsetMs ?? peakMs) + peakMs) / 2);
  const { lines } = JSON.parse(await ask(momentAt, { channelId, atMs, aroundS: QUOTE_S })) as z.infer<
    typeof momentAt.answer
  >;
  return lines
    .toSorted((a, b) => b.similar - a.similar || a.sentAtMs - b.sentAtMs)
    .slice(0, QUOTES)
    .map(({ name, login, text, similar }) => ({ who: name ?? login, text, similar }));
}
