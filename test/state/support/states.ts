/** States as Terraform writes them, small, in all their forms. */
import { createHash } from "node:crypto";
import type { TrackerKind } from "../../../lib/index";

export interface Tracked {
  readonly key: string;
  readonly address?: string;
  readonly owner?: string;
  readonly memory?: Readonly<Record<string, string>>;
  readonly lockdown?: "whole" | "tainted" | "none" | "of another hold";
  readonly hold?: "none";
  /** Made in the same run as the lockdown, in a later one, or behind a relock. @default "of its run" */
  readonly seal?:
    | "of its run"
    | "of its run, with others"
    | "of a later run, with others"
    | "of others"
    | "of a later run"
    | "none"
    | "of a relock"
    | "of a relock that did not end";
  readonly mode?: string;
  readonly drift?: string;
}

export const TEXTS = {
  nftables: "table inet ssh_only_firewall {\n\tchain input {\n\t\ttcp dport 22 accept\n\t}\n}\n",
  iptables: "",
  ip6tables: "",
};
export const RULESET = createHash("sha256").update(TEXTS.nftables).digest("hex");
export const PROGRAM = "0123456789ab";

export const addressOf = (host: Tracked): string => host.address ?? "192.0.2.1";
export const ownerOf = (host: Tracked): string => host.owner ?? `owner-of-${host.key}`;

interface Resource {
  /** @default - as the tracker of the state */
  readonly type?: string;
  readonly name: string;
  readonly index: string;
  readonly tainted: boolean;
  readonly id: string;
  readonly triggers: Record<string, string>;
  readonly memory: Readonly<Record<string, string | readonly string[]>>;
}

const [FIRST, SECOND, THIRD] = ["2026-11-28T10:00:00Z", "2026-11-28T11:00:00Z", "2026-11-28T12:00:00Z"];

function seals(key: string, seal: Required<Tracked>["seal"], firewall: string): Resource[] {
  const made = (part: string, triggers: Record<string, string>, plannedAt: string): Resource => ({
    type: "terraform_data",
    name: `${firewall}_${part}_host_${createHash("sha256").update(key).digest("hex").slice(0, 12)}`,
    index: key,
    tainted: false,
    id: `${part}-of-${key}`,
    triggers,
    memory: { planned_at: plannedAt },
  });
  const sealed = (at: string): Resource => made("seal", { sealed_lockdown: `lock-of-${key}` }, at);
  const relock = made("relock", { relocked_lockdown: `lock-of-${key}` }, SECOND);
  const resealed = (at: string): Resource => made("reseal", { sealed_relock: `relock-of-${key}` }, at);
  /** As a large fleet has them: one for all hosts of a group that one plan has locked. */
  const sealedTogether = (at: string, keys: readonly string[]): Resource => ({
    ...made("seal", { sealed_plan: FIRST }, at),
    name: `${firewall}_seal_16_03`,
    index: FIRST,
    memory: { planned_at: at, lockdowns: keys.map((one) => `lock-of-${one}`) },
  });
  return {
    "of its run": [sealed(FIRST)],
    "of its run, with others": [sealedTogether(FIRST, ["other", key])],
    "of a later run, with others": [sealedTogether(SECOND, ["other", key])],
    "of others": [sealedTogether(FIRST, ["other"])],
    "of a later run": [sealed(SECOND)],
    none: [],
    "of a relock": [sealed(SECOND), relock, resealed(SECOND)],
    "of a relock that did not end": [sealed(SECOND), relock, resealed(THIRD)],
  }[seal];
}

function resources(hosts: readonly Tracked[], firewall: string): Resource[] {
  const plain = { tainted: false, memory: {} };
  return [
    { ...plain, name: `${firewall}_ruleset`, index: "shared", id: "ruleset", triggers: TEXTS },
    ...hosts.flatMap((host) => {
      const { key, memory = {}, lockdown = "whole", seal = "of its run" } = host;
      const hold = { name: `${firewall}_hold`, index: key, id: ownerOf(host), triggers: { address: addressOf(host) } };
      const triggers = {
        address: addressOf(host),
        hold: lockdown === "of another hold" ? "an-earlier-one" : ownerOf(host),
        host_program: PROGRAM,
        ruleset_sha256: RULESET,
        ...(host.mode === undefined ? {} : { mode: host.mode }),
        ...(host.drift === undefined ? {} : { drift: host.drift }),
      };
      return [
        ...(host.hold === "none" ? [] : [{ ...plain, ...hold, memory }]),
        ...(lockdown === "none"
          ? []
          : [
              {
                ...plain,
                name: `${firewall}_lockdown`,
                index: key,
                id: `lock-of-${key}`,
                tainted: lockdown === "tainted",
                triggers,
                memory: { planned_at: FIRST },
              },
              ...(lockdown === "tainted" ? [] : seals(key, seal, firewall)),
            ]),
      ];
    }),
  ];
}

export interface Form {
  readonly tracker: TrackerKind;
  readonly module?: string;
  readonly firewall?: string;
}

/** What terraform show -json prints. */
export function shown(hosts: readonly Tracked[], { tracker, module, firewall = "fleet" }: Form): unknown {
  const own = resources(hosts, firewall).map(({ type = tracker, name, index, tainted, id, triggers, memory }) => ({
    address: `${type}.${name}["${index}"]`,
    mode: "managed",
    type,
    name,
    index,
    schema_version: 0,
    values:
      type === "null_resource"
        ? { id, triggers: { ...memory, ...triggers } }
        : { id, input: memory, output: memory, triggers_replace: triggers },
    ...(tainted ? { tainted } : {}),
  }));
  const root_module =
    module === undefined ? { resources: own } : { child_modules: [{ address: module, resources: own }] };
  return { format_version: "1.0", terraform_version: "1.11.4", values: { outputs: {}, root_module } };
}

/** A state file. */
export function filed(hosts: readonly Tracked[], { tracker, module, firewall = "fleet" }: Form): unknown {
  const all = resources(hosts, firewall);
  const typed = (value: unknown): unknown => ({ value, type: ["object", {}] });
  return {
    version: 4,
    terraform_version: "1.11.4",
    serial: 1,
    lineage: "0",
    outputs: {},
    resources: [...new Map(all.map((one) => [one.name, one.type ?? tracker]))].map(([name, type]) => ({
      ...(module === undefined ? {} : { module }),
      mode: "managed",
      type,
      name,
      provider: "provider",
      instances: all
        .filter((one) => one.name === name)
        .map(({ index, tainted, id, triggers, memory }) => ({
          index_key: index,
          ...(tainted ? { status: "tainted" } : {}),
          attributes:
            type === "null_resource"
              ? { id, triggers: { ...memory, ...triggers } }
              : { id, input: typed(memory), output: typed(memory), triggers_replace: typed(triggers) },
        })),
    })),
  };
}

/** What terraform output -json prints. */
export function outputs(hosts: readonly Tracked[]): unknown {
  const value = Object.fromEntries(
    hosts.map((host) => [host.key, { address: addressOf(host), hold: ownerOf(host), ruleset_sha256: RULESET }]),
  );
  return { locked_hosts: { sensitive: false, type: ["object", {}], value }, other: { type: "string", value: "x" } };
}
