/** Chat bots that many channels run: what they write is counted but is nobody's reaction. */
const BOTS: ReadonlySet<string> = new Set(
  (
    "nightbot streamelements moobot fossabot wizebot streamlabs streamlootsbot sery_bot soundalerts pokemoncommunitygame " +
    "kofistreambot botrixoficial restreambot own3d blerp frostytoolsdotcom tangiabot streamstickers buttsbot supibot " +
    "stay_hydrated_bot phantombot coebot deepbot ankhbot vivbot xanbot hnlbot scorpbot mikuia lolrankbot mirrobot " +
    "commanderroot creatisbot dixperbro songlistbot playwithviewersbot instructbot thepositivebot"
  ).split(" "),
);
const LENGTHS = new Set([...BOTS].map((login) => login.length));

export const isBot = (login: string): boolean => LENGTHS.has(login.length) && BOTS.has(login);
