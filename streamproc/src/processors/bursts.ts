import { defineFold } from "./fold.ts";

export interface BurstsState {
  readonly channelId: string;
}

export const bursts = defineFold<BurstsState>({
  name: "bursts",
  says: "An emote, a mood or the whole chat far above its own baseline; floods as kinds of their own",
  version: 1,
  initial: (channelId) => ({ channelId }),
  step() {},
  save: () => new Uint8Array(),
  load: (channelId) => ({ channelId }),
});
