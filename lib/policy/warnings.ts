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
    applies: ({ connection }) => connection.hostKey === undefined && connection.bastionHost === undefined,
  },
  {
    what: "The host key is not pinned, so another machine could answer",
    remedy:
      "behind a bastion, connection.hostKey works with Terraform 1.15 or later only; earlier ones, and OpenTofu, have to do without",
    applies: ({ connection }) => connection.hostKey === undefined && connection.bastionHost !== undefined,
  },
  {
    what: "hostKey behind a bastion works with Terraform 1.15 or later only: earlier ones, and OpenTofu, check the bastion against it, and the deploy fails with a key mismatch (hashicorp/terraform#38318)",
    remedy: "there, leave connection.hostKey out; with 1.15, give bastion.hostKey too",
    applies: ({ connection }) => connection.hostKey !== undefined && connection.bastionHost !== undefined,
  },
  {
    what: "bastion.hostKey is not checked by Terraform before 1.15, nor by OpenTofu, so another machine could answer in place of the bastion",
    remedy: "deploy with Terraform 1.15 or later, or from a network in which nobody can do that",
    applies: ({ connection }) => connection.hostKey === undefined && connection.bastionHostKey !== undefined,
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
