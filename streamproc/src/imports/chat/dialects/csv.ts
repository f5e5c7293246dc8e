import { idText, lineOf, speaker, text, Unreadable, type Draft } from "../draft.ts";
import { fieldsOf } from "../records.ts";
import { secondsOf, timesOf } from "./own.ts";

/** Names that a column may have, in lower case without spaces, _ and -. */
const COLUMNS = {
  offset: [
    "offset",
    "offsets",
    "offsetseconds",
    "contentoffsetseconds",
    "timeinseconds",
    "seconds",
    "second",
    "vodoffset",
    "timetext",
  ],
  time: ["sentatms", "timestamp", "time", "createdat", "date", "datetime", "sentat"],
  user: [
    "login",
    "user",
    "username",
    "nick",
    "nickname",
    "author",
    "authorname",
    "commenter",
    "chatter",
    "name",
  ],
  name: ["displayname", "userdisplayname"],
  userId: ["userid", "commenterid", "authorid"],
  text: ["text", "message", "msg", "body", "comment", "content"],
  id: ["id", "messageid", "commentid"],
  color: ["color", "colour", "usercolor"],
  badges: ["badges"],
  channel: ["channel", "channelid", "channelname"],
} as const;
type Column = keyof typeof COLUMNS;

export interface CsvForm {
  readonly delimiter: string;
  readonly columns: Partial<Record<Column, number>>;
}

/** What the header says; null: it is no header of a chat. */
export function csvForm(header: string): CsvForm | null {
  for (const delimiter of [",", ";", "\t", "|"]) {
    const names = fieldsOf(header, delimiter).map((name) => name.trim().toLowerCase().replace(/[ _-]/g, ""));
    if (names.length < 2) continue;
    const columns: Partial<Record<Column, number>> = {};
    for (const column of Object.keys(COLUMNS) as Column[]) {
      for (const name of COLUMNS[column]) {
        const at = names.indexOf(name);
        if (at < 0) continue;
        columns[column] = at;
        break;
      }
    }
    if (
      columns.text !== undefined &&
      (columns.user !== undefined || columns.name !== undefined) &&
      (columns.offset !== undefined || columns.time !== undefined)
    )
      return { delimiter, columns };
  }
  return null;
}

export function csvDraft(record: string, form: CsvForm): Draft {
  const fields = fieldsOf(record, form.delimiter);
  const field = (column: Column): string | undefined => {
    const at = form.columns[column];
    return at === undefined ? undefined : fields[at];
  };
  const said = field("text");
  if (said === undefined) throw new Unreadable("it has fewer columns than the first line");
  const { offsetS, atMs } = timesOf(field("offset"), field("time"));
  if (Number.isNaN(offsetS) && Number.isNaN(atMs)) throw new Unreadable("it has no time that can be read");
  return {
    kind: "line",
    item: lineOf({
      id: idText(field("id")),
      by: speaker(text(field("userId")), text(field("user")), text(field("name"))),
      text: said,
      color: text(field("color")),
      badges: text(field("badges")),
    }),
    offsetS: Number.isNaN(offsetS) ? secondsOf(field("offset") ?? "") : offsetS,
    atMs,
    channel: text(field("channel")),
  };
}
