/** FNV-1a, 32 bit, over UTF-16 units (ids are ASCII). The same on every machine and in the browser; apart, so that pages get no schemas with it. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
