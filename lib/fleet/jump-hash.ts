/**
 * Jump consistent hashing (Lamping and Veach, 2014): spreads names over numbered places so that one place more takes a
 * fair share from each of the others, one place fewer (the last) gives its own away, and nothing else moves.
 */
import { createHash } from "node:crypto";

const MULTIPLIER = 2862933555777941757n;

/** The place of a name, from 0 to `count` - 1. Never to be changed: hosts would change their stacks. */
export function placeOfName(name: string, count: number): number {
  let seed = createHash("sha256").update(name).digest().readBigUInt64BE();
  let place = 0;
  for (let next = 0; next < count;) {
    place = next;
    seed = BigInt.asUintN(64, seed * MULTIPLIER + 1n);
    next = Math.floor((place + 1) * (2 ** 31 / (Number(seed >> 33n) + 1)));
  }
  return place;
}
