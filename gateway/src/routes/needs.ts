import type { Role } from "@hypecast/contracts/account.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import { namedChannel } from "@hypecast/contracts/wanted.ts";
import { loginsOf } from "../clips.ts";
import { ProblemError } from "../problems.ts";
import type { DeclaredRoutes, Parts, RouteInput } from "./handlers.ts";

type DeclaredName = keyof DeclaredRoutes;
type Known = Pick<Parts, "roles" | "clips" | "answers">;
/**
 * What a route needs of whoever asks: a role in the channel (or imported stream) that `{login}` names, or
 * `anybody` who has come in · `somebody` with a role somewhere · `crew` of the installation · `operator` · a look at what was asked for.
 * A look throws ProblemError forbidden. Lists that are open to anybody show each only what is theirs (routes/*.ts).
 */
type Need<Name extends DeclaredName> =
  | "anybody"
  | "somebody"
  | "crew"
  | "operator"
  | ((known: Known, person: Person, input: RouteInput<Name>) => void)
  | (RouteInput<Name>["params"] extends { login: string } ? Role : never);

const ofClip =
  (needed: Role) =>
  ({ roles, clips }: Known, person: Person, { params: { id } }: { params: { id: string } }): void => {
    const clip = clips.get(id);
    // One that is not there is said to be so by the route.
    for (const login of loginsOf(clip)) roles.authorise(person, login, needed);
  };
const ofStream =
  (needed: Role) =>
  ({ roles }: Known, person: Person, { params: { id } }: { params: { id: string } }): void =>
    roles.authorise(person, id, needed);
const ofAnswer = (known: Known, person: Person, { params: { id } }: { params: { id: string } }): void =>
  authoriseAnswer(known, person, id);

/** An answer tells of every place that was looked through for it. */
export function authoriseAnswer({ roles, answers }: Known, person: Person, id: string): void {
  const answer = answers.get(id);
  if (answer === null) return;
  if (answer.within.length === 0) roles.authoriseOperator(person);
  for (const { channelId } of answer.within) roles.authoriseChannel(person, channelId, "analyst");
}

/** A task is an import or a clip that is rendered. */
export function authoriseTask({ roles, clips }: Omit<Known, "answers">, person: Person, id: string): void {
  const clip = clips.get(id);
  for (const login of clip === null ? [id] : loginsOf(clip)) roles.authorise(person, login, "analyst");
}

export const NEEDS: { readonly [Name in DeclaredName]: Need<Name> } = {
  listChannels: "anybody",
  addChannel({ roles }, person, { body }) {
    const named = namedChannel(body.channel);
    if (person.kind !== "twitch" || named === null) return;
    // Their own channel on Twitch; a channel of video alone has no broadcaster that anybody could know.
    if (!named.chat || body.chat === false) roles.authoriseOperator(person);
    roles.authorise(person, named.login, "broadcaster");
  },
  getChannel: "analyst",
  changeChannel: "broadcaster",
  removeChannel: "broadcaster",
  channelExtent: "analyst",
  channelWindows: "analyst",
  channelHeatmap: "analyst",
  channelBursts: "analyst",
  channelEmotes: "analyst",
  channelMoment: "analyst",
  channelForecasts: "analyst",
  channelForecastRecord: "analyst",
  channelSparklines: "anybody",
  channelVideo: "analyst",
  channelShots: "analyst",
  channelAudio: "analyst",
  channelMoments: "analyst",
  decideMoment: "moderator",
  markMoment: "moderator",
  channelMarkers: "analyst",
  channelChat: "analyst",
  getLayout: "analyst",
  changeLayout: "moderator",
  makeClip: ({ roles }, person, { body }) => roles.authorise(person, body.login, "moderator"),
  listClips: "anybody",
  getClip: ofClip("analyst"),
  changeClip: ofClip("moderator"),
  removeClip: ofClip("moderator"),
  system: "somebody",

  addStream: "crew",
  listStreams: "anybody",
  getStream: ofStream("analyst"),
  changeStream: ofStream("moderator"),
  removeStream: ofStream("moderator"),
  taskStatus: (known, person, { params }) => authoriseTask(known, person, params.task_id),
  search: "somebody",
  ask: "somebody",
  getAnswer: ofAnswer,
  judgeAnswer: ofAnswer,
  stopAnswer: ofAnswer,
  render({ roles }, person, { body }) {
    for (const { stream } of body.parts) roles.authorise(person, stream, "moderator");
  },
  // They are told of everything that becomes ready.
  listWebhooks: "operator",
  addWebhook: "operator",
  removeWebhook: "operator",

  modDesk: "moderator",
  modCases: "moderator",
  modCase: "moderator",
  modContext: "moderator",
  modUser: "moderator",
  modClaim: "moderator",
  modAct: "moderator",
  modChannelAct: "moderator",
  modUndo: "moderator",
  modComment: "moderator",
  modLog: "moderator",
  modVerify: "moderator",
  modEffect: "moderator",
  modPolicy: "moderator",
  // What is consent in it, its own handler asks of the broadcaster.
  changeModPolicy: "moderator",
  previewAllow: "moderator",
  modReport: "analyst",
  modGrants: "moderator",
  grantRole: "broadcaster",

  me: "anybody",
  disconnect: "anybody",
  // Whose they are, their own handlers look at.
  privacy: "anybody",
  optOut: "anybody",
  erase: "anybody",
  erasure: "anybody",
};

/** Throws ProblemError forbidden unless the person may. To be asked before anything is done or told. */
export function authoriseRoute(known: Known, person: Person, name: DeclaredName, input: unknown): void {
  // Each function takes the input of its own route, which has been checked by that route's schema.
  const need = NEEDS[name] as Role | "anybody" | "somebody" | "crew" | "operator" | Look;
  const { roles } = known;
  if (typeof need === "function") return need(known, person, input);
  switch (need) {
    case "anybody":
      return;
    case "somebody":
      if (person.kind === "twitch" && roles.placesOf(person).length === 0)
        throw new ProblemError("forbidden", "this needs a role in one of the channels here");
      return;
    case "crew":
      return roles.authoriseCrew(person);
    case "operator":
      return roles.authoriseOperator(person);
    default:
      return roles.authorise(person, (input as RouteInput<"getChannel">).params.login, need);
  }
}
type Look = (known: Known, person: Person, input: unknown) => void;
