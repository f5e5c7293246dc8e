import type { Mood } from "@hypecast/contracts/moods.ts";
import type { Chatter } from "./chatters.ts";

/** One thing that the chat server says, `atMs` after the start of the loop. `n` numbers them within the loop. */
export type ChatEvent =
  | Said
  | Announced
  | Moderated
  | RoomChanged
  | Warned
  | Held
  | Decided
  | Suspicious
  | UnbanAsked;

export interface Said {
  readonly type: "message";
  n: number;
  atMs: number;
  readonly who: Chatter;
  /** `{attempt}` stands for the number of the run. */
  text: string;
  readonly action: boolean;
  readonly bits: number;
  readonly firstMessage: boolean;
  readonly replyTo: Said | null;
  /** Id of the stream event that caused it; null: ordinary chat. */
  readonly cause: string | null;
  /** What its author feels, where they show it by an emote or a plain word: for the truth only. */
  readonly mood: Mood | null;
}

/** USERNOTICE. */
export interface Announced {
  readonly type: "notice";
  n: number;
  atMs: number;
  readonly who: Chatter;
  readonly kind: "sub" | "resub" | "subgift" | "submysterygift" | "raid" | "announcement";
  /** `msg-param-*`, without the prefix, not yet escaped. */
  readonly params: Readonly<Record<string, string>>;
  readonly system: string;
  readonly text: string;
  readonly cause: string | null;
}

/** CLEARCHAT (timeout, ban) and CLEARMSG (delete) against one message's author. */
export interface Moderated {
  readonly type: "timeout" | "ban" | "delete";
  n: number;
  atMs: number;
  readonly target: Said;
  readonly durationS: number;
  readonly by: Chatter;
  readonly reason: string;
}

/** What moderators hear of over EventSub alone. */
export interface Warned {
  readonly type: "warn";
  n: number;
  atMs: number;
  readonly target: Said;
  readonly by: Chatter;
  readonly reason: string;
}
/** AutoMod holds a line: chat does not see it until somebody lets it through. */
export interface Held {
  readonly type: "hold";
  n: number;
  atMs: number;
  readonly who: Chatter;
  readonly text: string;
  readonly category: string;
  readonly level: number;
  readonly span: readonly [number, number];
}
export interface Decided {
  readonly type: "decide";
  n: number;
  atMs: number;
  readonly held: Held;
  readonly by: Chatter;
  readonly status: "approved" | "denied";
}
/** Twitch thinks that the author is somebody who was banned. */
export interface Suspicious {
  readonly type: "suspicious";
  n: number;
  atMs: number;
  readonly target: Said;
}
export interface UnbanAsked {
  readonly type: "unban_request";
  n: number;
  atMs: number;
  readonly who: Chatter;
  readonly text: string;
}

export interface RoomChanged {
  readonly type: "room";
  n: number;
  atMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly notice: { readonly id: string; readonly text: string };
}
