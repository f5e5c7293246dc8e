/** As much of one PRIVMSG as the panes need. Text and emotes stay where they are in `bytes`, which is read into again once the line is folded. */
export interface PaneLine {
  sentAtMs: number;
  userId: number;
  bytes: Uint8Array;
  textFrom: number;
  textTo: number;
  textHash: number;
  codePoints: number;
  /** The value of the tag, `25:0-4,12-16/1902:6-10`. */
  emotesFrom: number;
  emotesTo: number;
}

export interface ChannelLines {
  /** `room-id` */
  readonly channelId: string;
  readonly lines: PaneLine[];
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const SEMICOLON = 59;
const AT = 64;
const MOST_DIGITS = 15;
const EMOTES = Buffer.from("emotes=");
const ROOM_ID = Buffer.from("room-id=");
const TMI_SENT_TS = Buffer.from("tmi-sent-ts=");
const USER_ID = Buffer.from("user-id=");
const PRIVMSG = Buffer.from("PRIVMSG #");
const TEXT = Buffer.from(" :");
/** FNV-1a, 32 bits. It only finds a slot: equal texts are told by their bytes. */
export const FNV_OFFSET = 0x811c9dc5 | 0;
export const FNV_PRIME = 0x01000193;

/**
 * Bytes of IRC to the lines of each channel in one pass, as the Flink peer's `Chat` does: only what the panes need is looked at,
 * and no string is made. Lines that are no PRIVMSG with its tags are passed over.
 */
export class PaneLines {
  /** Read so far, those passed over too. */
  lines = 0;
  readonly #byRoom = new Map<number, ChannelLines>();
  #heard: ChannelLines[] = [];
  /** Lines are used again, chunk after chunk. */
  readonly #pool: PaneLine[] = [];
  #used = 0;

  /** Reads whole lines: `bytes` up to `end` ends with a line feed. They must be folded before `clear` and before `bytes` changes. */
  read(bytes: Uint8Array, end: number): readonly ChannelLines[] {
    for (let at = 0; at < end;) {
      this.lines++;
      at = this.#readLine(bytes, at);
    }
    return this.#heard;
  }

  clear(): void {
    for (const { lines } of this.#heard) lines.length = 0;
    this.#heard = [];
    this.#used = 0;
  }

  /** Where the next line begins. */
  #readLine(bytes: Uint8Array, start: number): number {
    if (bytes[start] !== AT) return nextLine(bytes, start);
    let at = start;
    let roomId = 0;
    let userId = 0;
    let sentAtMs = 0;
    let emotesFrom = 0;
    let emotesTo = 0;
    let byte = SEMICOLON;
    while (byte === SEMICOLON) {
      at++;
      switch (bytes[at]) {
        case 0x65: // e
          if (startsWith(bytes, at, EMOTES)) {
            emotesFrom = emotesTo = at + EMOTES.length;
            while (bytes[emotesTo]! > SPACE && bytes[emotesTo] !== SEMICOLON) emotesTo++;
            at = emotesTo;
          }
          break;
        case 0x72: // r
          if (startsWith(bytes, at, ROOM_ID)) roomId = digits(bytes, (at += ROOM_ID.length));
          break;
        case 0x74: // t
          if (startsWith(bytes, at, TMI_SENT_TS)) sentAtMs = digits(bytes, (at += TMI_SENT_TS.length));
          break;
        case 0x75: // u
          if (startsWith(bytes, at, USER_ID)) userId = digits(bytes, (at += USER_ID.length));
          break;
      }
      while ((byte = bytes[at]!) !== SEMICOLON && byte > SPACE) at++;
    }
    if (byte !== SPACE) return nextLine(bytes, at);
    at++;
    while (bytes[at]! > SPACE) at++;
    if (bytes[at] !== SPACE || !startsWith(bytes, at + 1, PRIVMSG)) return nextLine(bytes, at);
    at += 1 + PRIVMSG.length;
    while (bytes[at]! > SPACE) at++;
    if (!startsWith(bytes, at, TEXT)) return nextLine(bytes, at);

    const textFrom = (at += TEXT.length);
    let textHash = FNV_OFFSET;
    let codePoints = 0;
    while ((byte = bytes[at]!) !== LF && !(byte === CR && bytes[at + 1] === LF)) {
      textHash = Math.imul(textHash ^ byte, FNV_PRIME);
      // Every byte of UTF-8 but a continuation begins a code point.
      if ((byte & 0xc0) !== 0x80) codePoints++;
      at++;
    }
    const line = this.#add(roomId, bytes);
    line.sentAtMs = sentAtMs;
    line.userId = userId;
    line.textFrom = textFrom;
    line.textTo = at;
    line.textHash = textHash;
    line.codePoints = codePoints;
    line.emotesFrom = emotesFrom;
    line.emotesTo = emotesTo;
    return byte === LF ? at + 1 : at + 2;
  }

  #add(roomId: number, bytes: Uint8Array): PaneLine {
    let line = this.#pool[this.#used];
    if (line === undefined) {
      line = {
        sentAtMs: 0,
        userId: 0,
        bytes,
        textFrom: 0,
        textTo: 0,
        textHash: 0,
        codePoints: 0,
        emotesFrom: 0,
        emotesTo: 0,
      };
      this.#pool.push(line);
    }
    this.#used++;
    line.bytes = bytes;
    let channel = this.#byRoom.get(roomId);
    if (channel === undefined) this.#byRoom.set(roomId, (channel = { channelId: String(roomId), lines: [] }));
    if (channel.lines.length === 0) this.#heard.push(channel);
    channel.lines.push(line);
    return line;
  }
}

function nextLine(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] !== LF) at++;
  return at + 1;
}

function startsWith(bytes: Uint8Array, from: number, what: Uint8Array): boolean {
  for (let i = 0; i < what.length; i++) if (bytes[from + i] !== what[i]) return false;
  return true;
}

/** 0 for what is no number or too long for one, as `parseIrc` has it. */
function digits(bytes: Uint8Array, from: number): number {
  let value = 0;
  for (let at = from; at <= from + MOST_DIGITS; at++) {
    const byte = bytes[at]!;
    if (byte === SEMICOLON || byte === SPACE) return value;
    if (byte < 48 || byte > 57) return 0;
    value = value * 10 + byte - 48;
  }
  return 0;
}
