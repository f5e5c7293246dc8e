import type { ChatLine } from "@hypecast/contracts/chat.ts";

/** Chat bots that many channels run. A bot that Twitch has given its badge is known by that. */
const BOTS = new Set([
  "nightbot",
  "streamelements",
  "streamlabs",
  "moobot",
  "fossabot",
  "wizebot",
  "sery_bot",
  "soundalerts",
  "botisimo",
  "coebot",
  "phantombot",
  "deepbot",
  "stay_hydrated_bot",
  "pokemoncommunitygame",
  "own3d",
  "kofistreambot",
  "tangiabot",
  "blerp",
  "creatisbot",
  "mirrobot",
  "supibot",
  "streamstickers",
]);

export const isBot = (line: Pick<ChatLine, "login" | "badges">): boolean =>
  BOTS.has(line.login) || (line.badges?.includes("bot-badge/") ?? false);
