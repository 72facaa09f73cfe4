/** The stacks that a fleet is made into: all hosts in one, or each in that to which the fleet file assigns it. */
import type { SshOnlyFirewallProps } from "../ssh-only-firewall";
import type { Fleet } from "./fleet-file";

/** What has a state of its own. Of a fleet that is not divided, the whole of it. */
export type FleetPart = Pick<Fleet, "name" | "props" | "state">;

/** Numbers by size, groups by name. Of what has no host, no stack is made. */
export function stacksOf({ name, props, state, split }: Fleet): readonly FleetPart[] {
  if (split === undefined) {
    return [{ name, props, state }];
  }
  const hosts = new Map<string, Array<[string, string | object]>>();
  for (const entry of Object.entries(props.hosts ?? {})) {
    const part = split.partOf(entry[0]);
    const own = hosts.get(part) ?? [];
    own.push(entry);
    hosts.set(part, own);
  }
  return (split.parts ?? [...hosts.keys()].sort())
    .filter((part) => hosts.has(part))
    .map((part) => ({ name: `${name}-${part}`, props: propsOf(props, hosts.get(part) ?? []), state }));
}

function propsOf(props: SshOnlyFirewallProps, entries: ReadonlyArray<[string, string | object]>): SshOnlyFirewallProps {
  const hosts = Object.fromEntries(entries) as NonNullable<SshOnlyFirewallProps["hosts"]>;
  // A wave that has its hosts elsewhere stays, for resources are called by the number of their wave.
  const waves = props.waves?.map((wave) => wave.filter((key) => Object.hasOwn(hosts, key)));
  return { ...props, hosts, ...(waves === undefined ? {} : { waves }) };
}

/** The numbered stacks that have no host. */
export function emptyStacksOf(fleet: Fleet): readonly string[] {
  const made = new Set(stacksOf(fleet).map(({ name }) => name));
  return (fleet.split?.parts ?? []).map((part) => `${fleet.name}-${part}`).filter((name) => !made.has(name));
}

/** The stacks of a divided fleet that have no host of its first wave. */
export function withoutFirstWave(fleet: Fleet): readonly string[] {
  const first = fleet.props.waves?.find((wave) => wave.length > 0);
  return fleet.split === undefined || first === undefined
    ? []
    : stacksOf(fleet)
        .filter(({ props }) => !first.some((key) => Object.hasOwn(props.hosts ?? {}, key)))
        .map(({ name }) => name);
}

/** The stack of each host. */
export function stackOfHosts(fleet: Fleet): ReadonlyMap<string, FleetPart> {
  return new Map(
    stacksOf(fleet).flatMap((part) => Object.keys(part.props.hosts ?? {}).map((host) => [host, part] as const)),
  );
}
