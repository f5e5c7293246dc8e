import { fnv1a } from "@hypecast/contracts/fnv1a.ts";

/**
 * Who does what: every member computes the same from the same list. Rendezvous hashing with bounded load: a key goes to the
 * member with the highest hash(member, key) that has room, and nobody gets more than ceil(keys ÷ members). So a member
 * that comes or goes moves about its own share and little else.
 */
export function assign(keys: readonly string[], members: readonly string[]): Map<string, string> {
  const owners = new Map<string, string>();
  if (members.length === 0) return owners;
  const room = Math.ceil(keys.length / members.length);
  const load = new Map<string, number>();
  for (const key of keys.toSorted()) {
    let best = "";
    let bestWeight = -1;
    for (const member of members.toSorted()) {
      const weight = mixed(fnv1a(`${member}/${key}`));
      if (weight > bestWeight && (load.get(member) ?? 0) < room) {
        best = member;
        bestWeight = weight;
      }
    }
    owners.set(key, best);
    load.set(best, (load.get(best) ?? 0) + 1);
  }
  return owners;
}

/** FNV-1a of texts that differ in their last letters differs in its low bits; this spreads it (murmur3's finaliser). */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
