import type { ChatModeration } from "@hypecast/contracts/chat.ts";
import type { Severity } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { nearOf } from "../../toxicity/features.ts";
import { tokensOf } from "../../toxicity/normalise.ts";
import type { Emit } from "../fold.ts";
import { markCleared, markRemoved, type FoundLine } from "./held-case.ts";
import { begin, caseId, casesOf, growing, join, moveOn, touch } from "./hold.ts";
import { isErased, type CasesState } from "./state.ts";

/** A clock of Twitch's that is so far ahead of the source's is not believed. */
const AHEAD_MS = 60_000;
/** AutoMod's levels are 1 to 4: from here on what it holds is looked at first. */
const AUTOMOD_ALERT = 3;
const TEXT_LENGTH = 1000;

export function takeEvent(state: CasesState, event: ModEvent, emit: Emit): void {
  // What another channel of a shared chat did is no news of our lines.
  if (event.sourceChannelId !== "" && event.sourceChannelId !== state.channelId) return;
  const { action, atMs, targetUserId, targetMessageId } = event;
  if (state.clockMs === 0 || atMs < state.clockMs + AHEAD_MS) moveOn(state, atMs, emit);
  switch (action) {
    case "delete":
      return removeLine(state, targetMessageId, atMs);
    case "timeout":
    case "ban":
      return removeChatter(state, targetUserId, atMs);
    case "clear":
      return removeAll(state, atMs);
    case "automod_hold":
      return takeHeld(state, event, emit);
    case "automod_update":
      return takeDecided(state, event);
    case "suspicious_message":
      return takeSuspicious(state, event, emit);
  }
}

/** The same, as IRC tells it: whichever comes second changes nothing. */
export function takeModeration(state: CasesState, moderation: ChatModeration): void {
  const { action, sentAtMs, targetMessageId, targetUserId } = moderation;
  if (action === "delete") removeLine(state, targetMessageId ?? "", sentAtMs);
  else if (action === "clear") removeAll(state, sentAtMs);
  else if (action !== "room_state") removeChatter(state, targetUserId ?? "", sentAtMs);
}

function removeLine(state: CasesState, lineId: string, atMs: number): void {
  if (lineId === "") return;
  state.removals.line(lineId, atMs);
  const held = state.byLine.get(lineId);
  if (held !== undefined && markRemoved(held, atMs, (line) => line.lineId === lineId)) touch(state, held);
}

function removeChatter(state: CasesState, userId: string, atMs: number): void {
  if (userId === "") return;
  state.removals.chatter(userId, atMs);
  for (const held of casesOf(state, userId))
    if (markRemoved(held, atMs, (line) => line.userId === userId)) touch(state, held);
}

function removeAll(state: CasesState, atMs: number): void {
  state.removals.all(atMs);
  for (const held of state.cases.values()) if (markCleared(held, atMs)) touch(state, held);
}

/** AutoMod holds a message that nobody in chat has seen. */
function takeHeld(state: CasesState, event: ModEvent, emit: Emit): void {
  const { targetMessageId, detail } = event;
  if (targetMessageId === "" || isErased(state, event.targetUserId, event.atMs)) return;
  const known = state.byLine.get(targetMessageId);
  if (known !== undefined) return;
  const level = Number(detail["level"] ?? 0) || 0;
  const severity = level >= AUTOMOD_ALERT ? "alert" : "watch";
  begin(
    state,
    caseId(state, targetMessageId),
    "automod",
    toldLine(event, severity, firstSpan(detail["spans"] ?? ""), { autoModLevel: level }),
    emit,
    targetMessageId,
  );
}

/** Somebody decided what AutoMod held, or nobody did in time. */
function takeDecided(state: CasesState, { targetMessageId, atMs, detail }: ModEvent): void {
  const held = state.byLine.get(targetMessageId);
  if (held === undefined || held.heldId !== targetMessageId) return;
  held.heldId = "";
  const isApproved = detail["status"] === "approved";
  held.reasons[isApproved ? "autoModApproved" : "autoModDenied"] = 1;
  if (!isApproved)
    markRemoved(held, Math.max(atMs, held.lastAtMs), ({ lineId }) => lineId === targetMessageId);
  touch(state, held);
}

/** A message of somebody whom Twitch or a moderator suspects. It is in chat too, and may have been scored before or be scored later. */
function takeSuspicious(state: CasesState, event: ModEvent, emit: Emit): void {
  const { targetMessageId: lineId, targetUserId } = event;
  if (lineId === "" || isErased(state, targetUserId, event.atMs)) return;
  const known = state.byLine.get(lineId);
  if (known !== undefined) {
    known.reasons["suspicious"] = 1;
    return touch(state, known);
  }
  const line = toldLine(event, "watch", null, { suspicious: 1 });
  const series = growing(state.byAuthor.get(targetUserId), event.atMs);
  if (series === undefined) begin(state, caseId(state, lineId), "suspicious", line, emit);
  else join(state, series, line);
}

/** A line that Twitch or a person names and no model has scored. */
export function toldLine(
  event: Pick<ModEvent, "targetMessageId" | "targetUserId" | "targetLogin" | "text" | "atMs">,
  severity: Severity,
  span: [number, number] | null,
  reasons: Record<string, number>,
): FoundLine {
  const text = event.text.slice(0, TEXT_LENGTH);
  return {
    lineId: event.targetMessageId,
    userId: event.targetUserId,
    login: event.targetLogin,
    name: event.targetLogin,
    text,
    sentAtMs: event.atMs,
    toxicity: 0,
    span,
    removedAtMs: null,
    near: nearOf(tokensOf(text)),
    firstMessage: false,
    rank: 0,
    severity,
    class: "none",
    severityScore: 0,
    action: 0,
    scores: [],
    language: "other",
    reasons,
    model: "",
    receivedAtMs: 0,
  };
}

/** Of `0-2,5-9`, as the source writes AutoMod's boundaries. */
function firstSpan(spans: string): [number, number] | null {
  const found = /^(\d+)-(\d+)/.exec(spans);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}
