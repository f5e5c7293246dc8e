import { LOGIN } from "@hypecast/contracts/login.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { idText, isObject, number, text, timeMs, type Json } from "./draft.ts";
import { secondsOf } from "./dialects/own.ts";

/** What the file says about the stream; what it does not say is null. */
export interface ChatFacts {
  readonly twitchId: string | null;
  readonly title: string | null;
  readonly broadcaster: Vod["broadcaster"];
  readonly game: string | null;
  readonly chapters: Vod["chapters"];
  /** Length as the file says it, in seconds. */
  readonly durationS: number | null;
}

/** What a file says of its stream, beside the messages. */
export interface FoundFacts {
  readonly facts: ChatFacts;
  readonly startMs: number | null;
}

/**
 * Gathers the values that stand outside of the messages, by where they stand. `put` takes the path with dots and the JSON text, `chapter` an
 * object of `video.chapters`. The first that is said of a thing counts.
 */
export function gatherFacts(): {
  put(path: string, json: string): void;
  chapter(value: Json): void;
  /** A `.vod.json` beside the chat. */
  sidecar(value: Json): void;
  /** Whether the file has this key, or one below it. */
  saw(path: string): boolean;
  found(): FoundFacts;
} {
  const values = new Map<string, unknown>();
  const chapters: { atS: number; title: string }[] = [];
  const has = (...names: string[]): unknown => {
    for (const name of names) {
      const value = values.get(name);
      if (value !== undefined && value !== null && value !== "") return value;
    }
    return undefined;
  };
  const at = (...names: string[]): string[] =>
    names.flatMap((name) => [`video.${name}`, `data.video.${name}`, name]);

  return {
    saw: (path) => values.has(path) || [...values.keys()].some((key) => key.startsWith(`${path}.`)),
    put(path, json) {
      if (values.size >= 500 || values.has(path)) return;
      try {
        values.set(path, JSON.parse(json));
      } catch {
        // A value that is none says nothing.
      }
    },
    chapter(value) {
      if (chapters.length >= 500) return;
      const atS = number(value["startMilliseconds"]) / 1000;
      const title = text(value["gameDisplayName"]) || text(value["description"]);
      if (Number.isFinite(atS) && title !== "") chapters.push({ atS, title: title.slice(0, 200) });
    },
    sidecar(value) {
      for (const [key, one] of Object.entries(value))
        if (!values.has(key) && !isObject(one) && !Array.isArray(one)) values.set(key, one);
    },
    found() {
      const id = idText(has(...at("vod_id", "id", "_id"), "video.video_id", "content_id")).replace(/^v/, "");
      const title = text(has(...at("title")));
      const created = timeMs(
        has(...at("created_at", "createdAt", "recorded_at", "publishedAt", "published_at")),
      );
      const length = secondsOf(
        has("video.length", ...at("lengthSeconds", "duration", "length"), "video.end") ?? NaN,
      );
      const ownerId = idText(
        has("streamer.id", "video.user_id", "video.creator.id", "video.owner.id", "user_id"),
      );
      const login = text(
        has(
          "streamer.login",
          "video.user_login",
          "video.creator.login",
          "video.owner.login",
          "user_login",
          "video.channel.name",
        ),
      ).toLowerCase();
      const name = text(
        has(
          "streamer.name",
          "video.user_name",
          "video.creator.displayName",
          "video.owner.displayName",
          "user_name",
          "video.channel.display_name",
        ),
      );
      const game = text(has("video.game", "video.game.name", "video.game.displayName", "game"));
      const ownLogin = LOGIN.test(login) ? login : LOGIN.test(name.toLowerCase()) ? name.toLowerCase() : null;
      return {
        facts: {
          twitchId: /^\d{4,20}$/.test(id) ? id : null,
          title: title === "" ? null : title.slice(0, 500),
          broadcaster:
            ownerId === "" && name === "" && login === ""
              ? null
              : {
                  id: /^\d{1,20}$/.test(ownerId) ? ownerId : null,
                  login: ownLogin,
                  name: (name === "" ? (ownLogin ?? ownerId) : name).slice(0, 100),
                },
          game: game === "" || game === "Unknown" ? null : game.slice(0, 200),
          chapters: chapters.sort((a, b) => a.atS - b.atS),
          durationS: Number.isFinite(length) && length > 0 && length < 400_000 ? length : null,
        },
        startMs: Number.isNaN(created) ? null : created,
      };
    },
  };
}
