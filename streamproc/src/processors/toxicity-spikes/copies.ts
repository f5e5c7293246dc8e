import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { LineScore, SpikeKind, ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { Emit } from "../fold.ts";
import { FLAG } from "../pane.ts";
import { analysisOf } from "../text.ts";
import { cut, type DrivingLine } from "./drivers.ts";
import { shapeOf, type NewcomerLine } from "./newcomers.ts";
import { begin, drive, drivingOf, open, openOf, RAID_MS } from "./open-spike.ts";
import { isErased, type OpenSpike, type SpikesState } from "./state.ts";

/** A newcomer's line that was not scored within this is judged without. */
const VERDICT_WITHIN_MS = 5000;
/** Different newcomers who make a hate raid by near-copies; after a raid without them. */
const HATE_ACCOUNTS = 4;
const HATE_ACCOUNTS_AFTER_RAID = 5;
const FLOOD_ACCOUNTS = 6;
const ALIKE_NAMES = 6;
/** Groups of near-copies that one spike follows. */
const GROUPS_BOUND = 16;

/** A new line of somebody who had never written here; true when it is one to look at. */
export function addNewcomer(state: SpikesState, line: ChatLine): boolean {
  if (isErased(state, line)) return false;
  const said = analysisOf(line.text, state.channelId);
  // Emotes alone are what everybody writes.
  if (said.emoteWordsOnly || said.bare === 0 || coveredByEmotes(line, said.bare)) return false;
  const { newcomers } = state;
  for (const one of newcomers.lines)
    if (one.verdict === "pending" && one.atMs < line.sentAtMs - VERDICT_WITHIN_MS) one.verdict = "unknown";
  const kept = newcomers.add(
    {
      atMs: line.sentAtMs,
      lineId: line.id,
      userId: line.userId,
      login: line.login,
      text: cut(line.text),
      link: (said.flags & FLAG.link) !== 0,
    },
    said.nearKey,
  );
  const bots = openOf(state, "follow_bots");
  if (bots !== undefined && shapeOf(kept.login) === bots.shape) {
    drive(bots, drivingNewcomer(state, kept), Math.floor(kept.atMs / 1000));
    bots.names++;
  }
  return true;
}

function coveredByEmotes(line: ChatLine, bare: number): boolean {
  let covered = 0;
  for (const [, , first, last] of line.emotes ?? []) covered += last - first + 1;
  return covered >= bare;
}

/** Somebody at home here says what newcomers say: then it is no attack by newcomers, or it is theirs too. */
export function addRegular(state: SpikesState, line: ChatLine): void {
  const { nearKey } = analysisOf(line.text, state.channelId);
  const group = state.newcomers.regular(nearKey, line.sentAtMs);
  if (group === null || isErased(state, line)) return;
  const { userId, login, text } = line;
  for (const spike of state.spikes)
    if (spike.groups.includes(group))
      drive(
        spike,
        { userId, login, text, near: nearKey, first: false, class: null, language: null },
        Math.floor(line.sentAtMs / 1000),
      );
}

/**
 * Newcomers' lines up to the end of a scored pack have their verdict; one that the pack before it had passed over by its time is set right.
 * Spikes that are open take up what belongs to them. True when there was any.
 */
export function settle(
  state: SpikesState,
  { toMs, unknown, lines }: ToxicityScores,
  toxic: readonly LineScore[],
): boolean {
  let any = false;
  for (const line of state.newcomers.lines) {
    const score = toxic.find(({ lineId }) => lineId === line.lineId);
    const was = line.verdict;
    if (was === "toxic" || was === "spam") continue;
    if (score === undefined && (was !== "pending" || line.atMs > toMs)) continue;
    if (score !== undefined) line.verdict = score.class === "spam" ? "spam" : "toxic";
    else line.verdict = unknown === lines ? "unknown" : "clean";
    any = true;
    const followed = state.spikes.find(({ groups }) => groups.includes(line.group));
    if (was !== "pending" && followed !== undefined) continue; // it counts already
    const hate = line.verdict === "toxic" ? openOf(state, "hate_raid") : undefined;
    drive(
      hate ?? followed,
      score === undefined ? drivingNewcomer(state, line) : drivingOf(score),
      Math.floor(line.atMs / 1000),
    );
  }
  return any;
}

function drivingNewcomer(state: SpikesState, line: NewcomerLine): DrivingLine {
  const { userId, login, text } = line;
  const scored = state.recent.find(({ lineId }) => lineId === line.lineId);
  if (scored !== undefined) return scored;
  const near = analysisOf(text, state.channelId).nearKey;
  return { userId, login, text, near, first: true, class: null, language: null };
}

/** Do newcomers write alike, or look alike? */
export function look(state: SpikesState, nowMs: number, emit: Emit): void {
  const { newcomers } = state;
  if (newcomers.lines.length < HATE_ACCOUNTS) return;
  const afterRaid = nowMs < state.raidMs + RAID_MS;
  const groups = newcomers.copies(nowMs);
  const hate = openOf(state, "hate_raid");
  if (hate === undefined) {
    const copied = groups.find(
      ({ accounts, toxicAccounts, regulars }) =>
        accounts >= HATE_ACCOUNTS && toxicAccounts * 2 >= accounts && regulars <= accounts,
    );
    const toxic = groups.flatMap(({ lines }) => lines.filter(({ verdict }) => verdict === "toxic"));
    const raiders = new Set(toxic.map(({ userId }) => userId)).size;
    if (copied !== undefined)
      openCopies(state, "hate_raid", copied.lines, [copied.group], HATE_ACCOUNTS, nowMs, emit);
    else if (afterRaid && raiders >= HATE_ACCOUNTS_AFTER_RAID)
      openCopies(state, "hate_raid", toxic, [], HATE_ACCOUNTS_AFTER_RAID, nowMs, emit);
  } else
    for (const { group, accounts, toxicAccounts } of groups)
      if (toxicAccounts >= 2 && toxicAccounts * 2 >= accounts) followGroup(hate, group);
  const followed = state.spikes.flatMap((spike) => spike.groups);
  const copied = groups.find(
    ({ group, accounts, toxicAccounts, regulars, lines }) =>
      accounts >= FLOOD_ACCOUNTS &&
      toxicAccounts * 2 < accounts &&
      regulars <= accounts &&
      !followed.includes(group) &&
      lines.every(({ verdict }) => verdict !== "pending") &&
      // Who comes with a raid greets with the raid's own words.
      (!afterRaid || lines.some(({ link, verdict }) => link || verdict === "spam")),
  );
  if (copied !== undefined) {
    const flood = openOf(state, "flood");
    if (flood !== undefined) followGroup(flood, copied.group);
    else openCopies(state, "flood", copied.lines, [copied.group], FLOOD_ACCOUNTS, nowMs, emit);
  }
  lookAtNames(state, nowMs, emit);
}

function followGroup(spike: OpenSpike, group: number): void {
  if (spike.groups.includes(group)) return;
  spike.groups.push(group);
  if (spike.groups.length > GROUPS_BOUND) spike.groups.shift();
}

/** Names made by one machine are a spike of their own while nothing worse is going on. */
function lookAtNames(state: SpikesState, nowMs: number, emit: Emit): void {
  const { lines, shape } = state.newcomers.alikeNames(nowMs);
  for (const spike of state.spikes) if (spike.kind !== "follow_bots") spike.names = lines.length;
  if (lines.length < ALIKE_NAMES || state.spikes.some(({ kind }) => kind !== "toxicity")) return;
  const spike = openCopies(state, "follow_bots", lines, [], ALIKE_NAMES, nowMs, null);
  spike.shape = shape;
  spike.names = lines.length;
  begin(state, spike, emit);
}

function openCopies(
  state: SpikesState,
  kind: SpikeKind,
  lines: readonly NewcomerLine[],
  groups: number[],
  enter: number,
  nowMs: number,
  emit: Emit | null,
): OpenSpike {
  const startMs = lines.reduce((first, { atMs }) => Math.min(first, atMs), nowMs);
  const spike = open(state, kind, startMs, nowMs, enter, 2);
  spike.groups = groups;
  for (const line of lines)
    if (line.verdict !== "pending" || kind === "follow_bots")
      drive(spike, drivingNewcomer(state, line), Math.floor(line.atMs / 1000));
  if (emit !== null) begin(state, spike, emit);
  return spike;
}
