import type { Mood } from "@hypecast/contracts/moods.ts";

export type Provider = "twitch" | "bttv" | "ffz" | "7tv";

/** One emote of the fictional world. `face` names its drawing in art.ts. */
export interface Emote {
  readonly name: string;
  readonly provider: Provider;
  readonly id: string;
  /** Channel login whose emote it is; null: global. */
  readonly channel: string | null;
  readonly mood: Mood | null;
  readonly face: string;
  /** Drawn over the emote before it. */
  readonly zeroWidth?: true;
}

const twitch = (
  name: string,
  id: string,
  channel: string | null,
  mood: Mood | null,
  face: string,
): Emote => ({
  name,
  provider: "twitch",
  id,
  channel,
  mood,
  face,
});
const own = (name: string, id: string, mood: Mood | null, face: string): Emote =>
  twitch(name, `emotesv2_${id}`, "pepel_lamp", mood, face);

/** Ids of Twitch's own globals are the real ones; every other id and every picture is made up. */
export const emotes: readonly Emote[] = [
  own("lampHA", "4c1d0b5e7a3f4e0c9b1a2d3c4e5f6071", "laugh", "lamp-laugh"),
  own("lampOH", "5d2e1c6f8b404f1d8c2b3e4d5f607182", "shock", "lamp-shock"),
  own("lampGO", "6e3f2d709c51402e9d3c4f5e60718293", "hype", "lamp-go"),
  own("lampF", "7f403e81ad62413f8e4d506f718293a4", "sad", "lamp-sad"),
  own("lampLOVE", "80514f92be734250af5e61708293a4b5", "love", "lamp-love"),
  own("lampRAGE", "916250a3cf844361b06f728193a4b5c6", "anger", "lamp-rage"),
  own("lampEW", "a27361b4d0954472917083a2a4b5c6d7", "cringe", "lamp-ew"),
  own("lampFIRE", "b38472c5e1a64583a28194b3b5c6d7e8", null, "fire"),
  own("lampSWORD", "c49583d6f2b74694b392a5c4c6d7e8f9", null, "sword"),
  own("lampNAP", "d5a694e703c847a5a4a3b6d5d7e8f90a", null, "lamp-sleep"),
  twitch("koshkaRAID", "emotesv2_e6b7a5f814d948b6b5b4c7e6e8f90a1b", "koshka_v_plashe", null, "cat"),
  twitch("koshkaLOVE", "emotesv2_f7c8b60925ea49c7a6c5d8f7f90a1b2c", "koshka_v_plashe", "love", "cat-love"),
  twitch("fernLEAF", "emotesv2_08d9c71a36fb4ad8b7d6e9080a1b2c3d", "nightfern", null, "leaf"),
  twitch("fernCOZY", "emotesv2_19ead82b470c4be9a8e7fa191b2c3d4e", "nightfern", "love", "leaf-love"),
  twitch("Kappa", "25", null, null, "smirk"),
  twitch("LUL", "425618", null, "laugh", "grin"),
  twitch("PogChamp", "305954156", null, "hype", "wow"),
  twitch("BibleThump", "86", null, "sad", "tears"),
  twitch("NotLikeThis", "58765", null, "cringe", "palm"),
  twitch("HeyGuys", "30259", null, null, "wave"),
  twitch("<3", "9", null, "love", "heart"),
  twitch("SeemsGood", "64138", null, null, "thumb"),
  twitch("cmonBruh", "84608", null, "cringe", "brow"),
  {
    name: "KEKW",
    provider: "bttv",
    id: "5e9c6c187e090362f8b0b9e8",
    channel: "pepel_lamp",
    mood: "laugh",
    face: "kek",
  },
  {
    name: "catJAM",
    provider: "bttv",
    id: "5f1b0186cf6d2144653d2970",
    channel: "pepel_lamp",
    mood: "hype",
    face: "cat-jam",
  },
  {
    name: "monkaS",
    provider: "bttv",
    id: "56e9f494fff3cc5c35e5287e",
    channel: null,
    mood: "shock",
    face: "sweat",
  },
  {
    name: "FeelsStrongMan",
    provider: "bttv",
    id: "5a5f1d6e8e1f4f0b1c2d3e4f",
    channel: null,
    mood: "sad",
    face: "brave",
  },
  { name: "OMEGALUL", provider: "ffz", id: "128054", channel: "pepel_lamp", mood: "laugh", face: "omega" },
  { name: "LULW", provider: "ffz", id: "139407", channel: "pepel_lamp", mood: "laugh", face: "lulw" },
  { name: "PepeHands", provider: "ffz", id: "231552", channel: null, mood: "sad", face: "hands" },
  { name: "Pog", provider: "7tv", id: "60ae958e229664e8667aea38", channel: null, mood: "hype", face: "pog" },
  { name: "EZ", provider: "7tv", id: "603cb219c20d020014423c34", channel: null, mood: null, face: "ez" },
  {
    name: "WAYTOODANK",
    provider: "7tv",
    id: "60ad20b5c9cf9d00141b8a8c",
    channel: "pepel_lamp",
    mood: "shock",
    face: "dank",
  },
  {
    name: "Sadge",
    provider: "7tv",
    id: "603cac391cd55c0014d989be",
    channel: "pepel_lamp",
    mood: "sad",
    face: "sadge",
  },
  {
    name: "Clap",
    provider: "7tv",
    id: "60aeab8df6a2c3b332d21139",
    channel: "pepel_lamp",
    mood: "hype",
    face: "clap",
  },
  {
    name: "RainTime",
    provider: "7tv",
    id: "60aeb1c2259ac5a73e8b4567",
    channel: "pepel_lamp",
    mood: null,
    face: "rain",
    zeroWidth: true,
  },
];

/** The emote that moderators add on 7TV after the boss miss, and that is gone again in the next run. */
export const lateEmote: Emote = {
  name: "mechVSTENE",
  provider: "7tv",
  id: "64f0a1b2c3d4e5f60718293a",
  channel: "pepel_lamp",
  mood: "laugh",
  face: "sword-wall",
};

export const allEmotes: readonly Emote[] = [...emotes, lateEmote];
export const emoteByName: ReadonlyMap<string, Emote> = new Map(allEmotes.map((emote) => [emote.name, emote]));
