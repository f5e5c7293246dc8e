import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Config } from "@hypecast/runtime/config.ts";
import { ImportFailure } from "../chat/failure.ts";

/*
 * The chat of a Twitch video by the GraphQL call that its web player makes. Twitch documents no way to it and allows none by its terms:
 * off unless the operator names the address and takes that on. This file is all that knows the call; when Twitch changes it, this breaks,
 * says so, and a chat file still works. It asks one page after another as a player does, and where Twitch demands a proof of being a
 * browser ("integrity") it stops: nothing here gets around that.
 */
const OPERATION = "VideoCommentsByOffsetOrCursor";
/** Twitch keeps the query itself; this names it. */
const QUERY_HASH = "b70a3591ff0f4e0313d126c6a1502d79a1c02baebb288227c582044aa76adf6a";
const TIMEOUT_MS = 15_000;
const ANSWER_BYTES = 8 * 1024 * 1024;
/** Pages of one video: a hundred hours of the busiest chats have fewer. */
const MOST_PAGES = 500_000;
const TRIES = 6;
const LONGEST_WAIT_MS = 60_000;

export type UnofficialChatSettings = Pick<
  Config,
  "TWITCH_UNOFFICIAL_CHAT_URL" | "TWITCH_UNOFFICIAL_CHAT_CLIENT"
>;

export interface AskingChat {
  readonly signal?: AbortSignal;
  /** Seconds of the video that have been read, and messages. */
  readonly progress?: (offsetS: number, comments: number) => void;
  /** Between two pages. */
  readonly pauseMs?: number;
  /** Before the second try; it doubles after each. */
  readonly retryMs?: number;
}

const comment = z.looseObject({ id: z.string(), contentOffsetSeconds: z.number() });
const page = z.object({
  data: z
    .object({
      video: z
        .object({
          comments: z
            .object({
              edges: z.array(z.object({ cursor: z.string().nullish(), node: comment })),
              pageInfo: z.object({ hasNextPage: z.boolean() }),
            })
            .nullable(),
        })
        .nullable(),
    })
    .nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

/**
 * The comments of a video as NDJSON, a piece a page, in the form that the chat reader knows as `twitch-gql`. Throws ImportFailure: no_way (it
 * is not turned on), not_found, protected, unreachable.
 */
export async function* unofficialChat(
  settings: UnofficialChatSettings,
  videoId: string,
  asking: AskingChat = {},
): AsyncGenerator<Uint8Array> {
  if (settings.TWITCH_UNOFFICIAL_CHAT_URL === "")
    throw new ImportFailure(
      "no_way",
      "Twitch gives the chat of a video by no official way, and the settings turn no other on.",
      "Export the chat with TwitchDownloader or twitch-dl and upload the file; or see docs/import.md.",
    );
  const { signal, progress, pauseMs = 150 } = asking;
  let cursor: string | null = null;
  let comments = 0;
  for (let at = 0; at < MOST_PAGES; at++) {
    const { edges, pageInfo } = await askPage(settings, videoId, cursor, asking);
    comments += edges.length;
    const last = edges.at(-1);
    if (last !== undefined) {
      yield Buffer.from(edges.map(({ node }) => `${JSON.stringify(node)}\n`).join(""));
      progress?.(last.node.contentOffsetSeconds, comments);
    }
    if (!pageInfo.hasNextPage) return;
    const next = last?.cursor ?? null;
    if (next === null || next === cursor)
      throw unreachable(`Twitch says that there is more chat, but not where (after ${comments} messages).`);
    cursor = next;
    await sleep(pauseMs, undefined, { signal });
  }
  throw unreachable(`Twitch gives more than ${MOST_PAGES} pages of chat.`);
}

interface Page {
  readonly edges: readonly { cursor?: string | null | undefined; node: z.infer<typeof comment> }[];
  readonly pageInfo: { readonly hasNextPage: boolean };
}

async function askPage(
  settings: UnofficialChatSettings,
  videoId: string,
  cursor: string | null,
  { signal, retryMs = 1000 }: AskingChat,
): Promise<Page> {
  let waitMs = retryMs;
  let why = "";
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (attempt > 0) {
      await sleep(Math.min(waitMs, LONGEST_WAIT_MS), undefined, { signal });
      waitMs *= 2;
    }
    let answer: Response;
    let body: string;
    try {
      answer = await fetch(settings.TWITCH_UNOFFICIAL_CHAT_URL, {
        method: "POST",
        signal: AbortSignal.any([...(signal === undefined ? [] : [signal]), AbortSignal.timeout(TIMEOUT_MS)]),
        redirect: "error",
        headers: {
          "content-type": "application/json",
          ...(settings.TWITCH_UNOFFICIAL_CHAT_CLIENT !== "" && {
            "client-id": settings.TWITCH_UNOFFICIAL_CHAT_CLIENT,
          }),
        },
        body: JSON.stringify({
          operationName: OPERATION,
          variables:
            cursor === null ? { videoID: videoId, contentOffsetSeconds: 0 } : { videoID: videoId, cursor },
          extensions: { persistedQuery: { version: 1, sha256Hash: QUERY_HASH } },
        }),
      });
      body = await bounded(answer);
    } catch (error) {
      if (signal?.aborted === true || error instanceof ImportFailure) throw error;
      why = String(error).slice(0, 200);
      continue;
    }
    if (answer.status === 429 || answer.status >= 500) {
      why = `HTTP ${answer.status}`;
      const after = Number(answer.headers.get("retry-after"));
      if (after > 0) waitMs = Math.max(waitMs, after * 1000);
      continue;
    }
    const read = page.safeParse(json(body));
    if (!answer.ok && !read.success)
      throw unreachable(`Twitch answered HTTP ${answer.status} to the unofficial call.`);
    if (!read.success)
      throw unreachable("Twitch answered in a form that is not known: the unofficial call has changed.");
    const said = read.data.errors?.map(({ message }) => message).join("; ") ?? "";
    if (/integrity/i.test(said))
      throw new ImportFailure(
        "protected",
        "Twitch wants a proof of being a browser for this chat, which is not got around.",
        "Export the chat with a tool of your own and upload the file.",
      );
    if (/PersistedQueryNotFound/i.test(said))
      throw unreachable("Twitch no longer knows the unofficial call.");
    const data = read.data.data;
    if (data === undefined || data === null) {
      why = said === "" ? "an empty answer" : said.slice(0, 200);
      continue;
    }
    if (data.video === null)
      throw new ImportFailure(
        "not_found",
        `Twitch has no video ${videoId}: it was deleted, has expired, or is for subscribers.`,
        "Check the link, or upload the chat and the video as files.",
      );
    if (data.video.comments === null) {
      // Comes and goes at Twitch; a video without any chat has an empty list.
      why = "no list of messages in the answer";
      continue;
    }
    return data.video.comments;
  }
  throw unreachable(`Twitch did not give the chat in ${TRIES} tries: ${why}.`);
}

async function bounded(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  if (answer.body !== null)
    for await (const part of answer.body as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > ANSWER_BYTES) throw unreachable("Twitch's answer is larger than any page of chat.");
      parts.push(part);
    }
  return Buffer.concat(parts).toString("utf8");
}

function json(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value[0] : value;
  } catch {
    return null;
  }
}

const unreachable = (detail: string): ImportFailure =>
  new ImportFailure(
    "unreachable",
    detail,
    "Try again later, or export the chat with a tool of your own and upload the file.",
  );
