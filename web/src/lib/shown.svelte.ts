import type { Snippet } from "svelte";

/** What the page on screen tells the frame around it. */
class Shown {
  /** Age of the shown channel's data; null where there is none. */
  ageMs = $state<number | null>(null);
  /** Marks this moment; null where nothing can be marked. */
  mark = $state.raw<(() => void) | null>(null);
  /** Stands in the top bar in place of the channel: a page about a stream says which. */
  head = $state.raw<Snippet | null>(null);
  /** Stands in the top bar beside the channel, in place of the stream's title. */
  beside = $state.raw<Snippet | null>(null);
  /** Critical cases that wait on the moderator's screen; null: it is not open. */
  critical = $state<number | null>(null);
  /** Where `/` leads on this page; null: to the choice of channels. */
  search = $state.raw<{ word: () => string; focus: () => void } | null>(null);
  /** What `u` adds on this page, where nothing is there to be undone; null: nothing. */
  add = $state.raw<{ word: () => string; run: () => void } | null>(null);
}
export const shown = new Shown();
