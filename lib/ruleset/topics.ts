/** The policy as a list of topics, in the order in which their rules stand in each chain. */
import type { Policy } from "../policy/policy";
import { deniedTopics } from "./denied";
import { exceptionTopic } from "./exceptions";
import { ipv6LinkTopics, loopback, pathMtu } from "./plumbing";
import type { ChainName, Group, Topic } from "./rule";
import { ssh } from "./ssh";

export const CHAINS: readonly ChainName[] = ["input", "output", "forward"];

/** The rules of each chain, in groups that each say why they are there. */
export type Chains = Readonly<Record<ChainName, readonly Group[]>>;

export function chainsOf(policy: Policy): Chains {
  const topics: readonly Topic[] = [
    // A packet of SSH passes by the first rule that it meets.
    ssh(policy),
    loopback(),
    pathMtu(policy),
    ...ipv6LinkTopics(policy),
    ...policy.exceptions.map((exception) => exceptionTopic(exception, policy.mode)),
    ...deniedTopics(policy),
  ];
  const groups = (chain: ChainName): readonly Group[] =>
    topics.flatMap((topic) => topic[chain] ?? []).filter((group) => group.rules.length > 0);
  return { input: groups("input"), output: groups("output"), forward: groups("forward") };
}
