/**
 * A firewall as its user describes it: parsed and checked without constructing anything, for the construct and for the
 * fleet file alike.
 */
import type { ITerraformDependable } from "../framework/framework";
import { TRACKER_KINDS, type TrackerKind } from "../contract/triggers";
import { isObject, placeOf, reader } from "../input/keys";
import { compare } from "../output/text";
import { type Found, Problems } from "../input/problems";
import { parseBoolean, parseChoice, parseCommand, parseInteger, parseList } from "../input/values";
import { valueMessages } from "../input/value-messages";
import { firewallMessages } from "./firewall-messages";
import { checkJumpHosts } from "./jump-hosts";
import {
  checkConnections,
  checkDistinctAddresses,
  type Host,
  type HostProps,
  parseHost,
  parseShared,
  type Shared,
  SHARED_KEYS,
  type SharedProps,
} from "./host";
import { hostMessages } from "./host-messages";
import { checkWaves, type Layout, parseLayout } from "./layout";

/** See SshOnlyFirewallProps. */
export type OnDestroy = "unlock" | "unlock-if-reachable" | "leave-locked";

export const ON_DESTROY: readonly OnDestroy[] = ["unlock", "unlock-if-reachable", "leave-locked"];

export interface SshOnlyFirewallProps extends SharedProps {
  /**
   * The hosts, each under a name that never changes; text is the address. More can come by `addHost`.
   * @default - none
   */
  readonly hosts?: Readonly<Record<string, string | HostProps>>;
  /**
   * What `destroy`, and taking a host out, does to the host: `unlock` opens it, and fails when it cannot;
   * `unlock-if-reachable` goes on whatever fails: the host was unreachable, or refused to be unlocked. What it said is in the
   * output, Terraform adds no warning, and `status --live --also HOST` shows what is locked. `leave-locked` does nothing.
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
   * How many seconds a host stays pending after Terraform has reached it through its new rules, until Terraform confirms it
   * over one more new connection. What a cache, a lease or a route loses in that time rolls back. The deploy waits for it. With
   * `waves`, the hosts of the first wave alone, which the others wait for. Hosts with mode `observe` do not wait. From 0 to 7200.
   * @default 0
   */
  readonly probationSeconds?: number;
  /**
   * Whether each plan asks the hosts over ssh whether they match the state, and locks those again that do not. A host
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

const OWN_KEYS = [
  "hosts",
  "onDestroy",
  "tracker",
  "shards",
  "movedFromShards",
  "waves",
  "probationSeconds",
  "detectDrift",
  "driftProgram",
  "dependsOn",
] as const satisfies ReadonlyArray<keyof SshOnlyFirewallProps>;

/** Of a probation, in seconds: logins that a cache lets in fail an hour later. */
export const PROBATION_LIMITS = { min: 0, max: 7200 } as const;

/** The keys of SshOnlyFirewallProps. */
export const FIREWALL_KEYS = [...SHARED_KEYS, ...OWN_KEYS];

/** What is the same for all hosts. */
export interface FirewallSettings {
  readonly shared: Shared;
  readonly layout: Layout;
  /** 0 for none. */
  readonly probationSeconds: number;
  readonly tracker: TrackerKind;
  readonly onDestroy: OnDestroy;
  readonly dependsOn: ITerraformDependable[];
  /** What a plan runs to detect drift; undefined where it does not. */
  readonly driftProgram: readonly string[] | undefined;
}

/** The firewall in `props`, with everything that is wrong with them. */
export function parseFirewall(props: unknown): Firewall {
  const problems = new Problems();
  const shared = parseShared(props, problems, OWN_KEYS);
  const own = isObject(props) ? props : {};
  const read = reader(own, problems);
  const firewall = new Firewall(
    {
      shared,
      layout: parseLayout(own, problems),
      probationSeconds: read("probationSeconds", (value, at) => parseInteger(value, PROBATION_LIMITS, at)) ?? 0,
      tracker: read("tracker", (value, at) => parseChoice(value, TRACKER_KINDS, at)) ?? "null_resource",
      onDestroy: read("onDestroy", (value, at) => parseChoice(value, ON_DESTROY, at)) ?? "unlock",
      dependsOn: read("dependsOn", parseDependables) ?? [],
      driftProgram: parseDriftProgram(own, problems),
    },
    problems,
  );
  if (isObject(own.hosts)) {
    Object.entries(own.hosts).forEach(([key, host]) => firewall.addHost(key, host));
  } else if (own.hosts !== undefined) {
    problems.add("hosts", valueMessages.notAnObject(own.hosts));
  }
  return firewall;
}

/** Hosts can be added; what only all of them together show to be wrong is checked when it is asked for. */
export class Firewall {
  private readonly byKey = new Map<string, Host>();
  private sorted: readonly Host[] | undefined;
  private checked: { readonly hosts: readonly Host[]; readonly count: number; readonly together: Found } | undefined;

  public constructor(
    public readonly settings: FirewallSettings,
    private readonly problems = new Problems(),
  ) {}

  /** Parses one more host on top of what is shared. */
  public addHost(key: string, host: unknown): void {
    const place = this.problems.at("hosts").at(placeOf(key));
    if (this.byKey.has(key)) {
      place.add("", hostMessages.twice(key));
    }
    const parsed = parseHost(key, host, this.settings.shared, place);
    if (parsed !== undefined) {
      this.byKey.set(key, parsed);
      this.sorted = undefined;
    }
  }

  public host(key: string): Host | undefined {
    return this.byKey.get(key);
  }

  /** The hosts with which nothing is wrong, sorted by key; the same list until one is added. */
  public get hosts(): readonly Host[] {
    this.sorted ??= [...this.byKey.values()].sort((a, b) => compare(a.key, b.key));
    return this.sorted;
  }

  /** What is wrong so far. */
  public get found(): Found {
    const together = this.checkTogether();
    return {
      list: [...this.problems.list, ...together.list],
      count: this.problems.count + together.count,
    };
  }

  /**
   * The firewalls of parts of the hosts. A wave whose hosts are all in other parts stays, because resources are named
   * after the number of their wave.
   */
  public divided(partOf: (key: string) => string): ReadonlyMap<string, Firewall> {
    const { layout } = this.settings;
    const parts = new Map<string, { readonly waves: string[][]; readonly firewall: Firewall }>();
    for (const [key, host] of this.byKey) {
      const name = partOf(key);
      const waves = parts.get(name)?.waves ?? layout.waves.map(() => []);
      const { firewall } = parts.get(name) ?? {
        firewall: new Firewall({ ...this.settings, layout: { ...layout, waves } }),
      };
      firewall.byKey.set(key, host);
      parts.set(name, { waves, firewall });
    }
    layout.waves.forEach((wave, index) => wave.forEach((key) => parts.get(partOf(key))?.waves[index]?.push(key)));
    return new Map([...parts].map(([name, { firewall }]) => [name, firewall]));
  }

  /** Once for each list of hosts, because every part of a configuration asks when it is written. */
  private checkTogether(): Found {
    const { hosts, settings } = this;
    const { count } = this.problems;
    if (this.checked?.hosts !== hosts || this.checked.count !== count) {
      const together = new Problems();
      checkDistinctAddresses(hosts, together.at("hosts"));
      checkJumpHosts(hosts, together.at("hosts"));
      checkConnections(hosts, settings.shared, together);
      if (count === 0) {
        checkWaves(settings.layout.waves, [...this.byKey.keys()], together.at("waves"));
      }
      if (count === 0 && hosts.length === 0) {
        together.add("", firewallMessages.noHosts());
      }
      this.checked = { hosts, count, together };
    }
    return this.checked.together;
  }
}

/** Never downloads: it finds what is installed in a folder above, or what npx has run as the app of cdktf. */
const DRIFT_PROGRAM = "npx --no --package=cdktf-ssh-only-firewall -- ssh-only-firewall drift".split(" ");

function parseDriftProgram(props: Record<string, unknown>, problems: Problems): readonly string[] | undefined {
  const read = reader(props, problems);
  const program = read("driftProgram", parseCommand);
  const isWanted = read("detectDrift", parseBoolean) ?? (props.detectDrift === undefined ? false : undefined);
  if (props.driftProgram !== undefined && isWanted === false) {
    problems.add("driftProgram", firewallMessages.noDriftDetection());
  }
  return isWanted === true ? (program ?? DRIFT_PROGRAM) : undefined;
}

function parseDependables(value: unknown, problems: Problems): ITerraformDependable[] | undefined {
  return parseList(value, problems)?.filter((item, index): item is ITerraformDependable => {
    const isDependable = typeof (item as ITerraformDependable | null | undefined)?.fqn === "string";
    if (!isDependable) {
      problems.add(`[${index}]`, firewallMessages.notDependable(item));
    }
    return isDependable;
  });
}
