import { createHash } from "node:crypto";
import type { ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import { LOGIN } from "@hypecast/contracts/login.ts";
import { TEXT_LENGTH } from "./limits.ts";

/**
 * One message as its dialect says it, before the stream's clock is known: `item` has neither channel nor time yet. NaN stands for a time
 * that the dialect does not give.
 */
export type Draft = Times &
  (
    | { readonly kind: "line"; readonly item: ChatLine }
    | { readonly kind: "notice"; readonly item: ChatNotice }
    | { readonly kind: "moderation"; readonly item: ChatModeration }
  );

interface Times {
  /** Seconds from the video's start. */
  readonly offsetS: number;
  /** Twitch's clock. */
  readonly atMs: number;
  /** Whose chat it was written in, by name or number; empty: the dialect does not say. */
  readonly channel: string;
}

/** Why a line or object could not be read. */
export class Unreadable extends Error {}

const ID = /^[0-9A-Za-z_-]{1,64}$/;
const COLOR = /^#[0-9A-Fa-f]{6}$/;
const BADGES_LENGTH = 500;

export type Json = Record<string, unknown>;
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
/** A number, also where it is written as text; NaN for anything else. */
export const number = (value: unknown): number =>
  typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
/** An id that may be a number in the file. */
export const idText = (value: unknown): string =>
  typeof value === "number" && Number.isSafeInteger(value) ? String(value) : text(value);
/** ISO 8601, with or without a zone (then it is UTC), or with a space in place of T. NaN where it is no time. */
export function timeMs(value: unknown): number {
  if (typeof value !== "string" || value === "") return NaN;
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(value);
  if (found === null) return NaN;
  const zone = found[4] === undefined || found[4] === "UTC" ? "Z" : found[4];
  return Date.parse(`${found[1]}T${found[2]}${(found[3] ?? "").slice(0, 4)}${zone}`);
}

export interface Speaker {
  readonly id: string;
  readonly login: string;
  readonly name: string;
}

/** Accounts that were deleted since have no name in the file; their words are still there. */
const NOBODY: Speaker = { id: "unknown", login: "unknown", name: "" };

/** Who wrote it, from whatever of id, login and display name the file has. A name that is no login gets an id of its own. */
export function speaker(id: string, login: string, name: string): Speaker {
  const lower = (login === "" ? name : login).toLowerCase();
  const ownLogin = LOGIN.test(lower) ? lower : "";
  if (ID.test(id)) return { id, login: ownLogin === "" ? id : ownLogin, name };
  if (ownLogin !== "") return { id: ownLogin, login: ownLogin, name };
  if (name === "" && login === "") return NOBODY;
  const derived = `x${createHash("sha1")
    .update(name === "" ? login : name)
    .digest("hex")
    .slice(0, 20)}`;
  return { id: derived, login: derived, name: name === "" ? login : name };
}

export interface Said {
  readonly id: string;
  readonly by: Speaker;
  readonly text: string;
  readonly badges?: string;
  readonly color?: string;
}

/** A line in the one shape that all dialects give. An empty `id` is filled in later from what the line says. */
export function lineOf(said: Said): ChatLine {
  const { by } = said;
  const line: ChatLine = {
    id: ID.test(said.id) ? said.id : "",
    channelId: "",
    sentAtMs: 0,
    userId: by.id,
    login: by.login,
    text: said.text.length > TEXT_LENGTH ? said.text.slice(0, TEXT_LENGTH) : said.text,
  };
  if (by.name !== "" && by.name !== by.login) line.name = by.name.slice(0, 100);
  if (said.badges !== undefined && said.badges !== "") line.badges = said.badges.slice(0, BADGES_LENGTH);
  if (said.color !== undefined && COLOR.test(said.color)) line.color = said.color;
  return line;
}

/** `subscriber/12,premium/1` from a list of badges, whatever their fields are called. */
export function badgesOf(list: unknown): string {
  if (!Array.isArray(list) || list.length === 0) return "";
  let badges = "";
  for (const badge of list) {
    if (!isObject(badge)) continue;
    const name = text(badge["setID"] ?? badge["_id"] ?? badge["name"]);
    if (name === "") continue;
    badges += `${badges === "" ? "" : ","}${name}/${idText(badge["version"])}`;
  }
  return badges;
}
