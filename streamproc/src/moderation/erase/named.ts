/** Who is to be forgotten. */
export interface Chatter {
  readonly userId: string;
  /** In lower case. */
  readonly login: string;
}

/** A short name of letters alone is a word that people also use for something else: then only `@name` and the name as a whole value are it. */
const MAY_STAND_BARE = /[\d_]|.{8}/;

/** Says of a text whether it names a chatter: by id as a whole JSON string, by login as a word. */
export function namedIn({ userId, login }: Chatter): (text: string) => boolean {
  const word = login.replaceAll(/\W/g, "");
  const bare = MAY_STAND_BARE.test(login) ? `|(?<![\\w])${word}(?![\\w])` : "";
  const named = new RegExp(`"${userId.replaceAll(/\W/g, "")}"|"${word}"|@${word}(?![\\w])${bare}`, "i");
  return (text) => named.test(text);
}
