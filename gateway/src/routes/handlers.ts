import { routes } from "@hypecast/contracts/api.ts";
import { accountRoutes, modRoutes } from "@hypecast/contracts/api-mod.ts";
import { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import type { Journal } from "@hypecast/runtime/journal.ts";
import type { SystemState } from "@hypecast/contracts/push.ts";
import type { z } from "zod";
import type { Answers } from "../answers.ts";
import type { PiecesBody } from "../http.ts";
import type { Mod } from "../mod/mod.ts";
import type { Ask } from "../ask.ts";
import type { Channels } from "../channels.ts";
import type { Clips } from "../clips.ts";
import type { Layouts } from "../layouts.ts";
import type { KeptVideo } from "../media/kept.ts";
import type { Moments } from "../moments.ts";
import type { Privacy } from "../privacy/privacy.ts";
import type { Roles } from "../roles.ts";
import type { Accounts } from "../sign-in/accounts.ts";
import type { Disconnect } from "../sign-in/disconnect.ts";
import type { VideoStates } from "../video-states.ts";
import type { Vods } from "../vods.ts";
import type { Webhooks } from "../webhooks/webhooks.ts";

/** Every route of the contract: of channels, of streams whose time has passed, of moderators, and of a person's own account. */
export type DeclaredRoutes = typeof routes & typeof vodRoutes & typeof modRoutes & typeof accountRoutes;
/** Those of them that the gateway answers. */
export const apiRoutes = {
  ...routes,
  ...vodRoutes,
  ...modRoutes,
  ...accountRoutes,
} as const;
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
  readonly mod: Mod;
  readonly roles: Roles;
  readonly accounts: Accounts;
  /** How people come in. */
  readonly signIn: "none" | "token" | "twitch";
  readonly disconnect: Disconnect;
  readonly journal: Pick<Journal, "append">;
  readonly privacy: Privacy;
  /** May an address of a channel's picture be a file of this machine? */
  readonly filesAllowed: boolean;
}

export type RouteInput<Name extends keyof DeclaredRoutes> = {
  params: z.output<DeclaredRoutes[Name]["params"]>;
  query: z.output<DeclaredRoutes[Name]["query"]>;
  body: z.output<DeclaredRoutes[Name]["body"]>;
};
/** `person` has been authorised for what `needs.ts` says of the route; for anything else in it the handler asks `roles`. */
export type Input<Name extends RouteName> = RouteInput<Name> & { readonly person: Person };
/** A file to be kept by the browser, for routes that have `types`. */
export class FileAnswer {
  readonly name: string;
  readonly type: string;
  readonly text: string | PiecesBody;
  constructor(name: string, type: string, text: string | PiecesBody) {
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
