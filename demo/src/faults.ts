export type DemoProvider = "bttv" | "ffz" | "7tv" | "helix" | "images";
export const DEMO_PROVIDERS: readonly DemoProvider[] = ["bttv", "ffz", "7tv", "helix", "images"];

/** `limited`: 429 · `busy`: 409 · `error`: 500 · the two last: no answer, with the deed done or not. */
export const MODERATION_FAULTS = [
  "limited",
  "busy",
  "error",
  "done_unanswered",
  "undone_unanswered",
] as const;
export interface ModerationFault {
  readonly mode: (typeof MODERATION_FAULTS)[number];
  /** Calls that change something, until it is over. */
  count: number;
  /** Of `limited`: when the bucket is full again. */
  readonly resetMs: number;
}

/** What goes wrong on purpose. All off at the start; set through the control endpoint or by a test. */
export interface Faults {
  /** IRC connections stay open and silent until then (wall clock). */
  frozenUntilMs: number;
  /** Added to every tmi-sent-ts. */
  clockShiftMs: number;
  /** `down`: the connection is cut; `error`: 503; `slow`: the answer takes `slowMs`; `garbage`: 200 with something that is no JSON. */
  readonly providers: Map<
    DemoProvider,
    { mode: "down" | "error" | "slow" | "garbage"; untilMs: number; slowMs: number }
  >;
  /** Emotes added to every channel set of a provider. */
  readonly extraEmotes: Map<DemoProvider, number>;
  /** By emote id: 50 MB of PNG, a page of HTML, nothing, or a PNG that ends in its middle. */
  readonly images: Map<string, "huge" | "html" | "missing" | "truncated">;
  /** What a JOIN is answered with. */
  readonly channels: Map<string, "suspended" | "banned" | "renamed" | "silent">;
  /** Every login is refused, as with a revoked token. */
  refuseLogin: boolean;
  moderation: ModerationFault | null;
  /** User ids of accounts that are gone from Twitch. */
  readonly gone: Set<string>;
}

export const noFaults = (): Faults => ({
  frozenUntilMs: 0,
  clockShiftMs: 0,
  providers: new Map(),
  extraEmotes: new Map(),
  images: new Map(),
  channels: new Map(),
  refuseLogin: false,
  moderation: null,
  gone: new Set(),
});

/** What a proxy, a bad router or a stranger might put on the line. Some have a channel, all are wrong. */
export const malformedLines = (channel: string): readonly (string | Buffer)[] => [
  "",
  "   ",
  ":",
  "@",
  "@ :",
  "@badges= ",
  "@id=;tmi-sent-ts=abc;user-id= :x!x@x.tmi.twitch.tv PRIVMSG",
  `@id=1;room-id=;tmi-sent-ts=99999999999999999999 :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :far future`,
  `@id=2;room-id=1;tmi-sent-ts=-5;emotes=25:4-0,99-3,a-b :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :bad emotes`,
  `:x!x@x.tmi.twitch.tv PRIVMSG #${channel} :no tags at all`,
  `@display-name=\\;color=\\: PRIVMSG #${channel} :no prefix`,
  ":tmi.twitch.tv NOTICE",
  `@msg-id=unheard_of :tmi.twitch.tv NOTICE #${channel}`,
  ":tmi.twitch.tv FROBNICATE one two :three",
  `@target-msg-id= :tmi.twitch.tv CLEARMSG #${channel}`,
  `:tmi.twitch.tv CLEARCHAT`,
  `@msg-id=raid;msg-param-viewerCount=-1 :tmi.twitch.tv USERNOTICE #${channel}`,
  `@id=3;${"x=y;".repeat(16_000)}tmi-sent-ts=1 :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :64 KB of tags`,
  `@id=4;tmi-sent-ts=1 :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :${"a".repeat(65_536)}`,
  Buffer.concat([
    Buffer.from(`@id=5;tmi-sent-ts=1 :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :broken `),
    Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]),
  ]),
  `@id=6;tmi-sent-ts=1 :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :\u0000nul\u0000`,
  `@id=7;tmi-sent-ts=1 :x!x@x.tmi.twitch.tv PRIVMSG #${channel} :\u0001ACTION never ends`,
];
