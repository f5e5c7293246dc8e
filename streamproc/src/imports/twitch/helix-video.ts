import { z } from "zod";
import { LOGIN } from "@hypecast/contracts/login.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import { ImportFailure } from "../chat/failure.ts";
import { secondsOf } from "../chat/dialects/own.ts";

const TIMEOUT_MS = 10_000;

export type HelixSettings = Pick<
  Config,
  "TWITCH_CLIENT_ID" | "TWITCH_CLIENT_SECRET" | "TWITCH_HELIX_URL" | "TWITCH_ID_URL"
>;

/** What Twitch says about a video: https://dev.twitch.tv/docs/api/reference/#get-videos */
export interface TwitchVideo {
  readonly id: string;
  readonly title: string;
  readonly broadcaster: { readonly id: string; readonly login: string | null; readonly name: string };
  /** When the stream began: offset 0 of an archive. Of a highlight or an upload it is no time of the stream. */
  readonly startMs: number | null;
  readonly durationS: number;
  /** Seconds whose sound Twitch has taken out. */
  readonly muted: readonly { readonly fromS: number; readonly toS: number }[];
}

const token = z.object({ access_token: z.string() });
const videos = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      user_id: z.string(),
      user_login: z.string(),
      user_name: z.string(),
      title: z.string(),
      created_at: z.string(),
      type: z.string(),
      duration: z.string(),
      viewable: z.string().optional(),
      muted_segments: z.array(z.object({ offset: z.number(), duration: z.number() })).nullish(),
    }),
  ),
});

/** Null: no application is configured, and nothing is known. Throws ImportFailure: not_found, unreachable. */
export async function helixVideo(
  settings: HelixSettings,
  id: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<TwitchVideo | null> {
  if (settings.TWITCH_CLIENT_ID === "" || settings.TWITCH_CLIENT_SECRET === "") return null;
  const within = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let answer: Response;
  try {
    const given = await fetch(`${settings.TWITCH_ID_URL}/token`, {
      method: "POST",
      signal: within(),
      body: new URLSearchParams({
        client_id: settings.TWITCH_CLIENT_ID,
        client_secret: settings.TWITCH_CLIENT_SECRET,
        grant_type: "client_credentials",
      }),
    });
    if (!given.ok)
      throw unreachable(
        `Twitch gave no application token (HTTP ${given.status}).`,
        "Check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET.",
      );
    answer = await fetch(`${settings.TWITCH_HELIX_URL}/videos?id=${encodeURIComponent(id)}`, {
      signal: within(),
      headers: {
        "client-id": settings.TWITCH_CLIENT_ID,
        authorization: `Bearer ${token.parse(await given.json()).access_token}`,
      },
    });
    if (answer.status === 404 || answer.status === 400) throw notFound(id);
    if (!answer.ok) throw unreachable(`Twitch answered HTTP ${answer.status}.`, "Try again later.");
    const found = videos.parse(await answer.json()).data.find((video) => video.id === id);
    if (found === undefined) throw notFound(id);
    const startMs = Date.parse(found.created_at);
    const login = found.user_login.toLowerCase();
    return {
      id,
      title: found.title,
      broadcaster: { id: found.user_id, login: LOGIN.test(login) ? login : null, name: found.user_name },
      startMs: found.type === "archive" && !Number.isNaN(startMs) ? startMs : null,
      durationS: secondsOf(found.duration) || 0,
      muted: (found.muted_segments ?? []).map(({ offset, duration }) => ({
        fromS: offset,
        toS: offset + duration,
      })),
    };
  } catch (error) {
    if (error instanceof ImportFailure || signal.aborted) throw error;
    const why = error instanceof z.ZodError ? "it answered in a form that is not known" : String(error);
    throw unreachable(`Twitch cannot be asked about the video: ${why.slice(0, 200)}.`, "Try again later.");
  }
}

const notFound = (id: string): ImportFailure =>
  new ImportFailure(
    "not_found",
    `Twitch has no video ${id}: it was deleted, has expired, or never was.`,
    "Check the link, or upload the chat and the video as files.",
  );
const unreachable = (detail: string, action: string): ImportFailure =>
  new ImportFailure("unreachable", detail, action);
