/** Plans as `terraform show -json` prints them, made up: for what a real Terraform does not do on request. */
import { createHash } from "node:crypto";
import { items } from "../../support/required";
import { launcher } from "../../../lib/host/program";
import { parsePolicy } from "../../../lib/policy/policy";
import { Problems } from "../../../lib/input/problems";
import { renderRulesets } from "../../../lib/ruleset/backends";

export interface MadeUpHost {
  readonly key: string;
  readonly address?: string;
  readonly hostKey?: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  /** What it does before and after. */
  readonly mode?: readonly [string, string];
  /** The trigger drift, before and after; undefined where there is none. */
  readonly drift?: readonly [string | undefined, string | undefined];
}

/** The three texts of a policy, and their hash. */
export function rulesetOf(
  allowFrom: readonly string[],
  mode = "enforce",
): { texts: Record<string, string>; hash: string } {
  const policy = parsePolicy({ allowFrom, mode }, new Problems());
  const { nftables = "", iptables = "", ip6tables = "" } = policy === undefined ? {} : renderRulesets(policy, "auto");
  const hash = createHash("sha256").update(`${nftables}${iptables}${ip6tables}`).digest("hex");
  return { texts: { nftables, iptables, ip6tables }, hash };
}

export const PROGRAM = "0123456789ab";
const WORLD_BUT_ONE = ["192.0.2.0/24"];
const ENFORCED = ["enforce", "enforce"] as const;

/** Hosts that are locked for the first time, or (with `before`) locked again with other sources. */
export function planOf(
  hosts: readonly MadeUpHost[],
  others: Readonly<Record<string, unknown>> = {},
  takeOver = "false",
): Record<string, unknown> {
  const policies = new Map(
    hosts.flatMap(({ before, after, mode = ENFORCED }) =>
      [before ?? [], after ?? WORLD_BUT_ONE].map(
        (one, side) => [`${one.join()} ${mode[side]}`, [one, mode[side]]] as const,
      ),
    ),
  );
  const rulesets = [...policies.values()]
    .filter(([one]) => one.length > 0)
    .map(([one, mode], index) => {
      const { texts } = rulesetOf(one, mode);
      return change("ruleset", `r${index}`, ["no-op"], { triggers_replace: texts }, { triggers_replace: texts });
    });
  const resource_changes = [...rulesets, ...hosts.flatMap((host, index) => changesOf(host, index))];
  const provisioner = (text: string): unknown => ({
    type: "remote-exec",
    expressions: { inline: { constant_value: [["#!/bin/sh", text, "", launcher()].join("\n")] } },
  });
  const lock = [
    "VERB='lock'",
    "BACKEND='auto'",
    "CONFIRM_WITHIN='120'",
    "PERSIST='true'",
    "SKIP_PREFLIGHT='false'",
    `TAKE_OVER='${takeOver}'`,
  ];
  const block = (name: string, provisioners: unknown[], references: string[] = []): unknown => {
    return {
      mode: "managed",
      type: "terraform_data",
      name: `fleet_${name}`,
      provisioners,
      expressions: { triggers_replace: { references } },
    };
  };
  const resources = [
    block("ruleset", []),
    block("hold", [provisioner('SSH_ONLY_VERB=\'${replace(join(" ", ["unlock", self.id]), "\'", "\'\\\\\'\'")}\'')]),
    block(
      "lockdown",
      [provisioner(lock.map((one) => `SSH_ONLY_${one}`).join("\n")), provisioner("SSH_ONLY_VERB='confirm'")],
      ["terraform_data.fleet_hold"],
    ),
  ];
  return {
    format_version: "1.2",
    complete: true,
    resource_changes,
    configuration: { root_module: { resources } },
    ...others,
  };
}

function changesOf(
  {
    key,
    address,
    hostKey = "pinned",
    before,
    after = WORLD_BUT_ONE,
    mode = ENFORCED,
    drift = [undefined, undefined],
  }: MadeUpHost,
  index: number,
): unknown[] {
  const at = address ?? (index === 0 ? "192.0.2.10" : `10.0.${index >> 8}.${index & 255}`);
  const triggers = (from: readonly string[], side: 0 | 1) => ({
    id: `lockdown ${key}`,
    triggers_replace: {
      address: at,
      hold: `hold ${key}`,
      host_program: PROGRAM,
      mode: mode[side],
      ...(drift[side] === undefined ? {} : { drift: drift[side] }),
      ruleset_sha256: rulesetOf(from, mode[side]).hash,
    },
    input: { host_key: hostKey },
  });
  const held = { id: `hold ${key}`, triggers_replace: { address: at }, input: {} };
  const actions = before === undefined ? ["create"] : ["delete", "create"];
  return [
    change("hold", key, before === undefined ? ["create"] : ["no-op"], before && held, held),
    change("lockdown", key, actions, before && triggers(before, 0), triggers(after, 1)),
  ];
}

export function change(
  part: string,
  index: string,
  actions: string[],
  before: unknown,
  after: unknown,
): Record<string, unknown> {
  const name = `fleet_${part}`;
  return {
    address: `terraform_data.${name}[${JSON.stringify(index)}]`,
    mode: "managed",
    type: "terraform_data",
    name,
    index,
    change: {
      actions,
      before: before ?? null,
      after: after ?? null,
      after_unknown: {},
      before_sensitive: {},
      after_sensitive: {},
    },
  };
}

/** The same plan with hosts in resources of other names, hold and lockdown by host, and ids that are not known yet. */
export function spread(plan: unknown, names: Readonly<Record<string, readonly string[]>>): unknown {
  interface Named {
    name: string;
    index: string;
    address: string;
    change: Record<string, unknown>;
    expressions: { triggers_replace: { references: string[] } };
  }
  const copy = JSON.parse(JSON.stringify(plan)) as {
    resource_changes: Named[];
    configuration: { root_module: { resources: Named[] } };
  };
  const root = copy.configuration.root_module;
  const blocks = new Map(root.resources.map((block) => [block.name, block]));
  const renamed = new Map<string, Named>();
  for (const one of copy.resource_changes.filter(({ name }) => /_(hold|lockdown)$/.test(name))) {
    const [hold, lockdown] = items(names[one.index] ?? [], 2);
    const name = `fleet_${one.name === "fleet_hold" ? hold : lockdown}`;
    const references = one.name === "fleet_hold" ? [] : [`terraform_data.fleet_${hold}`];
    renamed.set(name, { ...(blocks.get(one.name) as Named), name, expressions: { triggers_replace: { references } } });
    Object.assign(one, { name, address: `terraform_data.${name}["${one.index}"]` });
    const after = one.change.after as { id?: string; triggers_replace: { hold?: string } };
    delete after.id;
    delete after.triggers_replace.hold;
    one.change.after_unknown = { id: true, triggers_replace: references.length === 0 ? {} : { hold: true } };
  }
  root.resources = [...root.resources.filter(({ name }) => name === "fleet_ruleset"), ...renamed.values()];
  return copy;
}

export const bytesOf = (plan: unknown): Uint8Array => Buffer.from(JSON.stringify(plan));
