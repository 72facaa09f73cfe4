/**
 * The texts that a host needs for its backend. One that has nftables needs those of iptables as well: they stand in filter
 * tables of others that drop by default (ARCHITECTURE.md, "Other firewalls"), and `auto` falls back on them.
 */
import type { Backend } from "../policy/host";
import type { Policy } from "../policy/policy";
import { renderIptables } from "./iptables";
import { renderNftables } from "./nftables";

export interface Rulesets {
  readonly nftables?: string;
  readonly iptables: string;
  readonly ip6tables: string;
}

export function renderRulesets(policy: Policy, backend: Backend): Rulesets {
  return {
    ...(backend === "iptables" ? {} : { nftables: renderNftables(policy) }),
    iptables: renderIptables(policy, "ipv4"),
    ip6tables: renderIptables(policy, "ipv6"),
  };
}
