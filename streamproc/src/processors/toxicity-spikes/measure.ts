import type { SpikeKind, ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import { TOP_USERS } from "./drivers.ts";

/** From these shares on one thing is what drives a spike. */
const ONE_USER = 0.6;
const ONE_PHRASE = 0.5;
const NEWCOMERS = 0.5;
const FEW_USERS = 0.6;
const TIMEOUT_S = 600;
const SLOW_S = 30;
const SLOW_FAST_CHAT_S = 60;
const FOLLOWERS_S = 600;
/** More accounts than this are not timed out one by one. */
const SHIELD_ACCOUNTS = 8;

/** What of a spike a suggestion is made from. */
export interface SpikeFacts extends Pick<
  ToxicitySpike,
  "kind" | "lines" | "users" | "newUsers" | "topUsers" | "phrases" | "perMin" | "times" | "share"
> {
  /** Viewers of a raid shortly before; 0: none. */
  readonly raiders: number;
  /** Newcomers whose names look made by one machine. */
  readonly similarNames: number;
  /** What is in force already. */
  readonly room: Room;
  /** Timed out or banned since it began. */
  readonly acted: ReadonlySet<string>;
}

/** Modes of a chat, as Twitch last said. */
export interface Room {
  slow: boolean;
  followers: boolean;
  subscribers: boolean;
  shield: boolean;
}

export type Suggestion = Pick<ToxicitySpike, "driver" | "measure" | "measureS" | "measureUsers" | "reasons">;

/** What mostly drives a spike and what could be done about it, with the numbers behind it. Never done by itself. */
export function suggest(facts: SpikeFacts): Suggestion {
  const { kind, lines, users, newUsers, topUsers, phrases, raiders, similarNames, room, acted } = facts;
  const ofLines = (count: number): number => (lines === 0 ? 0 : Math.round((count / lines) * 1000) / 1000);
  // Who has written once is no series.
  const series = topUsers.filter(([, , count]) => count >= 2);
  const topUserShare = ofLines(topUsers[0]?.[2] ?? 0);
  const topUsersShare = ofLines(series.reduce((sum, [, , count]) => sum + count, 0));
  const copies = phrases[0]?.[1] ?? 0;
  const newcomersShare = users === 0 ? 0 : Math.round((newUsers / users) * 1000) / 1000;
  const driver: Suggestion["driver"] =
    topUserShare >= ONE_USER
      ? "one_user"
      : users >= 3 && (phrases[0]?.[2] ?? 0) >= 3 && ofLines(copies) >= ONE_PHRASE
        ? "one_phrase"
        : users >= 4 && newcomersShare >= NEWCOMERS
          ? "newcomers"
          : series.length <= TOP_USERS && topUsersShare >= FEW_USERS
            ? "few_users"
            : "crowd";
  const reasons: Record<string, number> = {
    copies,
    newcomersShare,
    topUserShare,
    topUsersShare,
    share: facts.share,
    times: facts.times,
    ...(raiders > 0 ? { raiders } : {}),
    ...(similarNames > 0 ? { similarNames } : {}),
    ...(acted.size > 0 ? { acted: acted.size } : {}),
  };
  const measureUsers = (driver === "one_user" || driver === "few_users" ? series : [])
    .map(([userId]) => userId)
    .filter((userId) => !acted.has(userId));
  const timeouts = { measure: "timeouts", measureS: TIMEOUT_S, measureUsers } as const;
  return {
    driver,
    reasons,
    ...(measureUsers.length > 0
      ? timeouts
      : { ...modeFor(kind, driver, users, facts.perMin, room), measureUsers: [] }),
  };
}

/** The gentlest mode that would reach it and is not in force. */
function modeFor(
  kind: SpikeKind,
  driver: Suggestion["driver"],
  users: number,
  perMin: number,
  room: Room,
): Pick<Suggestion, "measure" | "measureS"> {
  const slow = { measure: "slow", measureS: perMin > 120 ? SLOW_FAST_CHAT_S : SLOW_S } as const;
  const followers = { measure: "followers", measureS: FOLLOWERS_S } as const;
  const shield = { measure: "shield", measureS: 0 } as const;
  const none = { measure: "none", measureS: 0 } as const;
  if (room.shield) return none;
  if (kind === "hate_raid") return users >= SHIELD_ACCOUNTS || room.followers ? shield : followers;
  // Accounts that have just come follow nobody; those that follow already are met by the shield.
  if (kind === "follow_bots" || kind === "flood" || driver === "newcomers")
    return room.followers ? shield : followers;
  if (driver === "one_user" || driver === "few_users") return none;
  if (!room.slow) return slow;
  return room.followers || room.subscribers ? none : followers;
}
