import { createRandom, hash32, type Random } from "./random.ts";

export type Habit = "talker" | "lurker" | "spammer" | "parrot" | "asker" | "plain";

/** Someone who writes in chat, with the tags that Twitch puts on each of their lines. */
export interface Chatter {
  readonly userId: string;
  readonly login: string;
  readonly name: string;
  /** `#RRGGBB`, or empty: never chosen. */
  readonly color: string;
  readonly language: "ru" | "en";
  readonly habit: Habit;
  /** How often they write against others, in calm chat. Lurkers only wake up when something happens. */
  readonly weight: number;
  /** In order of Twitch's `badges` tag. */
  readonly badges: string;
  readonly badgeInfo: string;
  readonly moderator: boolean;
  readonly vip: boolean;
  readonly subscriber: boolean;
  /** Writes with capitals and full stops, or never. */
  readonly tidy: boolean;
  readonly returning: boolean;
  /** The web client sends a nonce, others do not. */
  readonly nonce: boolean;
}

const REGULARS =
  "grib_ok lisa_v_lesu tihiy_les vorobey7 marmalade Sonya_K dub_1987 pixelina kot_uchenyi zheltiy_plash varenik42 " +
  "Nocturne_ua snezhok_ mister_bublik teplaya_kepka SaltyPretzel rain_on_tin eszett_ vosmerka8 kisel_i_blin OldMoss " +
  "gromkiy_muh dasha_risuet hedgefog lampochka_ilicha bezdna_smotrit Volt_Age quietkoala pechenka3000 ne_tvoy_bot " +
  "korolevskiy_krab Fenrir_naps ohyes_ohno shapka_ushanka mokriy_sneg toaster_dreams zavtra_na_rabotu ya_v_domike " +
  "dimon_s_pyatogo MsBluebird slon_v_lavke kefir_1_procent third_try_luck yozh_v_tumane polar_sun glitchgran " +
  "medved_na_samokate boris_britva tinycastle vasya_ne_spit kompot_iz_gaek ashen_fan_01 sudoku_sam babushka_main " +
  "Rookie_Rook ultra_pelmen parovoz_v_oblaka softreset nasos_i_ventil jumpcut_jo belka_strelka2 bubble_wrapp klukva_ " +
  "late_again_lol pyatnica13 zubr_ok cloudberry_ sirnik_s_izyumom framedrop dve_gitary MiraKeys nochnoy_dozhd skvorec " +
  "hat_on_a_cat goryachiy_chai okroshka_fan Kvant_ spikes_are_fake ledyanoy_chai minus_odno_hp no_hit_nina uglovoy";
const ADJECTIVES =
  "lunny tixiy staryy zloy dobryy sonniy bystriy sinij ryzhij mutniy snow dark tiny mega salty lazy silent lucky neo retro pixel frost ember moss river iron velvet night vesely grustniy kosmo turbo hyper mini dikiy zimniy vechniy pyaniy ne_tot prosto mister bez just almost very not_a old sir half".split(
    " ",
  );
const NOUNS =
  "kot enot ezhik volk sova los krab barsuk gus tapok chainik vinil borsch plov yozh shmel karas bober fox owl crab moth goose bear toad wizard knight monk baker pilot noodle waffle biscuit lantern cactus kettle sock pickle comet okun pirog valenok samovar utyug kirpich batareya podorozhnik tuman veter koster zontik marshmallow radish turnip badger sparrow thimble puddle gravel harbor mitten otter plank ravine".split(
    " ",
  );
const FIRST_NAMES =
  "sasha misha katya lena dima anya kolya vika zhenya ruslan timur alina artem polina gleb nastya tom alice ben mia leo nora finn ida max ella oskar tess".split(
    " ",
  );
const COLORS = [
  "#FF0000",
  "#0000FF",
  "#008000",
  "#B22222",
  "#FF7F50",
  "#9ACD32",
  "#FF4500",
  "#2E8B57",
  "#DAA520",
  "#D2691E",
  "#5F9EA0",
  "#1E90FF",
  "#FF69B4",
  "#8A2BE2",
  "#00FF7F",
  "#E06CFF",
  "#7AD1C0",
  "#C7A34A",
  "#4FA3FF",
  "#FFB1C8",
];

const MODERATORS = new Set(["dasha_risuet", "lampochka_ilicha", "kot_uchenyi"]);
const VIPS = new Set(["pixelina", "hedgefog", "babushka_main", "glitchgran"]);

function personOf(name: string, random: Random, salt: string): Chatter {
  const login = name.toLowerCase();
  const moderator = MODERATORS.has(login);
  const vip = VIPS.has(login);
  const months = random.chance(0.38) || moderator || vip ? Math.ceil(random.exponential(11)) : 0;
  const tier = [0, 2, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60].findLast((step) => step <= months) ?? 0;
  const badges: string[] = [];
  if (moderator) badges.push("moderator/1");
  if (vip) badges.push("vip/1");
  if (months > 0) badges.push(`subscriber/${tier}`);
  const extra = random.next();
  if (extra < 0.05) badges.push(`bits/${random.pick([1, 100, 1000, 5000])}`);
  else if (months > 0 && extra < 0.45) badges.push("premium/1");
  else if (extra > 0.95) badges.push("no_audio/1");
  const habit = (["talker", "lurker", "spammer", "parrot", "asker", "plain"] as const)[
    random.weighted([8, 34, 12, 9, 9, 28])
  ] as Habit;
  return {
    userId: String(40_000_000 + (hash32(salt, login) % 900_000_000)),
    login,
    name,
    color: random.chance(0.13) ? "" : random.pick(COLORS),
    language: random.chance(0.72) ? "ru" : "en",
    habit: moderator ? "talker" : habit,
    // A few write most of it.
    weight:
      habit === "lurker"
        ? 0.04
        : Math.min(8, random.exponential(1) ** 1.6 + (habit === "talker" ? 2.5 : 0.15)),
    badges: badges.join(","),
    badgeInfo: months > 0 ? `subscriber/${months}` : "",
    moderator,
    vip,
    subscriber: months > 0,
    tidy: random.chance(0.18),
    returning: random.chance(0.03),
    nonce: random.chance(0.6),
  };
}

function invented(random: Random): string {
  for (;;) {
    const noun = random.pick(NOUNS);
    const first = random.pick(FIRST_NAMES);
    const made = [
      () => `${random.pick(ADJECTIVES)}${random.pick(["_", ""])}${noun}`,
      () => `${noun}${random.int(1, 999)}`,
      () => `${first}_${noun}`,
      () => `${first}${random.pick(["", "_"])}${random.int(1984, 2010)}`,
      () => `${random.pick(["ya", "ne", "moy", "the", "xx", "pro", "dr", "uncle", "tetya", "big"])}_${noun}`,
      () =>
        `${noun}_${random.pick(["na_dache", "v_tapkah", "from_space", "ttv", "ua", "spb", "2000", "gg", "of_doom", "enjoyer", "bez_sna"])}`,
      () => `${noun}${noun.at(-1)}${noun.at(-1)}`,
      () => `${noun}_${random.pick(NOUNS)}`,
    ];
    let name = made[random.weighted([22, 14, 14, 10, 10, 12, 6, 12])]?.().slice(0, 25) ?? noun;
    if (random.chance(0.3)) name = (name[0] ?? "").toUpperCase() + name.slice(1);
    if (taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    return name;
  }
}

/** A login is one person's, in whatever channel. */
const taken = new Set(
  [...REGULARS.split(" "), "mosswick", "inkblot_ivy", "teacup_tom", "stepan_u_reki", "mama_streamera"].map(
    (name) => name.toLowerCase(),
  ),
);

function crowd(seed: number, salt: string, regulars: readonly string[], size: number): Chatter[] {
  const random = createRandom(seed);
  return [
    // Regulars are who one knows by name: they write much more than the rest.
    ...regulars.map((name) => {
      const who = personOf(name, random, salt);
      return {
        ...who,
        habit: who.habit === "lurker" ? ("talker" as const) : who.habit,
        weight: who.weight * 2.2 + 1.2,
      };
    }),
    ...Array.from({ length: size - regulars.length }, () => personOf(invented(random), random, salt)),
  ];
}

/** Chatters of pepel_lamp: regulars first. */
export const audience: readonly Chatter[] = crowd(31, "pepel", REGULARS.split(" "), 640);
/** Who comes with the raid: nobody of them ever wrote here. */
export const raiders: readonly Chatter[] = crowd(340, "koshka", [], 170).map((chatter) => ({
  ...chatter,
  badges: "",
  badgeInfo: "",
  subscriber: false,
  returning: false,
}));
export const fernAudience: readonly Chatter[] = crowd(
  77,
  "fern",
  ["mosswick", "Inkblot_Ivy", "teacup_tom"],
  60,
).map((chatter) => ({ ...chatter, language: "en" as const }));
export const brookAudience: readonly Chatter[] = crowd(
  5,
  "brook",
  ["stepan_u_reki", "mama_streamera"],
  9,
).map((chatter) => ({ ...chatter, language: "ru" as const }));

const special = (userId: string, name: string, more: Partial<Chatter>): Chatter => ({
  userId,
  login: name.toLowerCase(),
  name,
  color: "#5F9EA0",
  language: "ru",
  habit: "plain",
  weight: 0,
  badges: "",
  badgeInfo: "",
  moderator: false,
  vip: false,
  subscriber: false,
  tidy: true,
  returning: false,
  nonce: false,
  ...more,
});

export const PEPEL_ID = "811204512";
export const FERN_ID = "502883177";
export const BROOK_ID = "733019845";

export const streamer = special(PEPEL_ID, "pepel_lamp", {
  color: "#F0A80E",
  badges: "broadcaster/1,subscriber/3012,partner/1",
  badgeInfo: "subscriber/41",
  subscriber: true,
  nonce: true,
});
export const moobot = special("1564983", "Moobot", { badges: "moderator/1,partner/1", moderator: true });
export const nightbot = special("19264788", "Nightbot", { badges: "moderator/1,partner/1", moderator: true });
export const raidLeader = special("655310942", "koshka_v_plashe", { badges: "partner/1", color: "#FF69B4" });
export const insulter = special("918273645", "zloy_tapok228", { color: "", tidy: false });
export const linkSpammer = special("1203344556", "bestviewers_go", { color: "", language: "en" });
