import type { Clip } from "@hypecast/contracts/clip.ts";
import { sharePath } from "@hypecast/contracts/media.ts";
import { problemOf } from "../live/api.ts";
import { m } from "../paraglide/messages.js";
import { problemWords } from "../text/problems.ts";
import { SHOWN_MS, toast } from "../toasts.svelte.ts";
import type { ClipStore } from "./store.svelte.ts";

/** What a person does to a clip, each with its answer. */
export interface ClipActions {
  cancel(clip: Clip): Promise<void>;
  retry(clip: Clip): Promise<void>;
  /** Makes the public page where there is none, and copies its address. */
  share(clip: Clip): Promise<void>;
  unshare(clip: Clip): Promise<void>;
  rename(clip: Clip, title: string): Promise<void>;
  remove(clip: Clip): void;
}

const refused = (error: unknown): void => toast(m.not_done({ why: problemWords(problemOf(error)) }));

export function clipActions(clips: ClipStore): ClipActions {
  return {
    cancel: async (clip) => {
      await clips.change(clip.id, { job: "cancel" }).then(
        () =>
          toast(m.clip_cancelled(), {
            word: m.undo(),
            run: () => void clips.change(clip.id, { job: "retry" }).catch(refused),
          }),
        refused,
      );
    },
    retry: async (clip) => {
      await clips.change(clip.id, { job: "retry" }).catch(refused);
    },
    async share(clip) {
      try {
        const shared = clip.shareToken === null ? await clips.change(clip.id, { shared: true }) : clip;
        if (shared.shareToken === null) return;
        const address = `${location.origin}${sharePath(shared.shareToken)}`;
        const copied = await navigator.clipboard.writeText(address).then(
          () => true,
          () => false,
        );
        toast(copied ? m.link_copied() : m.link_is({ address }), {
          word: m.unshare(),
          run: () => void clips.change(clip.id, { shared: false }).catch(refused),
        });
      } catch (error) {
        refused(error);
      }
    },
    async unshare(clip) {
      await clips.change(clip.id, { shared: false }).then(() => toast(m.unshared()), refused);
    },
    async rename(clip, title) {
      const was = clip.title;
      if (title === was) return;
      await clips.change(clip.id, { title }).then(
        () =>
          toast(m.renamed(), {
            word: m.undo(),
            run: () => void clips.change(clip.id, { title: was }).catch(refused),
          }),
        refused,
      );
    },
    /** Off the screen at once, off the disk when nobody has taken it back. */
    remove(clip) {
      const { really, back } = clips.hide(clip.id);
      const timer = setTimeout(() => void really().catch(refused), SHOWN_MS);
      toast(m.clip_removed(), {
        word: m.undo(),
        run: () => {
          clearTimeout(timer);
          back();
        },
      });
    },
  };
}
