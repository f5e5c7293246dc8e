import type { ChatLine } from "./chat.ts";

/** Chat bots that many channels run: what they write is counted, but is nobody's reaction and is not shown. */
const BOTS: ReadonlySet<string> = new Set(
  (
    "nightbot streamelements moobot fossabot wizebot streamlabs streamlootsbot sery_bot soundalerts pokemoncommunitygame " +
    "kofistreambot botrixoficial restreambot own3d blerp frostytoolsdotcom tangiabot streamstickers buttsbot supibot " +
    "stay_hydrated_bot phantombot coebot deepbot ankhbot vivbot xanbot hnlbot scorpbot mikuia lolrankbot mirrobot " +
    "commanderroot creatisbot dixperbro songlistbot playwithviewersbot instructbot thepositivebot botisimo"
  ).split(" "),
);
// Hashing every login of a fast chat would cost more than looking at its length first.
const LENGTHS = new Set([...BOTS].map((login) => login.length));

/** By name, or by the badge that Twitch gives to registered bots. */
export const isBot = ({ login, badges }: Pick<ChatLine, "login" | "badges">): boolean =>
  (LENGTHS.has(login.length) && BOTS.has(login)) || (badges?.includes("bot-badge/") ?? false);
