/** What is wrong with a firewall as a whole: its hosts together, shards, waves, drift detection. */
import { didYouMean } from "../input/value-messages";
import { kindOf, shown } from "../output/text";

export const firewallMessages = {
  noHosts: (): string => "no host was added: name hosts in the property hosts, or call addHost()",
  notDependable: (value: unknown): string =>
    `must be a resource, or another construct with an fqn, not ${kindOf(value)}`,
  noDriftDetection: (): string => "has no effect unless detectDrift is true; set it, or leave this out",
  sameShards: (shards: number): string =>
    `has ${shards}, which is the current value of shards, so there is nothing to move from there; take it out`,
  shardsTwice: (shards: number): string => `has ${shards} twice; name each number once, the oldest first`,
  notInHosts: (key: string, suggestion: string | undefined): string =>
    `${shown(key)} is not a host of this firewall; ` +
    (suggestion === undefined ? "name one of its hosts" : didYouMean(shown(suggestion))),
  inTwoWaves: (key: string): string => `${shown(key)} is in a wave already; take it out of one`,
} as const;
