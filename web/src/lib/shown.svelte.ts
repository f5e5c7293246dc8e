/** What the page on screen tells the top bar. */
class Shown {
  /** Age of the shown channel's data; null where there is none. */
  ageMs = $state<number | null>(null);
  /** Marks this moment; null where nothing can be marked. */
  mark = $state.raw<(() => void) | null>(null);
}
export const shown = new Shown();
