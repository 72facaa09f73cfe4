/**
 * Which resource stands for which host. Terraform looks at a whole map for each of its instances, so a large fleet is
 * spread over shards; and it puts only whole resources in order, so hosts that are locked before others are in waves.
 */
import { createHash } from "node:crypto";
import { PARTS, shardSuffix, waveSuffix } from "../contract/names";
import type { Layout as ParsedLayout } from "../policy/layout";

/** The hosts of a wave are locked before those of the next; all others come after them. */
export type Layout = Pick<ParsedLayout, "shards" | "waves">;

/** Hosts of one shard that are locked at the same time: one resource. */
export interface Group {
  /** What its name ends in. */
  readonly suffix: string;
  /** With what that begins; empty for those that are in no wave. */
  readonly wave: string;
  readonly shard: number;
  /** The hosts of the shard that are in it, or else all but those. */
  readonly only?: readonly string[];
  readonly allBut?: readonly string[];
}

/** Depends on the host's key alone, so that hosts that come and go move no other. */
export function shardOf(key: string, shards: number): number {
  return shards === 1 ? 0 : createHash("sha256").update(key).digest().readUInt32BE(0) % shards;
}

/** The waves in their order; the last one has all hosts that are in no other. */
export function groupsOf({ shards, waves }: Layout): ReadonlyArray<readonly Group[]> {
  const numbers = Array.from({ length: shards }, (_, shard) => shard);
  const placed = (wave: string, shard: number): Group => ({ suffix: wave + shardSuffix(shard, shards), wave, shard });
  const inShard = (keys: readonly string[], shard: number): readonly string[] =>
    keys.filter((key) => shardOf(key, shards) === shard);
  const named = waves.map((keys, index) =>
    numbers
      .map((shard) => ({ ...placed(waveSuffix(index), shard), only: inShard(keys, shard) }))
      .filter(({ only }) => only.length > 0),
  );
  const rest = numbers.map((shard) => ({ ...placed("", shard), allBut: inShard(waves.flat(), shard) }));
  return [...named, rest];
}

/** What the name of the hold and of the lockdown of a host end in. */
export function suffixesOf(
  key: string,
  { shards, waves }: Layout,
): Readonly<Record<typeof PARTS.hold | typeof PARTS.lockdown, string>> {
  const hold = shardSuffix(shardOf(key, shards), shards);
  const wave = waves.findIndex((keys) => keys.includes(key));
  return { [PARTS.hold]: hold, [PARTS.lockdown]: wave === -1 ? hold : waveSuffix(wave) + hold };
}

/** As many hosts as are sealed alone, each in a resource of its own: a plan takes longer with each resource. */
export const MOST_SEALED_ALONE = 64;

/** Whether each host of a fleet of that size is. */
export const areSealedAlone = (hosts: number): boolean => hosts <= MOST_SEALED_ALONE;

/** Into how many groups the hosts of a larger fleet are spread, which are sealed together. Another number would lock each host again. */
export const SEAL_GROUPS = 16;

/** What the names of the holds end in, shard by shard. */
export function shardSuffixes(shards: number): readonly string[] {
  return Array.from({ length: shards }, (_, shard) => shardSuffix(shard, shards));
}
