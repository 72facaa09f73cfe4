/** The stacks that a fleet is made into: all hosts in one, or each in that to which the fleet file assigns it. */
import type { Fleet } from "./fleet-file";

/** What has a state of its own. Of a fleet that is not divided, the whole of it. */
export type FleetPart = Pick<Fleet, "name" | "firewall" | "state">;

/** Numbers by size, groups by name. Of what has no host, no stack is made. */
export function stacksOf({ name, firewall, state, split }: Fleet): readonly FleetPart[] {
  if (split === undefined) {
    return [{ name, firewall, state }];
  }
  const parts = firewall.divided(split.partOf);
  return (split.parts ?? [...parts.keys()].sort()).flatMap((part) => {
    const own = parts.get(part);
    return own === undefined ? [] : [{ name: `${name}-${part}`, firewall: own, state }];
  });
}

/** The numbered stacks that have no host. */
export function emptyStacksOf(fleet: Fleet, stacks = stacksOf(fleet)): readonly string[] {
  const made = new Set(stacks.map(({ name }) => name));
  return (fleet.split?.parts ?? []).map((part) => `${fleet.name}-${part}`).filter((name) => !made.has(name));
}

/** The stacks of a divided fleet that have no host of its first wave. */
export function withoutFirstWave(fleet: Fleet, stacks = stacksOf(fleet)): readonly string[] {
  const first = fleet.firewall.settings.layout.waves.find((wave) => wave.length > 0);
  return fleet.split === undefined || first === undefined
    ? []
    : stacks.filter(({ firewall }) => !first.some((key) => firewall.host(key))).map(({ name }) => name);
}

/** The stack of each host. */
export function stackOfHosts(stacks: readonly FleetPart[]): ReadonlyMap<string, FleetPart> {
  return new Map(stacks.flatMap((part) => part.firewall.hosts.map(({ key }) => [key, part] as const)));
}
