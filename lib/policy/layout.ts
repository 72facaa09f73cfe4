/** How a fleet is spread over resources: shards, and the order in which hosts are locked. */
import { hostMessages } from "./host-messages";
import { closest } from "../input/keys";
import { messages } from "../input/messages";
import type { Problems } from "../input/problems";
import { parseInteger } from "../input/values";

export interface ParsedLayout {
  readonly shards: number;
  /** The oldest first. */
  readonly movedFromShards: readonly number[];
  readonly waves: readonly (readonly string[])[];
}

/** At 100 hosts a shard, these are more than one state should have. */
const MOST_SHARDS = 256;

/** @param props with the keys `shards`, `movedFromShards` and `waves`. */
export function parseLayout(props: Readonly<Record<string, unknown>>, problems: Problems): ParsedLayout {
  const count = (value: unknown, place: Problems): number | undefined =>
    value === undefined ? undefined : parseInteger(value, { min: 1, max: MOST_SHARDS }, place);
  const shards = count(props.shards, problems.at("shards")) ?? 1;
  const before = problems.at("movedFromShards");
  const movedFromShards = Array.isArray(props.movedFromShards)
    ? props.movedFromShards.map((value: unknown, index) => count(value, before.at(`[${index}]`)))
    : [count(props.movedFromShards, before)];
  const known = movedFromShards.filter((one) => one !== undefined);
  const twice = [...known, shards].find((one, index, all) => all.indexOf(one) !== index);
  if (twice !== undefined) {
    before.add("", twice === shards ? hostMessages.sameShards(shards) : hostMessages.shardsTwice(twice));
  }
  return {
    shards,
    movedFromShards: [...new Set(known)].filter((one) => one !== shards),
    waves: parseWaves(props.waves, problems.at("waves")),
  };
}

function parseWaves(value: unknown, problems: Problems): string[][] {
  return listOf(value, problems).map((wave, index) => {
    const place = problems.at(`[${index}]`);
    const keys = listOf(wave, place);
    return keys.filter((key, position): key is string => {
      if (typeof key !== "string") {
        place.add(`[${position}]`, messages.notAString(key));
      }
      return typeof key === "string";
    });
  });
}

function listOf(value: unknown, problems: Problems): readonly unknown[] {
  if (value !== undefined && !Array.isArray(value)) {
    problems.add("", messages.notAList(value));
  }
  return Array.isArray(value) ? value : [];
}

/** Adds a problem for each name in a wave that is no host, or stands in a wave before. */
export function checkWaves(waves: ParsedLayout["waves"], keys: readonly string[], problems: Problems): void {
  const seen = new Set<string>();
  const known = new Set(keys);
  waves.forEach((wave, index) =>
    wave.forEach((key, position) => {
      const place = `[${index}][${position}]`;
      if (!known.has(key)) {
        problems.add(place, hostMessages.notInHosts(key, closest(key, keys)));
      } else if (seen.has(key)) {
        problems.add(place, hostMessages.inTwoWaves(key));
      }
      seen.add(key);
    }),
  );
}
