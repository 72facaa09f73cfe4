/** The construct: hosts and a policy in, a ruleset and two resources a host out (ARCHITECTURE.md, "Terraform"). */
import {
  Annotations,
  Aspects,
  type IResolvable,
  type ITerraformDependable,
  type TerraformResource,
  Token,
} from "cdktf";
import { Construct } from "constructs";
import type { OnDestroy } from "./terraform/context";
import { FirewallResources } from "./terraform/firewall-resources";
import { parseBoolean } from "./policy/connection";
import {
  checkConnections,
  checkDistinctAddresses,
  type Host,
  type HostProps,
  parseHost,
  parseShared,
  type Shared,
  type SharedProps,
} from "./policy/host";
import { hostMessages } from "./policy/host-messages";
import { isObject, placeOf } from "./input/keys";
import { checkWaves, type ParsedLayout, parseLayout } from "./policy/layout";
import { messages } from "./input/messages";
import { describeProblem, type Problem, Problems } from "./input/problems";
import { parseChoice, parseWords } from "./input/values";
import type { TrackerKind } from "./contract/triggers";

export interface SshOnlyFirewallProps extends SharedProps {
  /**
   * The hosts, each under a name that never changes; text is the address. More can come by `addHost`.
   * @default - none
   */
  readonly hosts?: Readonly<Record<string, string | HostProps>>;
  /**
   * What `destroy`, and taking a host out, does to the host: `unlock` opens it, and fails when it cannot;
   * `unlock-if-reachable` goes on whatever fails: the host was unreachable, or refused to be unlocked. What it said is in the
   * output, Terraform adds no warning, and `status --live --also HOST` tells what is locked. `leave-locked` does nothing.
   * @default "unlock"
   */
  readonly onDestroy?: OnDestroy;
  /**
   * The resource that stands for a host: `null_resource` needs the null provider; Terraform's own `terraform_data`
   * needs Terraform 1.4, downloads nothing, and keeps the connection in the state up to date.
   * @default "null_resource"
   */
  readonly tracker?: TrackerKind;
  /**
   * How many resources the hosts are spread over, from 1 to 256, by a hash of their names: the time that Terraform takes
   * grows with the square of the hosts in each. 64 is good for 500 to 20,000 hosts.
   * @default 1
   */
  readonly shards?: number;
  /**
   * The number of shards before it was changed: the resources are then moved in the state, and nothing happens to the
   * hosts. Where states may be at several numbers, all of them, the oldest first. To be taken out again after the deploy:
   * with a number that is no longer true the holds leave the state, and the hosts stay locked.
   */
  readonly movedFromShards?: number | readonly number[];
  /**
   * Hosts that are locked before all others, wave by wave; where one fails, the later ones are not begun. A host that
   * is put into another wave is locked anew, without a gap.
   * @default - all at once
   */
  readonly waves?: readonly (readonly string[])[];
  /**
   * Whether each plan asks the hosts over ssh whether they are as the state says, and locks those again that are not. A host
   * that cannot be asked is named in a warning, and left as it is. Needs the provider hashicorp/external, and where
   * Terraform runs this package, `ssh`, and a way to the hosts.
   * @default false
   */
  readonly detectDrift?: boolean;
  /**
   * The program that asks, and its arguments: with another path, or with options such as `--identity FILE` behind it
   * (`ssh-only-firewall drift --help`). Runs in the folder in which Terraform does; only with `detectDrift`.
   * @default - npx --no --package=cdktf-ssh-only-firewall -- ssh-only-firewall drift
   */
  readonly driftProgram?: readonly string[];
  /** What must exist before the hosts are locked. */
  readonly dependsOn?: ITerraformDependable[];
}

/** One line of the inventory. */
export interface LockedHost {
  readonly address: string;
  readonly sshPort: number;
  /** The ruleset that the host gets: `shared`, or the name of the host that it was written for. */
  readonly ruleset: string;
}

const OWN_KEYS = [
  "hosts",
  "onDestroy",
  "tracker",
  "shards",
  "movedFromShards",
  "waves",
  "detectDrift",
  "driftProgram",
  "dependsOn",
] as const satisfies ReadonlyArray<keyof SshOnlyFirewallProps>;

/** Never downloads: it finds what is installed in a folder above, or what npx has run as the app of cdktf. */
const DRIFT_PROGRAM = "npx --no --package=cdktf-ssh-only-firewall -- ssh-only-firewall drift".split(" ");

/**
 * Closes hosts to everything but SSH. Each host is in the state exactly while it is locked.
 *
 * What is wrong with the properties fails the synth, all at once.
 */
export class SshOnlyFirewall extends Construct implements ITerraformDependable {
  /** One instance for each distinct ruleset; its text is the trigger, and what the hosts load. */
  public readonly ruleset: TerraformResource;
  /** One instance a host, whose id owns the lock; its destruction unlocks the host. A resource for each shard. */
  public readonly holds: readonly TerraformResource[];
  /** One instance a host; locks it, and locks it again when its ruleset changes. In the order of the waves. */
  public readonly lockdowns: readonly TerraformResource[];

  private readonly found = new Problems();
  private readonly shared: Shared;
  private readonly hosts = new Map<string, Host>();
  private sorted: readonly Host[] | undefined;
  private late: { hosts: readonly Host[]; isEmpty: boolean; list: readonly Problem[] } | undefined;
  private readonly layout: ParsedLayout;
  private readonly resources: FirewallResources;

  public constructor(scope: Construct, id: string, props: SshOnlyFirewallProps) {
    super(scope, id);
    this.shared = parseShared(props, this.found, OWN_KEYS);
    const choose = <T extends string>(key: keyof SshOnlyFirewallProps, otherwise: T, ...others: T[]): T =>
      props?.[key] === undefined
        ? otherwise
        : (parseChoice(props[key], [otherwise, ...others], this.found.at(key)) ?? otherwise);
    this.layout = parseLayout(isObject(props) ? props : {}, this.found);
    this.resources = new FirewallResources(this, {
      layout: this.layout,
      tracker: choose<TrackerKind>("tracker", "null_resource", "terraform_data"),
      onDestroy: choose<OnDestroy>("onDestroy", "unlock", "unlock-if-reachable", "leave-locked"),
      dependsOn: parseDependables(props?.dependsOn, this.found.at("dependsOn")),
      driftProgram: parseDriftProgram(props, this.found),
      shared: this.shared,
      hosts: () => this.sortedHosts(),
      assertSound: () => this.assertSound(),
    });
    ({ ruleset: this.ruleset, holds: this.holds, lockdowns: this.lockdowns } = this.resources);
    const hosts: unknown = props?.hosts;
    if (isObject(hosts)) {
      Object.entries(hosts).forEach(([key, host]) => this.addHost(key, host as string | HostProps));
    } else if (hosts !== undefined) {
      this.found.add("hosts", messages.notAnObject(hosts));
    }
    this.node.addValidation({ validate: () => this.problems.map(describeProblem) });
    this.warnAtSynth();
  }

  /** Adds a host, given by its address or with properties of its own. */
  public addHost(key: string, host: string | HostProps): void {
    const place = this.found.at("hosts").at(placeOf(key));
    if (this.hosts.has(key)) {
      place.add("", hostMessages.twice(key));
    }
    const parsed = parseHost(key, host, this.shared, place);
    if (parsed !== undefined) {
      this.hosts.set(key, parsed);
      this.sorted = undefined;
    }
  }

  /** For `dependsOn` of other resources, which then come after the hosts are locked. */
  public get fqn(): string {
    return this.resources.lockedHosts.fqn;
  }

  /** What is to be locked, by host: for other parts of a program. Addresses may be tokens. */
  public get inventory(): Readonly<Record<string, LockedHost>> {
    return Object.fromEntries(
      this.sortedHosts().map((host) => [
        host.key,
        { address: host.address, sshPort: host.policy.sshPort, ruleset: this.resources.rulesetKeyOf(host) },
      ]),
    );
  }

  /** What is locked, by host, as a Terraform value that exists once it is so: for outputs. Observed hosts are not in it. */
  public get lockedHosts(): IResolvable {
    return Token.asAny(this.resources.lockedHosts.fqn) as unknown as IResolvable;
  }

  /** What is wrong with the properties so far; any of it fails the synth. */
  public get problems(): readonly Problem[] {
    return [...this.found.list, ...this.lateProblems()];
  }

  /** What only all hosts together can be asked; once, for every part of the configuration asks when it is written. */
  private lateProblems(): readonly Problem[] {
    const hosts = this.sortedHosts();
    const { isEmpty } = this.found;
    if (this.late?.hosts !== hosts || this.late.isEmpty !== isEmpty) {
      const problems = new Problems();
      checkDistinctAddresses(hosts, problems.at("hosts"));
      checkConnections(hosts, this.shared, problems);
      if (isEmpty) {
        checkWaves(this.layout.waves, [...this.hosts.keys()], problems.at("waves"));
      }
      if (hosts.length === 0 && isEmpty) {
        problems.add("", hostMessages.noHosts());
      }
      this.late = { hosts, isEmpty, list: problems.list };
    }
    return this.late.list;
  }

  private sortedHosts(): readonly Host[] {
    this.sorted ??= [...this.hosts.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.sorted;
  }

  /** An unsound configuration is never written, also when validation is skipped: a host left out would be unlocked. */
  private assertSound(): void {
    if (this.problems.length > 0) {
      throw new Error(`${this.node.path} cannot be written:\n  ${this.problems.map(describeProblem).join("\n  ")}`);
    }
  }

  private warnAtSynth(): void {
    let warned = false;
    Aspects.of(this).add({
      visit: (node) => {
        if (node === this && !warned) {
          warned = true;
          this.warnOfSize();
          this.warn("SSH is open to every address", "name the sources in allowFrom", (host) => host.policy.openToWorld);
          this.warn(
            "With iptables, a flood from many addresses uses up the memory of the limit on new connections, and keeps everybody out",
            "name the sources in allowFrom, or leave newConnectionsPerMinute out",
            ({ policy, backend }) =>
              policy.openToWorld && policy.newConnectionsPerMinute !== undefined && backend !== "nftables",
          );
          this.warn(
            "The host key is not pinned, so another machine could answer",
            "give connection.hostKey",
            (host) => host.connection.hostKey === undefined,
          );
        }
      },
    });
  }

  private warnOfSize(): void {
    const { size } = this.hosts;
    if (size > MOST_IN_SHARD * this.layout.shards) {
      const { shards } = this.layout;
      Annotations.of(this).addWarning(
        `${size} hosts in ${shards === 1 ? "one shard" : `${shards} shards`} make Terraform slow: set shards to 64, ` +
          `and movedFromShards to ${shards} where the hosts are in the state already.`,
      );
    }
  }

  private warn(what: string, remedy: string, applies: (host: Host) => boolean): void {
    const keys = this.sortedHosts()
      .filter(applies)
      .map(({ key }) => key);
    if (keys.length > 0) {
      const named = keys.slice(0, 5).join(", ") + (keys.length > 5 ? ` and ${keys.length - 5} more` : "");
      Annotations.of(this).addWarning(`${what} (${named}): ${remedy}.`);
    }
  }
}

/** With this many, half of the time of a plan is spent on looking at whole maps. */
const MOST_IN_SHARD = 500;
/** Undefined where drift is not to be detected. */
function parseDriftProgram(props: SshOnlyFirewallProps, problems: Problems): readonly string[] | undefined {
  const { detectDrift, driftProgram } = isObject(props) ? props : ({} as SshOnlyFirewallProps);
  const program = driftProgram === undefined ? DRIFT_PROGRAM : parseWords(driftProgram, problems.at("driftProgram"));
  const wanted = detectDrift === undefined ? false : parseBoolean(detectDrift, problems.at("detectDrift"));
  if (driftProgram !== undefined && wanted === false) {
    problems.add("driftProgram", hostMessages.nothingToRun());
  }
  return wanted === true ? program : undefined;
}

function parseDependables(value: unknown, problems: Problems): ITerraformDependable[] {
  if (value === undefined) {
    return [];
  }
  if (!Array.isArray(value)) {
    problems.add("", messages.notAList(value));
    return [];
  }
  return value.filter((item: unknown, index): item is ITerraformDependable => {
    const isDependable = typeof (item as ITerraformDependable | null | undefined)?.fqn === "string";
    if (!isDependable) {
      problems.add(`[${index}]`, hostMessages.notDependable(item));
    }
    return isDependable;
  });
}
