import { routes } from "@hypecast/contracts/api.ts";
import { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { SystemState } from "@hypecast/contracts/push.ts";
import type { z } from "zod";
import type { Answers } from "../answers.ts";
import type { Ask } from "../ask.ts";
import type { Channels } from "../channels.ts";
import type { Clips } from "../clips.ts";
import type { Layouts } from "../layouts.ts";
import type { KeptVideo } from "../media/kept.ts";
import type { Moments } from "../moments.ts";
import type { VideoStates } from "../video-states.ts";
import type { Vods } from "../vods.ts";
import type { Webhooks } from "../webhooks/webhooks.ts";

/** Every route of the gateway: of channels, and of streams whose time has passed. */
export const apiRoutes = { ...routes, ...vodRoutes } as const;
export type RouteName = keyof typeof apiRoutes;

/** What the routes are answered from. */
export interface Parts {
  readonly channels: Channels;
  readonly ask: Ask;
  readonly system: () => SystemState;
  readonly videoStates: VideoStates;
  readonly kept: KeptVideo;
  readonly moments: Moments;
  readonly layouts: Layouts;
  readonly clips: Clips;
  readonly vods: Vods;
  readonly answers: Answers;
  readonly webhooks: Webhooks;
  /** May an address of a channel's picture be a file of this machine? */
  readonly filesAllowed: boolean;
}

export type Input<Name extends RouteName> = {
  params: z.output<(typeof apiRoutes)[Name]["params"]>;
  query: z.output<(typeof apiRoutes)[Name]["query"]>;
  body: z.output<(typeof apiRoutes)[Name]["body"]>;
};
/** A file to be kept by the browser, for routes that have `types`. */
export class FileAnswer {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  constructor(name: string, type: string, text: string) {
    this.name = name;
    this.type = type;
    this.text = text;
  }
}
type Answer<Name extends RouteName> = z.output<(typeof apiRoutes)[Name]["result"]> | string | FileAnswer;
/** What a route does with its checked input. A string is JSON already. */
export type Handlers = {
  [Name in RouteName]: (input: Input<Name>) => Promise<Answer<Name>> | Answer<Name>;
};
