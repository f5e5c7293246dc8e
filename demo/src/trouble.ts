import { audience, type Chatter } from "./chatters.ts";
import { hash32 } from "./random.ts";

/** Who comes to make trouble; `isNew`: the account is hours old. */
export interface Troublemaker extends Chatter {
  readonly isNew: boolean;
}

function troublemaker(name: string, language: "ru" | "en", isNew: boolean): Troublemaker {
  const login = name.toLowerCase();
  return {
    userId: String((isNew ? 1_310_000_000 : 52_000_000) + (hash32("trouble", login) % 90_000_000)),
    login,
    name,
    color: "",
    language,
    habit: "plain",
    weight: 0,
    badges: "",
    badgeInfo: "",
    moderator: false,
    vip: false,
    subscriber: false,
    tidy: false,
    returning: false,
    nonce: false,
    isNew,
  };
}

/** Two who cannot leave each other alone, and one who joins in. */
export const bridgeBurner = troublemaker("zhgu_mosty_dotla", "ru", false);
export const justValera = troublemaker("prosto_valera_77", "ru", false);
export const grump = troublemaker("GrumpMaster_88", "en", false);
/** Somebody who is not well. */
export const sadOne = troublemaker("seraya_voda_", "ru", false);
/** The one who was timed out after the glitch, under another name. */
export const evader = troublemaker("zloy_tapok229", "ru", true);
export const heldOne = troublemaker("kaktus_bez_igolok", "ru", false);

/** Names as follow bots have them. */
export const haters: readonly Troublemaker[] = [
  ..."q7_marauder_x1 q7_marauder_x2 q7_marauder_x3 q7_marauder_x4 vkhod_zakryt_04 vkhod_zakryt_05 vkhod_zakryt_09".split(
    " ",
  ),
  ..."nobodyasked_31a nobodyasked_31b nobodyasked_31c nobodyasked_31d tishe_budesh_2 tishe_budesh_3 tishe_budesh_8".split(
    " ",
  ),
].map((name) => troublemaker(name, /^(?:vkhod|tishe)/.test(name) ? "ru" : "en", true));
export const scammers: readonly Troublemaker[] = Array.from({ length: 9 }, (_, i) =>
  troublemaker(
    `skin_drop_${["kx", "lq", "mz", "pw", "rt", "sv", "uy", "vn", "wj"][i]}${40 + 7 * i}`,
    "en",
    true,
  ),
);

export const troublemakers: readonly Troublemaker[] = [
  ...[bridgeBurner, justValera, grump, sadOne, evader, heldOne],
  ...haters,
  ...scammers,
];

/** Moderators of the channel who are there. */
const moderator = (login: string): Chatter => {
  const found = audience.find((one) => one.login === login);
  if (found === undefined) throw new Error(`nobody in the audience is called "${login}"`);
  return found;
};
export const dasha = moderator("dasha_risuet");
export const lampochka = moderator("lampochka_ilicha");
export const kot = moderator("kot_uchenyi");
