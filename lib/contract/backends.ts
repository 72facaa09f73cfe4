/** The backends, and the names under which the texts that each of them loads stand in plan, state and host. */
const TEXTS = {
  nftables: ["nftables"],
  iptables: ["iptables", "ip6tables"],
} as const;

export type BackendName = keyof typeof TEXTS;

export type RulesetTextName = (typeof TEXTS)[BackendName][number];

export const BACKEND_NAMES = Object.keys(TEXTS) as readonly BackendName[];

/**
 * The triggers of a ruleset: one text for each program that loads it, empty where the host does not need it. The SHA-256 of a ruleset
 * is taken over them in this order.
 */
export const RULESET_TEXTS: readonly RulesetTextName[] = Object.values(TEXTS).flat();

/** The texts of a ruleset; a host does not need those of every backend. */
export type RulesetTexts = Readonly<Partial<Record<RulesetTextName, string>>>;
