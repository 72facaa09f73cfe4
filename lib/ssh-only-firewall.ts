/** The construct: hosts and a policy in, a ruleset and two resources a host out (docs/design/terraform.md). */
import {
  Annotations,
  Aspects,
  type IResolvable,
  type ITerraformDependable,
  type TerraformResource,
  Token,
} from "./framework/framework";
import { Construct } from "constructs";
import { assertUsableApp } from "./framework/unusable-app";
import { describeProblem, type Problem, withRest } from "./input/problems";
import { Firewall, parseFirewall, type SshOnlyFirewallProps } from "./policy/firewall";
import type { HostProps } from "./policy/host";
import { warningsOf } from "./policy/warnings";
import { FirewallResources } from "./terraform/firewall-resources";

/** One line of the inventory. */
export interface LockedHost {
  readonly address: string;
  readonly sshPort: number;
  /** The ruleset that the host gets: `shared`, or the name of the host that it was written for. */
  readonly ruleset: string;
}

/**
 * Closes hosts to everything but SSH. Each host is in Terraform state if and only if it is locked.
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

  private readonly parsed: Firewall;
  private readonly resources: FirewallResources;

  /** @internal for a fleet file, which has been parsed already. */
  public constructor(scope: Construct, id: string, parsed: Firewall);
  public constructor(scope: Construct, id: string, props: SshOnlyFirewallProps);
  public constructor(scope: Construct, id: string, given: SshOnlyFirewallProps | Firewall) {
    super(scope, id);
    assertUsableApp(this);
    this.parsed = given instanceof Firewall ? given : parseFirewall(given);
    this.resources = new FirewallResources(this, {
      ...this.parsed.settings,
      hosts: () => this.parsed.hosts,
      assertSound: () => this.assertSound(),
    });
    ({ ruleset: this.ruleset, holds: this.holds, lockdowns: this.lockdowns } = this.resources);
    this.node.addValidation({ validate: () => this.problems.map(describeProblem) });
    this.warnAtSynth();
  }

  /** Adds a host, given by its address or with properties of its own. */
  public addHost(key: string, host: string | HostProps): void {
    this.parsed.addHost(key, host);
  }

  /** For `dependsOn` of other resources, which then come after the hosts are locked. */
  public get fqn(): string {
    return this.resources.lockedHosts.fqn;
  }

  /** What is to be locked, by host: for other parts of a program. Addresses may be tokens. */
  public get inventory(): Readonly<Record<string, LockedHost>> {
    return Object.fromEntries(
      this.parsed.hosts.map((host) => [
        host.key,
        { address: host.address, sshPort: host.policy.sshPort, ruleset: this.resources.rulesetKeyOf(host) },
      ]),
    );
  }

  /**
   * What is locked, by host, as a Terraform value that exists once it is so: for outputs. Observed hosts are not in it, nor those of
   * which it is not known that they were confirmed. An output keeps the value of the last run that came to its end.
   */
  public get lockedHosts(): IResolvable {
    return Token.asAny(this.resources.lockedHosts.fqn) as unknown as IResolvable;
  }

  /** What is wrong with the properties so far; any of it fails the synth. Of very many, the first. */
  public get problems(): readonly Problem[] {
    return withRest(this.parsed.found);
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
          warningsOf(this.parsed).forEach((warning) => Annotations.of(this).addWarning(warning));
        }
      },
    });
  }
}
