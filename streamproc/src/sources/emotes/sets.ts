import { hash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ChannelState } from "@hypecast/contracts/channel.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { EmoteNames } from "./annotate.ts";
import { fetchSet, MOST_EMOTES, PROVIDERS, readEmote, type Emote, type Provider } from "./providers.ts";
import { followSevenTv, type SetChange } from "./seventv-events.ts";

const REFRESH_MS = { channel: 10 * 60_000, global: 60 * 60_000 };
const RETRY_MS = { first: 15_000, most: 10 * 60_000 };
/** Fetches at a time: a hundred channels at once would be impolite. */
const FETCHES = 4;
/** After a burst of changes the sets are fetched once. */
const SETTLE_MS = 3000;

const fetches = counter("emote_fetches_total", "Emote sets asked for, by provider and outcome", [
  "provider",
  "outcome",
]);

/** The third-party emotes that are in force in a channel, as of now. */
export interface ChannelEmotes {
  /** From now on this channel's sets are fetched and kept fresh; again after `forget`. */
  use(channelId: string): void;
  forget(channelId: string): void;
  /** Resolves when each of the channel's sets has been fetched or has failed once. */
  settled(channelId: string): Promise<void>;
  of(channelId: string): { readonly names: EmoteNames; readonly hash: string };
  states(channelId: string): ChannelState["emotes"];
  close(): void;
}

/** One provider's set of one channel, or its global one. */
interface EmoteSet {
  readonly provider: Provider;
  readonly channelId: string | null;
  emotes: Emote[];
  fetchedAtMs: number | null;
  error: string | null;
  follow: { setId: string; userId: string } | null;
  failures: number;
  timer: NodeJS.Timeout | null;
  busy: boolean;
  /** Fetched, or failed, in this run. */
  tried: boolean;
}

const kept = z.object({
  fetchedAtMs: z.int(),
  follow: z.object({ setId: z.string(), userId: z.string() }).nullable(),
  emotes: z.array(z.tuple([z.string(), z.string()])).max(MOST_EMOTES),
});

/**
 * The order in which sets claim a name, first wins: a channel's own before global ones, providers as Chatterino has them.
 */
const PRECEDENCE = ["ffz", "bttv", "7tv"] as const satisfies readonly Provider[];

/** Names to refs of a channel and the hash of all of them, from its sets in order of precedence. */
export function mergeSets(sets: readonly { provider: Provider; emotes: readonly Emote[] }[]): {
  names: EmoteNames;
  hash: string;
} {
  const names = new Map<string, string>();
  for (const { provider, emotes } of sets)
    for (const [id, name] of emotes) if (!names.has(name)) names.set(name, `${provider}:${id}`);
  if (names.size === 0) return { names, hash: "" };
  const rows = [...names].map(([name, ref]) => `${name} ${ref}`).toSorted();
  return { names, hash: hash("sha1", rows.join("\n"), "hex").slice(0, 16) };
}

/**
 * Keeps the sets: fetched with retries, kept on disk, changed live by 7TV. A provider that is down costs nothing but freshness: the
 * last set serves, and its state says how old it is and why.
 */
export async function openEmotes(
  config: Config,
  log: Logger,
  dated: (atMs: number) => void,
): Promise<ChannelEmotes> {
  const folder = join(config.HYPECAST_DATA, "emotes");
  await mkdir(folder, { recursive: true });
  const sets = new Map<string, EmoteSet>();
  const merged = new Map<string, { names: EmoteNames; hash: string }>();
  const stop = new AbortController();
  const waiting: EmoteSet[] = [];
  let running = 0;

  const keyOf = (provider: Provider, channelId: string | null): string =>
    `${provider}-${channelId ?? "global"}`;

  const changed = (set: EmoteSet): void => {
    if (set.channelId === null) merged.clear();
    else merged.delete(set.channelId);
  };

  const open = (provider: Provider, channelId: string | null): void => {
    const key = keyOf(provider, channelId);
    if (sets.has(key)) return;
    const set: EmoteSet = {
      provider,
      channelId,
      emotes: [],
      fetchedAtMs: null,
      error: null,
      follow: null,
      failures: 0,
      timer: null,
      busy: false,
      tried: false,
    };
    sets.set(key, set);
    void begin(set, key);
  };

  const begin = async (set: EmoteSet, key: string): Promise<void> => {
    const last = await fromDisk(key);
    if (last !== null && set.fetchedAtMs === null) {
      set.emotes = last.emotes.filter(([id, name]) => readEmote(id, name) !== null);
      set.fetchedAtMs = last.fetchedAtMs;
      setFollow(set, last.follow);
      changed(set);
    }
    ask(set);
  };

  const fromDisk = async (key: string): Promise<z.infer<typeof kept> | null> => {
    try {
      const read = kept.safeParse(JSON.parse(await readFile(join(folder, `${key}.json`), "utf8")));
      return read.success ? read.data : null;
    } catch {
      return null;
    }
  };

  const toDisk = async (set: EmoteSet): Promise<void> => {
    const path = join(folder, `${keyOf(set.provider, set.channelId)}.json`);
    const { fetchedAtMs, follow, emotes } = set;
    try {
      // Whole or not at all, whenever the process dies.
      await writeFile(`${path}.${process.pid}`, JSON.stringify({ fetchedAtMs, follow, emotes }));
      await rename(`${path}.${process.pid}`, path);
    } catch (error) {
      log.warn({ err: error, path }, "cannot keep an emote set on disk");
    }
  };

  const ask = (set: EmoteSet): void => {
    if (set.timer !== null) clearTimeout(set.timer);
    set.timer = null;
    if (set.busy || stop.signal.aborted) return;
    set.busy = true;
    waiting.push(set);
    next();
  };

  const next = (): void => {
    while (running < FETCHES) {
      const set = waiting.shift();
      if (set === undefined) return;
      running++;
      void refresh(set).finally(() => {
        running--;
        next();
      });
    }
  };

  const refresh = async (set: EmoteSet): Promise<void> => {
    let wait = (set.channelId === null ? REFRESH_MS.global : REFRESH_MS.channel) * (0.9 + Math.random() / 5);
    try {
      const found = await fetchSet(config, set.provider, set.channelId, stop.signal);
      set.emotes = found.emotes;
      set.fetchedAtMs = Date.now();
      set.error = null;
      set.failures = 0;
      setFollow(set, found.follow);
      changed(set);
      if (found.dateMs !== null) dated(found.dateMs);
      fetches.inc({ provider: set.provider, outcome: "ok" });
      await toDisk(set);
    } catch (error) {
      set.error = sentence(error);
      wait =
        Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(set.failures++, 10)) *
        (0.5 + Math.random() / 2);
      fetches.inc({ provider: set.provider, outcome: "failed" });
      if (set.failures === 1 && !stop.signal.aborted)
        log.warn(
          { provider: set.provider, channelId: set.channelId, reason: set.error },
          "cannot fetch an emote set",
        );
    }
    set.busy = false;
    set.tried = true;
    if (!stop.signal.aborted && sets.get(keyOf(set.provider, set.channelId)) === set)
      set.timer = setTimeout(() => ask(set), wait);
  };

  const soon = (set: EmoteSet): void => {
    if (set.timer !== null) clearTimeout(set.timer);
    set.timer = setTimeout(() => ask(set), SETTLE_MS * (0.5 + Math.random()));
  };

  const live = followSevenTv(config.SEVENTV_EVENTS_URL, {
    changed(change) {
      for (const set of sets.values())
        if (set.follow?.setId === change.setId) {
          set.emotes = applyChange(set.emotes, change);
          changed(set);
          void toDisk(set);
        }
    },
    userChanged(userId) {
      for (const set of sets.values()) if (set.follow?.userId === userId) soon(set);
    },
    missed() {
      for (const set of sets.values()) if (set.follow !== null) soon(set);
    },
  });

  const setFollow = (set: EmoteSet, follow: EmoteSet["follow"]): void => {
    if (set.follow?.setId === follow?.setId && set.follow?.userId === follow?.userId) return;
    if (set.follow !== null) live.unfollow(set.follow.setId, set.follow.userId);
    set.follow = follow;
    if (follow !== null) live.follow(follow.setId, follow.userId);
  };

  for (const provider of PROVIDERS) open(provider, null);

  return {
    use(channelId) {
      for (const provider of PROVIDERS) open(provider, channelId);
    },
    forget(channelId) {
      merged.delete(channelId);
      for (const provider of PROVIDERS) {
        const key = keyOf(provider, channelId);
        const set = sets.get(key);
        if (set === undefined) continue;
        if (set.timer !== null) clearTimeout(set.timer);
        setFollow(set, null);
        sets.delete(key);
      }
    },
    async settled(channelId) {
      const waitFor = [...sets.values()].filter(
        (set) => set.channelId === null || set.channelId === channelId,
      );
      while (waitFor.some((set) => !set.tried) && !stop.signal.aborted) await sleep(20);
    },
    of(channelId) {
      let found = merged.get(channelId);
      if (found === undefined) {
        const ordered = [channelId, null].flatMap((scope) =>
          PRECEDENCE.flatMap((provider) => sets.get(keyOf(provider, scope)) ?? []),
        );
        found = mergeSets(ordered);
        merged.set(channelId, found);
      }
      return found;
    },
    states: (channelId) =>
      PROVIDERS.map((provider) => {
        const own = sets.get(keyOf(provider, channelId));
        const global = sets.get(keyOf(provider, null));
        return {
          provider,
          emotes: (own?.emotes.length ?? 0) + (global?.emotes.length ?? 0),
          fetchedAtMs: own?.fetchedAtMs ?? null,
          error: own?.error ?? global?.error ?? null,
        };
      }),
    close() {
      stop.abort();
      live.close();
      for (const set of sets.values()) if (set.timer !== null) clearTimeout(set.timer);
    },
  };
}

/** The set after a change. Removing what is not there and adding what is there already change nothing. */
export function applyChange(emotes: readonly Emote[], { removed, added }: SetChange): Emote[] {
  const same = (a: Emote, b: Emote): boolean => a[0] === b[0] && a[1] === b[1];
  const left = emotes.filter((emote) => !removed.some((gone) => same(gone, emote)));
  for (const emote of added)
    if (left.length < MOST_EMOTES && !left.some((there) => same(there, emote))) left.push(emote);
  return left;
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "did not answer in time";
  const { cause } = error;
  return cause instanceof Error && error.message === "fetch failed" ? cause.message : error.message;
}
