import { LANGUAGES, TOXICITY_CLASSES, type LineScore } from "@hypecast/contracts/toxicity.ts";
import type { ByteReader, ByteWriter } from "../bytes.ts";
import { Distinct } from "../distinct.ts";
import { userKey } from "../windows.ts";
import { named } from "./open-window.ts";

const USERS_BOUND = 128;
const PHRASES_BOUND = 24;
const PHRASE_LENGTH = 140;
export const TOP_USERS = 12;
const TOP_PHRASES = 5;

/** One line of a spike. */
export interface DrivingLine {
  readonly userId: string;
  readonly login: string;
  readonly text: string;
  /** Near-copies share it. */
  readonly near: number;
  readonly first: boolean;
  readonly class: LineScore["class"] | null;
  readonly language: LineScore["language"] | null;
}

interface User {
  login: string;
  lines: number;
}
interface Phrase {
  text: string;
  /** Whose words they are. */
  userId: string;
  lines: number;
  users: Distinct;
}

/** Who and what a spike consists of. Beyond the bounds the least gives way; counts of lines and people stay as they are. */
export class Drivers {
  lines = 0;
  people = new Distinct();
  newcomers = new Distinct();
  readonly #users = new Map<string, User>();
  readonly #phrases = new Map<number, Phrase>();
  readonly #classes: number[] = TOXICITY_CLASSES.map(() => 0);
  readonly #languages: number[] = LANGUAGES.map(() => 0);

  add(line: DrivingLine): void {
    this.lines++;
    const key = userKey(line.userId);
    this.people.add(key);
    if (line.first) this.newcomers.add(key);
    const user = this.#users.get(line.userId);
    if (user !== undefined) user.lines++;
    else {
      if (this.#users.size >= USERS_BOUND) forgetLeast(this.#users);
      this.#users.set(line.userId, { login: line.login, lines: 1 });
    }
    const phrase = this.#phrases.get(line.near);
    if (phrase !== undefined) {
      phrase.lines++;
      phrase.users.add(key);
    } else {
      if (this.#phrases.size >= PHRASES_BOUND) forgetLeast(this.#phrases);
      const users = new Distinct();
      users.add(key);
      const { userId } = line;
      this.#phrases.set(line.near, { text: cut(line.text), userId, lines: 1, users });
    }
    if (line.class !== null && line.class !== "none") this.#classes[TOXICITY_CLASSES.indexOf(line.class)]!++;
    if (line.language !== null) this.#languages[LANGUAGES.indexOf(line.language)]!++;
  }

  /** `[userId, login, lines]`, most first. */
  topUsers(): [string, string, number][] {
    return Array.from(this.#users, ([id, { login, lines }]): [string, string, number] => [id, login, lines])
      .toSorted((a, b) => b[2] - a[2])
      .slice(0, TOP_USERS);
  }

  /** `[text, lines, users]`, most first. */
  phrases(): [string, number, number][] {
    return Array.from(this.#phrases.values(), ({ text, lines, users }): [string, number, number] => [
      text,
      lines,
      users.count(),
    ])
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, TOP_PHRASES);
  }

  classes(): Partial<Record<(typeof TOXICITY_CLASSES)[number], number>> {
    return named(TOXICITY_CLASSES, this.#classes);
  }

  languages(): Partial<Record<(typeof LANGUAGES)[number], number>> {
    return named(LANGUAGES, this.#languages);
  }

  /** Forgets a person's name and words; true when there was something. What only they said goes; numbers stay. */
  erase(userId: string): boolean {
    let found = this.#users.delete(userId);
    for (const [near, phrase] of this.#phrases)
      if (phrase.userId === userId) {
        this.#phrases.delete(near);
        found = true;
      }
    return found;
  }

  save(out: ByteWriter): void {
    out.uint(this.lines);
    this.people.save(out);
    this.newcomers.save(out);
    out.uint(this.#users.size);
    for (const [id, { login, lines }] of this.#users) {
      out.text(id);
      out.text(login);
      out.uint(lines);
    }
    out.uint(this.#phrases.size);
    for (const [near, { text, userId, lines, users }] of this.#phrases) {
      out.number(near);
      out.text(text);
      out.text(userId);
      out.uint(lines);
      users.save(out);
    }
    for (const lines of this.#classes) out.uint(lines);
    for (const lines of this.#languages) out.uint(lines);
  }

  static load(bytes: ByteReader): Drivers {
    const drivers = new Drivers();
    drivers.lines = bytes.uint();
    drivers.people = Distinct.load(bytes);
    drivers.newcomers = Distinct.load(bytes);
    for (let left = bytes.uint(); left > 0; left--)
      drivers.#users.set(bytes.text(), { login: bytes.text(), lines: bytes.uint() });
    for (let left = bytes.uint(); left > 0; left--) {
      const near = bytes.number();
      const [text, userId, lines] = [bytes.text(), bytes.text(), bytes.uint()];
      drivers.#phrases.set(near, { text, userId, lines, users: Distinct.load(bytes) });
    }
    for (let i = 0; i < drivers.#classes.length; i++) drivers.#classes[i] = bytes.uint();
    for (let i = 0; i < drivers.#languages.length; i++) drivers.#languages[i] = bytes.uint();
    return drivers;
  }
}

/** The one with the fewest lines, among equals the oldest. */
function forgetLeast<Key>(all: Map<Key, { lines: number }>): void {
  let least: Key | undefined;
  let lines = Infinity;
  for (const [key, one] of all)
    if (one.lines < lines) {
      least = key;
      lines = one.lines;
    }
  all.delete(least!);
}

/** Cut between characters, never inside of one. */
export const cut = (text: string): string =>
  text.length <= PHRASE_LENGTH ? text : `${text.slice(0, PHRASE_LENGTH).replace(/[\ud800-\udbff]$/, "")}…`;
