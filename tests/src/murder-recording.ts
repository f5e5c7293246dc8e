/** Numbers in [0, 1) that are the same for the same seed (mulberry32, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Said {
  readonly id: string;
  readonly channelId: string;
  readonly sentAtMs: number;
  readonly userId: string;
}

export interface Recording {
  /** Raw IRC lines with tags, as a source would have heard them. */
  readonly text: string;
  readonly channels: readonly string[];
  /** What was written, in the order that it was heard. */
  readonly said: readonly Said[];
  /** The channel in which some lines come seconds too late; in the others nothing does. */
  readonly lateChannel: string;
  readonly endMs: number;
}

const WORDS = [
  "hello",
  "привет",
  "LETS GO",
  "what was that?",
  "lol",
  "gg",
  "ну и дела",
  "wait",
  "1",
  "nice one",
  "you are worthless trash, everybody hates you",
];
/** When and where accounts that never wrote here say nearly the same. */
const RAID = { atMs: 60_000, channel: 3, accounts: 12 };

/**
 * `seconds` of chat in five channels of unlike rates: disorder below the lateness that folds allow, late lines in one channel,
 * every now and then a storm of one emote, subs and raids, here and there an insult, and once an attack by new accounts. Ids are new with every seed.
 */
export function makeRecording(seed: number, seconds: number): Recording {
  const random = seeded(seed);
  const channels = Array.from({ length: 5 }, (_, i) => String(9_000_000 + seed * 10 + i));
  const beginMs = 1_700_000_000_000 + seed * 3_600_000;
  const rows: string[] = [];
  const said: Said[] = [];
  let n = 0;
  for (let at = 0; at < seconds * 1000; at += 100)
    for (const [i, channelId] of channels.entries()) {
      const storm = Math.floor(at / 1000 + i * 7) % 40 > 33;
      let lines = poisson(random, (storm ? 4 : 0.5) * [2, 0.2, 1, 4, 0.5][i]!);
      for (; lines > 0; lines--) {
        const late = i === 0 && random() < 0.02;
        const sentAtMs = beginMs + at - Math.floor(late ? 4000 + random() * 5000 : random() * 1200);
        const id = uuid(seed, n++);
        const user = 1000 + Math.floor(random() ** 2 * 300);
        const emote = storm || random() < 0.2;
        const text = emote ? "KEKW" : WORDS[Math.floor(random() * WORDS.length)]!;
        const tags = {
          id,
          "room-id": channelId,
          "tmi-sent-ts": sentAtMs,
          "user-id": user,
          emotes: emote ? "25:0-3" : "",
        };
        rows.push(irc(tags, user, channelId, "PRIVMSG", text));
        said.push({ id, channelId, sentAtMs, userId: String(user) });
      }
      if (at === RAID.atMs && i === RAID.channel)
        for (let account = 0; account < RAID.accounts; account++) {
          const sentAtMs = beginMs + at + account;
          const id = uuid(seed, n++);
          const user = 5000 + account;
          const tags = {
            ...{ id, "room-id": channelId, "tmi-sent-ts": sentAtMs, "user-id": user, emotes: "" },
            "first-msg": 1,
          };
          rows.push(
            irc(tags, user, channelId, "PRIVMSG", `all of you are worthless trash, go away ${account}`),
          );
          said.push({ id, channelId, sentAtMs, userId: String(user) });
        }
      if (random() < 0.002) {
        const raid = random() < 0.2;
        const tags = {
          id: uuid(seed, n++),
          "room-id": channelId,
          "tmi-sent-ts": beginMs + at,
          "user-id": 77,
          "msg-id": raid ? "raid" : "resub",
          ...(raid ? { "msg-param-viewerCount": 40 } : {}),
        };
        rows.push(irc(tags, 77, channelId, "USERNOTICE", "again"));
      }
    }
  return {
    text: rows.join("\n") + "\n",
    channels,
    said,
    lateChannel: channels[0]!,
    endMs: beginMs + seconds * 1000,
  };
}

function poisson(random: () => number, mean: number): number {
  const limit = Math.exp(-mean);
  let k = 0;
  for (let product = random(); product > limit; product *= random()) k++;
  return k;
}

const uuid = (seed: number, n: number): string =>
  `${seed.toString(16).padStart(8, "0")}-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;

function irc(
  tags: Record<string, string | number>,
  user: number,
  channel: string,
  command: string,
  text: string,
): string {
  const all = {
    "badge-info": "",
    badges: "",
    color: "#1E90FF",
    "display-name": `User${user}`,
    "first-msg": 0,
    ...tags,
  };
  const written = Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join(";");
  const name = `user${user}`;
  const from = command === "PRIVMSG" ? `${name}!${name}@${name}.tmi.twitch.tv` : "tmi.twitch.tv";
  return `@${written} :${from} ${command} #channel_${channel} :${text}`;
}
