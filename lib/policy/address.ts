/**
 * Addresses and ranges written as text, IPv4 and IPv6: parsed, checked, and written back in the one form that both
 * firewalls list them in. Nothing here knows tokens.
 */
import { isIP, isIPv4 } from "node:net";
import { IPv4, IPv6, parse as parseAddress } from "ipaddr.js";
import type { Problems } from "../input/problems";
import { addressMessages } from "./address-messages";

export type Family = "ipv4" | "ipv6";

export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

const NAMES: Record<Family, string> = { ipv4: "IPv4", ipv6: "IPv6" };

export function familyName(family: Family): string {
  return NAMES[family];
}

/** An address (its prefix is then as long as it can be) or a range. */
export interface Cidr {
  readonly family: Family;
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/** `text` as an address or range; adds a problem with the likely meaning otherwise. */
export function parseCidr(text: string, problems: Problems): Cidr | undefined {
  const cidr = parseAnyCidr(text, problems);
  const problem = cidr && specialProblem(text, cidr);
  if (problem !== undefined) {
    problems.add("", problem);
    return undefined;
  }
  return cidr;
}

/** Likewise, but for addresses that can never be the far end of a connection. */
export function parseAnyCidr(text: string, problems: Problems): Cidr | undefined {
  const [address = "", prefixText, ...rest] = text.split("/", 3);
  const message = rest.length > 0 ? addressMessages.notAnAddress(text) : addressProblem(text, address, prefixText);
  if (message !== undefined) {
    problems.add("", message);
    return undefined;
  }
  const family: Family = isIPv4(address) ? "ipv4" : "ipv6";
  const bytes = parseAddress(address).toByteArray();
  const prefix = prefixText === undefined ? bytes.length * 8 : Number(prefixText);
  const cidr = { family, bytes, prefix };
  const problem = prefixProblem(text, cidr, prefixText) ?? rangeProblem(text, cidr);
  if (problem !== undefined) {
    problems.add("", problem);
    return undefined;
  }
  return cidr;
}

/** RFC 5952 for IPv6; a single address without its prefix length. */
export function formatCidr(cidr: Cidr): string {
  const address = formatAddress(cidr.bytes);
  return cidr.prefix === cidr.bytes.length * 8 ? address : `${address}/${cidr.prefix}`;
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return (
    outer.family === inner.family &&
    outer.prefix <= inner.prefix &&
    compareBytes(masked(inner.bytes, outer.prefix), outer.bytes) === 0
  );
}

/** IPv4 first, then by number, wider ranges first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  return a.bytes.length - b.bytes.length || compareBytes(a.bytes, b.bytes) || a.prefix - b.prefix;
}

function formatAddress(bytes: readonly number[]): string {
  return bytes.length === 4 ? new IPv4([...bytes]).toString() : new IPv6([...bytes]).toRFC5952String();
}

function compareBytes(a: readonly number[], b: readonly number[]): number {
  for (const [index, byte] of a.entries()) {
    const difference = byte - (b[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}

/** The first `prefix` bits of an address, the others zero. */
function masked(bytes: readonly number[], prefix: number): number[] {
  return bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
}

/** What is wrong with the part before the slash. */
function addressProblem(text: string, address: string, prefix: string | undefined): string | undefined {
  const withPrefix = (better: string): string => (prefix === undefined ? better : `${better}/${prefix}`);
  if (text === "") {
    return addressMessages.emptyAddress();
  }
  if (/\s/.test(text)) {
    return addressMessages.addressSpaces(text, text.replace(/\s+/g, ""));
  }
  if (address.includes("%")) {
    return addressMessages.zone(text, withPrefix(address.slice(0, address.indexOf("%"))));
  }
  if (isIP(address) !== 0) {
    return undefined;
  }
  if (/^\[.*\]$/.test(address) && isIP(address.slice(1, -1)) !== 0) {
    return addressMessages.brackets(text, withPrefix(address.slice(1, -1)));
  }
  if (/^[0-9]+(\.[0-9]+){0,3}$/.test(address)) {
    return dottedProblem(text, address.split("."), prefix);
  }
  const hexadecimal = addressOfC(address);
  if (hexadecimal !== undefined) {
    return addressMessages.numbersOfC(text, withPrefix(hexadecimal));
  }
  return /^[\w.-]*[a-z][\w.-]*$/i.test(address)
    ? addressMessages.addressIsName(text)
    : addressMessages.notAnAddress(text);
}

/** An IPv4 address as inet_aton takes it, with a hexadecimal number in it: `0x7f.1` is 127.0.0.1. */
export function addressOfC(text: string): string | undefined {
  if (!/^(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}$/i.test(text) || !/0x/i.test(text)) {
    return undefined;
  }
  const numbers = text.split(".").map((one) => (/^0[0-7]+$/.test(one) ? parseInt(one, 8) : Number(one)));
  const last = numbers.pop() ?? 0;
  const room = 4 - numbers.length;
  const fits = numbers.every((one) => one < 256) && last < 256 ** room;
  const rest = Array.from({ length: room }, (_, index) => Math.floor(last / 256 ** (room - 1 - index)) % 256);
  return fits ? [...numbers, ...rest].join(".") : undefined;
}

/** Numbers with dots that are no IPv4 address: too few of them, leading zeros, or too large. */
function dottedProblem(text: string, numbers: readonly string[], prefix: string | undefined): string {
  const stripped = numbers.map(Number);
  if (stripped.some((number) => number > 255) || (numbers.length < 4 && prefix === undefined)) {
    return addressMessages.notAnAddress(text);
  }
  const full = [...stripped, 0, 0, 0].slice(0, 4).join(".");
  const better = prefix === undefined ? full : `${full}/${prefix}`;
  return numbers.length < 4 ? addressMessages.shortAddress(text, better) : addressMessages.leadingZeros(text, better);
}

/** What is wrong with the part after the slash, the address itself being sound. */
function prefixProblem(text: string, cidr: Cidr, prefix: string | undefined): string | undefined {
  const address = formatAddress(cidr.bytes);
  const bits = cidr.bytes.length * 8;
  if (prefix === undefined) {
    return undefined;
  }
  if (prefix === "") {
    return addressMessages.missingPrefix(text, address);
  }
  if (cidr.family === "ipv4" && isIPv4(prefix)) {
    const length = IPv4.parse(prefix).prefixLengthFromSubnetMask();
    return length === null
      ? addressMessages.badPrefix(text, "IPv4", bits)
      : addressMessages.netmask(text, `${address}/${length}`);
  }
  return /^(0|[1-9][0-9]{0,2})$/.test(prefix) && cidr.prefix <= bits
    ? undefined
    : addressMessages.badPrefix(text, familyName(cidr.family), bits);
}

/** What is wrong with a well-formed address or range. */
function rangeProblem(text: string, cidr: Cidr): string | undefined {
  const address = formatAddress(cidr.bytes);
  const network = masked(cidr.bytes, cidr.prefix);
  if (compareBytes(network, cidr.bytes) !== 0) {
    return addressMessages.hostBits(text, formatCidr({ ...cidr, bytes: network }), address);
  }
  if (contains(MAPPED, cidr)) {
    const ipv4: Cidr = { family: "ipv4", bytes: cidr.bytes.slice(12), prefix: cidr.prefix - 96 };
    return addressMessages.mapped(text, formatCidr(ipv4));
  }
  return undefined;
}

function specialProblem(text: string, cidr: Cidr): string | undefined {
  const special = SPECIAL.find(([range]) => contains(range, cidr));
  return special === undefined ? undefined : addressMessages.specialAddress(text, special[1], special[2]);
}

const cidrOf = (address: string, prefix: number): Cidr => {
  const bytes = parseAddress(address).toByteArray();
  return { family: bytes.length === 4 ? "ipv4" : "ipv6", bytes, prefix };
};

const MULTICAST = [cidrOf("224.0.0.0", 4), cidrOf("ff00::", 8)];

export const isMulticast = (cidr: Cidr): boolean => MULTICAST.some((range) => contains(range, cidr));

const MAPPED = cidrOf("::ffff:0:0", 96);

const LOOPBACK = "loopback always passes, so leave it out, or name the machine's address on the network";
const ONE_MACHINE = "name the addresses of single machines";

/** Ranges that can never be the far end: what they are, and what to write instead. */
const SPECIAL: ReadonlyArray<readonly [Cidr, string, string]> = [
  [cidrOf("0.0.0.0", 8), "the unspecified address", "did you mean 0.0.0.0/0, any IPv4 address?"],
  [cidrOf("127.0.0.0", 8), "this machine itself", LOOPBACK],
  [cidrOf("224.0.0.0", 4), "a multicast address", ONE_MACHINE],
  [cidrOf("255.255.255.255", 32), "the broadcast address", ONE_MACHINE],
  [cidrOf("::", 128), "the unspecified address", "did you mean ::/0, any IPv6 address?"],
  [cidrOf("::1", 128), "this machine itself", LOOPBACK],
  [cidrOf("ff00::", 8), "a multicast address", ONE_MACHINE],
];
