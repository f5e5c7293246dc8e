import { defineFold } from "./fold.ts";

export interface HypeState {
  readonly channelId: string;
}

export const hype = defineFold<HypeState>({
  name: "hype",
  says: "Hype 0–100 of a channel relative to its own past, every 5 s",
  version: 1,
  initial: (channelId) => ({ channelId }),
  step() {},
  save: () => new Uint8Array(),
  load: (channelId) => ({ channelId }),
});
