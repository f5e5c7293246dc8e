import { BlockList, isIP } from "node:net";

/** IANA's special-purpose registries: what is not the public internet. */
const INSIDE_V4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // shared by carriers' NAT
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local; clouds keep their secrets here
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3], // multicast, reserved, broadcast
] as const;
/** Of IPv6 only 2000::/3 is public, and not all of it: Teredo, 6to4 and documentation. NAT64 (64:ff9b::) lies outside of it. */
const INSIDE_V6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

const v4 = new BlockList();
for (const [net, bits] of INSIDE_V4) v4.addSubnet(net, bits, "ipv4");
const v6 = new BlockList();
for (const [net, bits] of INSIDE_V6) v6.addSubnet(net, bits, "ipv6");
const publicV6 = new BlockList();
publicV6.addSubnet("2000::", 3, "ipv6");

/**
 * True for an IP address that is not of the public internet: loopback, private, link-local, carrier's NAT, multicast, unspecified, reserved, and
 * all that IPv6 writes for them (mapped, NAT64, 6to4, Teredo). What is no address at all is inside too.
 */
export function isInside(address: string): boolean {
  const kind = isIP(address);
  if (kind === 4) return v4.check(address, "ipv4");
  if (kind !== 6 || address.includes("%")) return true;
  return !publicV6.check(address, "ipv6") || v6.check(address, "ipv6");
}
