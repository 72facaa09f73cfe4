/** What a deploy leads to, as one short text: the same from the plan before, and from state and hosts after. */
import { createHash } from "node:crypto";

/** A host that is locked. */
export interface LockedHost {
  /** Its name in `hosts`. */
  readonly key: string;
  /** What Terraform connects to. */
  readonly address: string;
  /** The SHA-256 of its ruleset: `ruleset` in the host's own `status --json`, `ruleset_sha256` in the state. */
  readonly ruleset: string;
  /** The version of its host program: `program` in the host's own `status --json`, `host_program` in the state. */
  readonly program: string;
}

/**
 * The SHA-256, in hexadecimal, of a first line `ssh-only-firewall 1` and then for each host the JSON list
 * `["KEY","ADDRESS","RULESET","PROGRAM"]` without blanks, sorted by code unit, each line ended by a newline.
 *
 * Who owns a lock, the names of resources and the times are not in it: two states that lock the same hosts in the same
 * way have the same fingerprint. A host that two firewalls list is in it twice.
 */
export function fingerprint(hosts: readonly LockedHost[]): string {
  const lines = hosts.map(({ key, address, ruleset, program }) => JSON.stringify([key, address, ruleset, program]));
  const text = ["ssh-only-firewall 1", ...lines.sort(), ""].join("\n");
  return createHash("sha256").update(text).digest("hex");
}
