/** Free of zod, since the page uses it as people type. A Twitch login: what stands after twitch.tv/. */
export const LOGIN = /^[a-z0-9_]{1,25}$/;

/** The login in what a person pastes: a name, @name, or any twitch.tv link. Null when there is none. */
export function loginFrom(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/^(?:www\.|m\.)?twitch\.tv\//i, "")
    .replace(/^[@#]/, "")
    .replace(/[/?#].*$/, "")
    .toLowerCase();
  return LOGIN.test(bare) ? bare : null;
}
