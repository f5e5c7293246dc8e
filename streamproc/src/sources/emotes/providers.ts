import { z } from "zod";
import type { Config } from "@hypecast/runtime/config.ts";

export const PROVIDERS = ["bttv", "ffz", "7tv"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Sets of well over 1,000 emotes exist, 10,000 is no reason to refuse one; beyond this it is no emote set. */
export const MOST_EMOTES = 20_000;
/** A 7TV emote comes with all its files: 2 to 3 KB each. */
const MOST_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 15_000;

/** `[id, name]`: all that is needed to find an emote in a line and its picture. */
export type Emote = readonly [id: string, name: string];
export interface FetchedSet {
  emotes: Emote[];
  /** 7TV: the set and the user whose changes can be followed. */
  follow: { setId: string; userId: string } | null;
  /** The server's clock, from its answer. */
  dateMs: number | null;
}

const ID = /^[0-9A-Za-z_-]{1,64}$/;
/** A name is one word; control characters and separators would never match a word of a line. */
const NAME = /^[^\s\p{Cc}]{1,100}$/u;

/** An emote that is none (no id, a name with a space …) is left out; the rest of its set stays. */
export function readEmote(id: unknown, name: unknown): Emote | null {
  const text = typeof id === "number" ? String(id) : id;
  if (typeof text !== "string" || typeof name !== "string") return null;
  return ID.test(text) && NAME.test(name) ? [text, name] : null;
}

const list = z.array(z.unknown()).max(MOST_EMOTES, `more than ${MOST_EMOTES} emotes: not taken`);
const bttvChannel = z.object({ channelEmotes: list, sharedEmotes: list });
const ffz = z.object({
  default_sets: z.array(z.number()).optional(),
  sets: z.record(z.string(), z.object({ emoticons: list })),
});
const sevenSet = z.object({ id: z.string().optional(), emotes: list.optional() });
const sevenUser = z.object({
  emote_set: sevenSet.nullish(),
  user: z.object({ id: z.string() }).optional(),
});

/** What each provider's answer means. `channelId` null: the emotes that work everywhere. */
const sources: Record<
  Provider,
  {
    url(config: Config, channelId: string | null): string;
    read(body: unknown, channelId: string | null): Omit<FetchedSet, "dateMs">;
  }
> = {
  bttv: {
    url: (config, channelId) =>
      `${config.BTTV_API_URL}/cached/${channelId === null ? "emotes/global" : `users/twitch/${channelId}`}`,
    read(body, channelId) {
      if (channelId === null) return { emotes: emotesOf(list.parse(body), "code"), follow: null };
      const { channelEmotes, sharedEmotes } = bttvChannel.parse(body);
      return { emotes: emotesOf([...channelEmotes, ...sharedEmotes], "code"), follow: null };
    },
  },
  ffz: {
    url: (config, channelId) =>
      `${config.FFZ_API_URL}/${channelId === null ? "set/global" : `room/id/${channelId}`}`,
    read(body) {
      const { default_sets: defaults, sets } = ffz.parse(body);
      const used = defaults === undefined ? Object.values(sets) : defaults.map((id) => sets[String(id)]);
      return { emotes: used.flatMap((set) => emotesOf(set?.emoticons ?? [], "name")), follow: null };
    },
  },
  "7tv": {
    url: (config, channelId) =>
      `${config.SEVENTV_API_URL}/${channelId === null ? "emote-sets/global" : `users/twitch/${channelId}`}`,
    read(body, channelId) {
      if (channelId === null)
        return { emotes: emotesOf(sevenSet.parse(body).emotes ?? [], "name"), follow: null };
      const { emote_set: set, user } = sevenUser.parse(body);
      const follow = set?.id === undefined ? null : { setId: set.id, userId: user?.id ?? "" };
      return { emotes: emotesOf(set?.emotes ?? [], "name"), follow };
    },
  },
};

function emotesOf(items: readonly unknown[], name: "code" | "name"): Emote[] {
  const emotes: Emote[] = [];
  for (const item of items) {
    if (typeof item !== "object" || item === null) continue;
    const fields = item as Record<string, unknown>;
    const emote = readEmote(fields["id"], fields[name]);
    if (emote !== null) emotes.push(emote);
  }
  return emotes;
}

/**
 * Fetches one set. A channel that the provider does not know (404) has an empty one. Throws an Error whose message a person can
 * read: a timeout, a wrong status, an answer that is too large, no JSON, or of another shape.
 */
export async function fetchSet(
  config: Config,
  provider: Provider,
  channelId: string | null,
  signal: AbortSignal,
): Promise<FetchedSet> {
  const source = sources[provider];
  const answer = await fetch(source.url(config, channelId), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    headers: { accept: "application/json" },
    redirect: "error",
  });
  const date = Date.parse(answer.headers.get("date") ?? "");
  const dateMs = Number.isNaN(date) ? null : date;
  if (answer.status === 404 && channelId !== null) {
    await answer.body?.cancel();
    return { emotes: [], follow: null, dateMs };
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Error(`answered ${answer.status}`);
  }
  const body = await readBounded(answer);
  try {
    const set = source.read(JSON.parse(body), channelId);
    if (set.emotes.length > MOST_EMOTES) throw new Error(`more than ${MOST_EMOTES} emotes: not taken`);
    return { ...set, dateMs };
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error("the answer is no JSON", { cause: error });
    if (error instanceof z.ZodError)
      throw new Error(`the answer is not as expected: ${error.issues[0]?.message ?? ""}`, { cause: error });
    throw error;
  }
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES)
      throw new Error(`the answer is larger than ${MOST_BYTES / 1024 / 1024} MB: not taken`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
