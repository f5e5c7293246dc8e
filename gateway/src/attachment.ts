/** Longer names are cut: file systems bear 255 bytes, a character has up to four. */
const MOST_CHARACTERS = 62;

/** The value of Content-Disposition (RFC 6266) for a file that the browser is to keep: an ASCII name for old programs, the whole one per RFC 8187. */
export function attachment(name: string): string {
  const dot = name.lastIndexOf(".");
  const ending = dot < 0 ? "" : name.slice(dot);
  const stem = Array.from(dot < 0 ? name : name.slice(0, dot))
    // What a file system or a shell takes for something else, what cannot be seen, and what turns the reading direction.
    .map((character) => (/[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|%;]/u.test(character) ? " " : character))
    .slice(0, MOST_CHARACTERS)
    .join("")
    .replaceAll(/\s+/g, " ")
    .replace(/^[. ]+|[. ]+$/g, "");
  const safe = `${stem === "" ? "hypecast" : stem}${ending}`;
  const ascii = safe.replaceAll(/[^\x20-\x7e]/g, "_");
  const encoded = encodeURIComponent(safe).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
