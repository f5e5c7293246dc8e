/**
 * One line of Twitch's IRC. Every field is there in every message (empty, 0 or false when the line does not have it), so that
 * the engine keeps one shape for the hot path. `tagsOf` reads the tags that have no field.
 */
export interface IrcMessage {
  command: string;
  /** Without `#`; empty when the line names none. */
  channel: string;
  /** Who it comes from, as the prefix says: a login, or a server name. */
  nick: string;
  /** The last parameter; of an ACTION what stands inside. */
  text: string;
  action: boolean;
  /** The tag section as it came, without `@`. */
  tags: string;
  id: string;
  roomId: string;
  userId: string;
  /** `tmi-sent-ts`; 0 when it is missing or no number of milliseconds. */
  sentAtMs: number;
  displayName: string;
  color: string;
  badges: string;
  badgeInfo: string;
  emotes: string;
  bits: number;
  firstMessage: boolean;
  returning: boolean;
  replyTo: string;
  replyThread: string;
  sourceRoomId: string;
  sourceId: string;
  nonce: string;
  /** Kind of a NOTICE or USERNOTICE. */
  msgId: string;
}

const SPACE = 32;
const HASH = 35;
const COLON = 58;
const AT = 64;
const ONE = 49;
/** More digits than this are no time and no amount that anybody means; they would lose precision. */
const MOST_DIGITS = 15;

/**
 * Reads one line, `line` from `start` to `stop`, without its line end: reading it where it stands in what the socket gave is a
 * quarter faster than cutting it out first. Null when there is no command in it: the caller counts it as malformed. Never
 * throws, whatever the line holds; values are as the sender wrote them (unescaped) and are checked by who uses them.
 */
export function parseIrc(line: string, start = 0, stop = line.length): IrcMessage | null {
  const message: IrcMessage = {
    command: "",
    channel: "",
    nick: "",
    text: "",
    action: false,
    tags: "",
    id: "",
    roomId: "",
    userId: "",
    sentAtMs: 0,
    displayName: "",
    color: "",
    badges: "",
    badgeInfo: "",
    emotes: "",
    bits: 0,
    firstMessage: false,
    returning: false,
    replyTo: "",
    replyThread: "",
    sourceRoomId: "",
    sourceId: "",
    nonce: "",
    msgId: "",
  };
  let at = start;
  if (line.charCodeAt(at) === AT) {
    const end = indexOf(line, " ", at, stop);
    if (end === stop) return null;
    message.tags = line.slice(at + 1, end);
    readTags(message, line, at + 1, end);
    at = end + 1;
  }
  at = skipSpaces(line, at, stop);
  if (line.charCodeAt(at) === COLON) {
    const end = indexOf(line, " ", at, stop);
    if (end === stop) return null;
    message.nick = line.slice(at + 1, indexOf(line, "!", at, end));
    at = skipSpaces(line, end + 1, stop);
  }
  let end = indexOf(line, " ", at, stop);
  if (end === at) return null;
  message.command = line.slice(at, end);

  for (at = skipSpaces(line, end, stop); at < stop; at = skipSpaces(line, end, stop)) {
    const first = line.charCodeAt(at);
    if (first === COLON) {
      message.text = line.slice(at + 1, stop);
      break;
    }
    end = indexOf(line, " ", at, stop);
    if (first === HASH && message.channel === "") message.channel = line.slice(at + 1, end);
    else message.text = line.slice(at, end);
  }
  if (message.text.charCodeAt(0) === 1 && message.text.startsWith("\u0001ACTION ")) {
    const { text } = message;
    message.action = true;
    message.text = text.slice(8, text.charCodeAt(text.length - 1) === 1 ? -1 : undefined);
  }
  return message;
}

/** Where it next stands before `stop`; `stop` where it does not. */
function indexOf(line: string, what: string, from: number, stop: number): number {
  const at = line.indexOf(what, from);
  return at < 0 || at > stop ? stop : at;
}

function skipSpaces(line: string, from: number, stop: number): number {
  let at = from;
  while (at < stop && line.charCodeAt(at) === SPACE) at++;
  return at;
}

/** One pass over the tags; a key is compared only with those of its length. */
function readTags(message: IrcMessage, line: string, start: number, end: number): void {
  // Escapes are rare: looking once for all tags is cheaper than in each value.
  const escaped = message.tags.includes("\\");
  let at = start;
  while (at < end) {
    let stop = line.indexOf(";", at);
    if (stop < 0 || stop > end) stop = end;
    const equals = line.indexOf("=", at);
    const from = equals + 1;
    // Empty values, half of Twitch's tags, are what every field begins with.
    if (equals < 0 || from >= stop) {
      at = stop + 1;
      continue;
    }
    switch (equals - at) {
      case 2:
        if (line.startsWith("id", at)) message.id = text(line, from, stop, escaped);
        break;
      case 4:
        if (line.startsWith("bits", at)) message.bits = digits(line, from, stop);
        break;
      case 5:
        if (line.startsWith("color", at)) message.color = line.slice(from, stop);
        break;
      case 6:
        if (line.startsWith("emotes", at)) message.emotes = line.slice(from, stop);
        else if (line.startsWith("badges", at)) message.badges = text(line, from, stop, escaped);
        else if (line.startsWith("msg-id", at)) message.msgId = text(line, from, stop, escaped);
        break;
      case 7:
        if (line.startsWith("user-id", at)) message.userId = line.slice(from, stop);
        else if (line.startsWith("room-id", at)) message.roomId = line.slice(from, stop);
        break;
      case 9:
        if (line.startsWith("first-msg", at)) message.firstMessage = isOne(line, from, stop);
        else if (line.startsWith("source-id", at)) message.sourceId = text(line, from, stop, escaped);
        break;
      case 10:
        if (line.startsWith("badge-info", at)) message.badgeInfo = text(line, from, stop, escaped);
        break;
      case 11:
        if (line.startsWith("tmi-sent-ts", at)) message.sentAtMs = digits(line, from, stop);
        break;
      case 12:
        if (line.startsWith("display-name", at)) message.displayName = text(line, from, stop, escaped);
        else if (line.startsWith("client-nonce", at)) message.nonce = text(line, from, stop, escaped);
        break;
      case 14:
        if (line.startsWith("source-room-id", at)) message.sourceRoomId = line.slice(from, stop);
        break;
      case 17:
        if (line.startsWith("returning-chatter", at)) message.returning = isOne(line, from, stop);
        break;
      case 19:
        if (line.startsWith("reply-parent-msg-id", at)) message.replyTo = text(line, from, stop, escaped);
        break;
      case 26:
        if (line.startsWith("reply-thread-parent-msg-id", at))
          message.replyThread = text(line, from, stop, escaped);
        break;
    }
    at = stop + 1;
  }
}

function text(line: string, from: number, to: number, escaped: boolean): string {
  const value = line.slice(from, to);
  return escaped ? unescapeTag(value) : value;
}

const isOne = (line: string, from: number, to: number): boolean =>
  to === from + 1 && line.charCodeAt(from) === ONE;

function digits(line: string, from: number, to: number): number {
  if (to - from > MOST_DIGITS) return 0;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = line.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

const ESCAPES: Record<string, string> = { ":": ";", s: " ", r: "\r", n: "\n" };

/** IRCv3 message-tags: `\:` `\s` `\\` `\r` `\n`; any other escaped character is itself, a lone one at the end is dropped. */
export function unescapeTag(value: string): string {
  if (!value.includes("\\")) return value;
  return value.replace(/\\(.?)/gs, (_all, escaped: string) => ESCAPES[escaped] ?? escaped);
}

/** All tags of a message, unescaped; a tag without `=` has the empty value, of one given twice the last counts. */
export function tagsOf(message: IrcMessage): Map<string, string> {
  const tags = new Map<string, string>();
  if (message.tags === "") return tags;
  for (const pair of message.tags.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0) tags.set(pair, "");
    else tags.set(pair.slice(0, equals), unescapeTag(pair.slice(equals + 1)));
  }
  return tags;
}
