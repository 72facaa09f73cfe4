/** What is not wrong with a firewall, but should be known before it is deployed. */
import { listed } from "../output/text";
import type { Firewall } from "./firewall";
import type { Host } from "./host";

/** With this many, half of the time of a plan is spent on looking at whole maps. */
const MOST_IN_SHARD = 500;

const WARNINGS: ReadonlyArray<{
  readonly what: string;
  readonly remedy: string;
  readonly applies: (host: Host) => boolean;
}> = [
  {
    what: "SSH is open to every address",
    remedy: "name the sources in allowFrom",
    applies: ({ policy }) => policy.openToWorld,
  },
  {
    what: "The host key is not pinned, so another machine could answer",
    remedy: "give connection.hostKey",
    applies: ({ connection }) => connection.hostKey === undefined,
  },
];

export function warningsOf({ hosts, settings }: Firewall): readonly string[] {
  const ofHosts = WARNINGS.flatMap(({ what, remedy, applies }) => {
    const keys = hosts.filter(applies).map(({ key }) => key);
    return keys.length === 0 ? [] : [`${what} (${listed(keys, 5)}): ${remedy}.`];
  });
  return [...warningsOfSize(hosts.length, settings.layout.shards), ...ofHosts];
}

function warningsOfSize(size: number, shards: number): readonly string[] {
  return size <= MOST_IN_SHARD * shards
    ? []
    : [
        `${size} hosts in ${shards === 1 ? "one shard" : `${shards} shards`} make Terraform slow: set shards to 64, ` +
          `and movedFromShards to ${shards} where the hosts are in the state already.`,
      ];
}
