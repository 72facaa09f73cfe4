/** How a fleet is spread over resources: shards, and the order in which hosts are locked. */
import { reader } from "../input/keys";
import { closest } from "../input/names";
import type { Problems } from "../input/problems";
import { parseInteger, parseList } from "../input/values";
import { valueMessages } from "../input/value-messages";
import { firewallMessages } from "./firewall-messages";

export interface Layout {
  readonly shards: number;
  /** The oldest first. */
  readonly movedFromShards: readonly number[];
  readonly waves: readonly (readonly string[])[];
}

/** At 100 hosts a shard, these are more than one state should have. */
export const MOST_SHARDS = 256;

/** @param props with the keys `shards`, `movedFromShards` and `waves`. */
export function parseLayout(props: Readonly<Record<string, unknown>>, problems: Problems): Layout {
  const read = reader(props, problems);
  const shards = read("shards", parseShards) ?? 1;
  return {
    shards,
    movedFromShards: read("movedFromShards", (value, at) => parseMovedFrom(value, shards, at)) ?? [],
    waves: read("waves", parseWaves) ?? [],
  };
}

function parseShards(value: unknown, problems: Problems): number | undefined {
  return parseInteger(value, { min: 1, max: MOST_SHARDS }, problems);
}

function parseMovedFrom(value: unknown, shards: number, problems: Problems): readonly number[] {
  const numbers = Array.isArray(value)
    ? (parseList(value, problems) ?? []).map((one, index) =>
        one === undefined ? undefined : parseShards(one, problems.at(`[${index}]`)),
      )
    : [parseShards(value, problems)];
  const known = numbers.filter((one) => one !== undefined);
  const twice = [...known, shards].find((one, index, all) => all.indexOf(one) !== index);
  if (twice !== undefined) {
    problems.add("", twice === shards ? firewallMessages.sameShards(shards) : firewallMessages.shardsTwice(twice));
  }
  return [...new Set(known)].filter((one) => one !== shards);
}

function parseWaves(value: unknown, problems: Problems): string[][] {
  return (parseList(value, problems) ?? []).map((wave, index) => {
    const place = problems.at(`[${index}]`);
    return (parseList(wave, place) ?? []).filter((key, position): key is string => {
      if (typeof key !== "string") {
        place.add(`[${position}]`, valueMessages.notAString(key));
      }
      return typeof key === "string";
    });
  });
}

/** Looking for what was meant takes a while in a large fleet; more are hardly misspellings. */
const MOST_SUGGESTIONS = 3;

/** Adds a problem for each name in a wave that is not a host, or is in a wave before. */
export function checkWaves(waves: Layout["waves"], keys: readonly string[], problems: Problems): void {
  const seen = new Set<string>();
  const known = new Set(keys);
  let suggestions = 0;
  const suggestion = (key: string): string | undefined =>
    suggestions++ < MOST_SUGGESTIONS ? closest(key, keys) : undefined;
  waves.forEach((wave, index) =>
    wave.forEach((key, position) => {
      const place = `[${index}][${position}]`;
      if (!known.has(key)) {
        problems.add(place, () => firewallMessages.notInHosts(key, suggestion(key)));
      } else if (seen.has(key)) {
        problems.add(place, firewallMessages.inTwoWaves(key));
      }
      seen.add(key);
    }),
  );
}
