import type { Answer } from "./answer.ts";
import { vodMessages, VOD_ID } from "./vod.ts";

/**
 * The one GraphQL call that Twitch's player makes for a video's chat, as its open-source readers (TwitchDownloader, chat-downloader,
 * twitch-dl) describe it: a persisted query by offset, then by cursor, some hundred comments a page. Not documented by Twitch.
 */
const OPERATION = "VideoCommentsByOffsetOrCursor";
const HASH = "b70a3591ff0f4e0313d126c6a1502d79a1c02baebb288227c582044aa76adf6a";
const PAGE = 100;

interface Call {
  readonly operationName?: unknown;
  readonly variables?: {
    readonly videoID?: unknown;
    readonly contentOffsetSeconds?: unknown;
    readonly cursor?: unknown;
  };
  readonly extensions?: {
    readonly persistedQuery?: { readonly version?: unknown; readonly sha256Hash?: unknown };
  };
}

const wrong = (message: string): Answer => ({ status: 200, json: { errors: [{ message }] } });

export function gql(method: string, body: string, clientId: string | undefined): Answer {
  if (method !== "POST") return { status: 405, json: { error: "Method Not Allowed" } };
  if (clientId === undefined || clientId === "")
    return {
      status: 400,
      json: { error: "Bad Request", status: 400, message: 'The "Client-ID" header is missing.' },
    };
  let call: unknown;
  try {
    call = JSON.parse(body);
  } catch {
    return { status: 400, json: { error: "Bad Request", message: "invalid JSON" } };
  }
  // A list of calls is answered by a list.
  if (Array.isArray(call))
    return { status: 200, json: call.map((one: unknown) => answerOf(one as Call).json) };
  return answerOf(call as Call);
}

function answerOf({ operationName, variables = {}, extensions }: Call): Answer {
  if (operationName !== OPERATION) return wrong(`unknown operation ${String(operationName)}`);
  const { version, sha256Hash } = extensions?.persistedQuery ?? {};
  if (version !== 1 || sha256Hash !== HASH) return wrong("PersistedQueryNotFound");
  const { videoID, contentOffsetSeconds, cursor } = variables;
  if (videoID !== VOD_ID) return { status: 200, json: { data: { video: null } } };
  const messages = vodMessages();
  const from =
    typeof cursor === "string"
      ? positionOf(cursor)
      : messages.findIndex(({ atMs }) => atMs / 1000 >= Number(contentOffsetSeconds ?? 0));
  if (from === null) return wrong("invalid cursor");
  const some = from < 0 ? [] : messages.slice(from, from + PAGE);
  return {
    status: 200,
    json: {
      data: {
        video: {
          id: VOD_ID,
          creator: { id: some[0]?.channelId ?? "", channel: { id: some[0]?.channelId ?? "" } },
          comments: {
            edges: some.map((message, i) => ({
              cursor: cursorOf(from + i + 1),
              node: {
                id: message.id,
                commenter: {
                  id: message.userId,
                  login: message.login,
                  displayName: message.name,
                  __typename: "User",
                },
                contentOffsetSeconds: Math.floor(message.atMs / 1000),
                createdAt: message.createdAt,
                message: {
                  fragments: message.fragments.map(({ text, emote }) => ({
                    text,
                    emote: emote === null ? null : { id: `${emote};0;0`, emoteID: emote, from: 0 },
                  })),
                  userBadges: message.badges.map(({ id, version }) => ({
                    id: "",
                    setID: id,
                    version,
                    __typename: "Badge",
                  })),
                  userColor: message.color,
                  __typename: "VideoCommentMessage",
                },
                __typename: "VideoComment",
              },
              __typename: "VideoCommentEdge",
            })),
            pageInfo: { hasNextPage: from >= 0 && from + PAGE < messages.length, hasPreviousPage: from > 0 },
          },
        },
      },
      extensions: { durationMilliseconds: 1, operationName: OPERATION },
    },
  };
}

const cursorOf = (position: number): string =>
  Buffer.from(JSON.stringify({ at: position })).toString("base64url");
function positionOf(cursor: string): number | null {
  try {
    const { at } = JSON.parse(Buffer.from(cursor, "base64url").toString()) as { at?: unknown };
    return Number.isInteger(at) && (at as number) >= 0 ? (at as number) : null;
  } catch {
    return null;
  }
}
