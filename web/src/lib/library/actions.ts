import type { Vod } from "@hypecast/contracts/vod.ts";
import { problemOf } from "../live/api.ts";
import { m } from "../paraglide/messages.js";
import { toast } from "../toasts.svelte.ts";
import type { StreamStore } from "../vod/streams.svelte.ts";
import type { Kind } from "./given.ts";
import { titleOf, whyNot } from "./words.ts";

/** What a person does to a stream, each with its answer. */
export interface StreamActions {
  rename(stream: Vod, title: string): Promise<void>;
  cancel(stream: Vod): Promise<void>;
  retry(stream: Vod): Promise<void>;
  /** Asks first: it says what goes and what stays. */
  remove(stream: Vod): void;
  addFile(stream: Vod, kind: Kind): void;
  replace(stream: Vod): void;
  /** Lines that could not be read, and what else a person should know. */
  details(stream: Vod): void;
}

const refused = (error: unknown): void => toast(m.not_done({ why: whyNot(problemOf(error)) }));

export const streamActions = (
  streams: StreamStore,
  asked: Pick<StreamActions, "remove" | "addFile" | "replace" | "details">,
): StreamActions => ({
  ...asked,
  async rename(stream, title) {
    const was = stream.title;
    if (title === "" || title === titleOf(stream)) return;
    await streams.change(stream.id, { title }).then(
      () =>
        toast(
          m.renamed(),
          was === ""
            ? undefined
            : {
                word: m.undo(),
                run: () => void streams.change(stream.id, { title: was }).catch(refused),
              },
        ),
      refused,
    );
  },
  async cancel(stream) {
    await streams.change(stream.id, { job: "cancel" }).then(
      () =>
        toast(m.import_cancelled(), {
          word: m.undo(),
          run: () => void streams.change(stream.id, { job: "retry" }).catch(refused),
        }),
      refused,
    );
  },
  async retry(stream) {
    await streams.change(stream.id, { job: "retry" }).catch(refused);
  },
});

/** Deleting is asked about and then done at once: there is nothing to take back. */
export async function removeNow(streams: StreamStore, stream: Vod): Promise<void> {
  try {
    await streams.hide(stream.id).really();
    toast(m.stream_removed({ title: titleOf(stream) }));
  } catch (error) {
    refused(error);
  }
}
