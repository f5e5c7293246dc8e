/** Where the gateway serves an emote's image. `ref` is `<provider>:<id>`; nothing is ever asked of a provider by the page. */
export function emoteAddress(ref: string): string {
  const colon = ref.indexOf(":");
  return `/emotes/${encodeURIComponent(ref.slice(0, colon))}/${encodeURIComponent(ref.slice(colon + 1))}`;
}
