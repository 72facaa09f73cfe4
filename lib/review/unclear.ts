/** What looks like a part of a firewall and is not as this package writes it. */
import { hasVerb, isScript, variable, VERB, VERBS } from "../contract/script";
import { TRIGGERS } from "../contract/triggers";
import { type Change, known, type Plan } from "./plan";
import { type Block, blockOf, UNKNOWN_BLOCK } from "./plan-configuration";
import { type FirewallResource, SIDES, trigger, triggerNames, verbOf } from "./resources";
import { type Text, text } from "./text";

/** Marks that only a lockdown or one of our scripts has, on what is neither. */
export function strayMarks(change: Change, plan: Plan): readonly Text[] {
  const block = plan.blocks.get(blockOf(change));
  const names = SIDES.flatMap((side) => triggerNames(change, side));
  const marks = [
    ...new Set(names.filter((name) => name === TRIGGERS.program || name === TRIGGERS.ruleset)),
    ...(block?.provisioners.some((script) => hasVerb(script ?? "")) ? [variable(VERB)] : []),
  ];
  return marks.length === 0
    ? []
    : [
        text`${change.address} looks like a part of a firewall (${marks.join(", ")}), but is not one that this version knows`,
      ];
}

const OF_A_LOCKDOWN = [
  [VERBS.lock, VERBS.confirm],
  [VERBS.lock, VERBS.probation, VERBS.confirm],
];
/** Earlier versions did not confirm an unlock. */
const OF_A_HOLD = [[VERBS.unlock, VERBS.confirmUnlock], [VERBS.unlock], []];

/** A firewall's own provisioners are lock, confirm and what may come between, and unlock and its confirm or nothing; whatever else runs is not described here. */
export function otherProvisioners(
  lockdowns: readonly FirewallResource[],
  holds: readonly FirewallResource[],
): readonly Text[] {
  return [...unexpected(lockdowns, OF_A_LOCKDOWN), ...unexpected(holds, OF_A_HOLD)];
}

export const hasProbation = ({ provisioners }: Block): boolean =>
  OF_A_LOCKDOWN.some((verbs) => verbs.length === provisioners.length && verbs.includes(VERBS.probation));

function unexpected(
  resources: readonly FirewallResource[],
  allowed: ReadonlyArray<readonly string[]>,
): readonly Text[] {
  const byBlock = new Map(resources.map(({ change, block }) => [blockOf(change), block] as const));
  return [...byBlock].flatMap(([address, block]) => {
    const verbs = block?.provisioners.map(verbOf) ?? [];
    return block === undefined || block === UNKNOWN_BLOCK || allowed.some((expected) => matches(verbs, expected))
      ? []
      : [text`${address} runs other provisioners than those of this firewall; read them in the configuration`];
  });
}

/** A script that is not in the plan word for word may be the expected one. */
function matches(verbs: ReadonlyArray<string | undefined>, expected: readonly string[]): boolean {
  return (
    verbs.length === expected.length && verbs.every((verb, index) => verb === undefined || verb === expected[index])
  );
}

/** What this package uploads. */
export interface Uploads {
  /** What a script may end with. */
  readonly launchers: readonly string[];
  /** The version of the host program and the launcher together, as a configuration works it out from the texts that it has. */
  readonly version: string;
}

/** Of what looks like ours. A script that is not in the plan word for word is not compared: its settings are said to be untold. */
export function otherScripts(resources: readonly FirewallResource[], uploads: Uploads): readonly Text[] {
  const { launchers, version } = uploads;
  const others = resources.filter(
    ({ change, block }) =>
      block?.provisioners.some((one) => (verbOf(one) ?? "") !== "" && !isScript(one ?? "", launchers)) === true ||
      (change.actions.includes("create") && (known(trigger(change, "after", TRIGGERS.program)) ?? version) !== version),
  );
  return [...new Set(others.map(({ change }) => blockOf(change)))].map(
    (address) =>
      text`${address} uploads a script that this version of ssh-only-firewall does not write: read it, or review with the version that wrote the configuration`,
  );
}
