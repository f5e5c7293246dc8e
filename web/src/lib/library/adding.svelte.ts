import type { Problem } from "@hypecast/contracts/api.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { problemOf } from "../live/api.ts";
import { streams } from "../vod/streams.svelte.ts";
import type { Kind } from "./given.ts";
import { FilePart, type KeptPart } from "./upload.svelte.ts";

const KEPT = "hypecast.uploads";
/** Files on their way at once; more would only make each slower. */
const MOST_SENDING = 2;
/** Drafts that a reload finds again. */
const MOST_KEPT = 50;

/** A stream that files go to, rather than a new one. */
export interface Target {
  id: string;
  title: string;
  /** `add`: to what it has; `replace`: in its place. */
  as: "add" | "replace";
}
interface KeptDraft {
  id: string;
  title: string;
  url: string | null;
  target: Target | null;
  parts: KeptPart[];
}

/** A stream on its way here: files being sent, then the one call that begins its import. */
export class Draft {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly target: Target | null;
  readonly parts: readonly FilePart[];
  /** `here`: the very same was imported before, and nothing was begun. */
  state = $state<"sending" | "asking" | "refused" | "here">("sending");
  stream = $state.raw<Vod | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly bytes = $derived.by(() => this.parts.reduce((sum, { bytes }) => sum + bytes, 0));
  readonly sent = $derived.by(() => this.parts.reduce((sum, { sent }) => sum + sent, 0));
  readonly name = $derived.by(() => this.title || this.parts[0]?.name || this.url || "");

  constructor({ id, title, url, target }: Omit<KeptDraft, "parts">, parts: readonly FilePart[]) {
    this.id = id;
    this.title = title;
    this.url = url;
    this.target = target;
    this.parts = parts;
  }
}

export interface Wish {
  title?: string;
  url?: string | null;
  chat?: File | null;
  video?: File | null;
  target?: Target | null;
}

/** Everything that is being added. It outlives the library's page: one can look elsewhere while a file is sent. */
class Adding {
  drafts = $state.raw<readonly Draft[]>([]);
  /** Names of files by their uploads: an import says its own only when it begins. */
  readonly #names = new Map<string, string>();
  #counter = 0;

  constructor() {
    this.drafts = read().map(
      (kept) =>
        new Draft(
          kept,
          kept.parts.map((part) => new FilePart(part.kind, part)),
        ),
    );
  }

  begin({ title = "", url = null, chat = null, video = null, target = null }: Wish): Draft {
    const parts = [
      ...(chat === null ? [] : [new FilePart("chat", chat)]),
      ...(video === null ? [] : [new FilePart("video", video)]),
    ];
    const draft = new Draft({ id: `${Date.now()}-${++this.#counter}`, title, url, target }, parts);
    this.drafts = [draft, ...this.drafts];
    this.go();
    return draft;
  }

  /** Starts what waits and has a place, and asks for imports of what has arrived. */
  go(): void {
    const parts = this.drafts.flatMap((draft) => draft.parts);
    let sending = parts.filter(({ state }) => state === "sending" || state === "lost").length;
    for (const part of parts) {
      if (part.state !== "waiting" || sending >= MOST_SENDING) continue;
      sending += 1;
      void part.start(() => this.go());
    }
    for (const draft of this.drafts)
      if (draft.state === "sending" && draft.parts.every(({ state }) => state === "done"))
        void this.ask(draft);
    this.#keep();
  }

  async ask(draft: Draft): Promise<void> {
    draft.state = "asking";
    draft.problem = null;
    for (const { uploadId, name } of draft.parts) if (uploadId !== null) this.#names.set(uploadId, name);
    const of = (kind: Kind): string | null =>
      draft.parts.find((part) => part.kind === kind)?.uploadId ?? null;
    const [chatUpload, videoUpload] = [of("chat"), of("video")];
    try {
      if (draft.target?.as === "add") {
        await streams.change(draft.target.id, {
          ...(chatUpload === null ? {} : { chatUpload }),
          ...(videoUpload === null ? {} : { videoUpload }),
        });
      } else {
        const { stream, existing } = await streams.add({
          url: draft.url,
          chatUpload,
          videoUpload,
          title: draft.title,
          replaces: draft.target?.id ?? null,
        });
        if (existing) {
          draft.stream = stream;
          draft.state = "here";
          this.#keep();
          return;
        }
      }
      this.#forget(draft);
    } catch (error) {
      draft.problem = problemOf(error);
      draft.state = "refused";
      this.#keep();
    }
  }

  nameOf({ chatUpload, videoUpload }: Vod["source"]): string | undefined {
    return this.#names.get(chatUpload ?? "") ?? this.#names.get(videoUpload ?? "");
  }

  pause(draft: Draft): void {
    for (const part of draft.parts) part.pause();
    this.go();
  }
  resume(draft: Draft): void {
    if (draft.state === "refused") {
      void this.ask(draft);
      return;
    }
    for (const part of draft.parts)
      if (part.state === "paused" || part.state === "failed") part.state = "waiting";
    this.go();
  }
  /** The file that a reload has lost; false: it is another one. */
  give(draft: Draft, file: File): boolean {
    const found = draft.parts.some((part) => part.state === "missing" && part.give(file));
    if (found) this.go();
    return found;
  }
  drop(draft: Draft): void {
    this.#forget(draft);
    for (const part of draft.parts) void part.drop();
    this.go();
  }

  #forget(draft: Draft): void {
    this.drafts = this.drafts.filter((other) => other !== draft);
    this.#keep();
  }

  #keep(): void {
    const kept = this.drafts
      .filter(({ state, parts }) => state !== "here" && parts.length > 0)
      .slice(0, MOST_KEPT)
      .map(({ id, title, url, target, parts }): KeptDraft => ({
        id,
        title,
        url,
        target,
        parts: parts.map((part) => part.kept()),
      }));
    try {
      if (kept.length === 0) localStorage.removeItem(KEPT);
      else localStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // Storage is off or full: a reload then begins anew.
    }
  }

  /** How far it is changes all the time; it is noted when the page goes away. */
  readonly leaving = (): void => this.#keep();
}

function read(): KeptDraft[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? (kept as KeptDraft[]).filter((draft) => Array.isArray(draft.parts)) : [];
  } catch {
    return [];
  }
}

export const adding = new Adding();
