/**
 * Final seconds of a channel as bursts see them: lines of known bots, commands, poll answers and copies in a flood are left
 * out. Handed from the burst fold to the hype fold.
 */
export interface Reaction {
  fromS: number;
  /** More than one second only in silence. */
  untilS: number;
  /** False: the source did not hear these seconds. */
  heard: boolean;
  /** True after a raid or gift bomb, while the chat greets: not a reaction to the stream. */
  greeting: boolean;
  /** All lines as counted, and those of them that react. */
  messages: number;
  lines: number;
  /** Reacting lines with an emote, in capitals, and by mood in the order of MOODS. */
  emoteLines: number;
  caps: number;
  moods: readonly number[];
  /** Who wrote: hashed ids, one a line, at most pane.ts's ROWS_BOUND. */
  users: readonly number[];
  /** … and who wrote a line that reacts. */
  reacting: readonly number[];
}
