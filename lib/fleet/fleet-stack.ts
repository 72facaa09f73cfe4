/** The stacks made from a fleet file. */
import { Annotations, type App, TerraformOutput, TerraformStack } from "../framework/framework";
import type { Construct } from "constructs";
import { FLEET } from "../contract/names";
import { SshOnlyFirewall } from "../ssh-only-firewall";
import type { Fleet } from "./fleet-file";
import { stackMessages } from "./stack-messages";
import { emptyStacksOf, type FleetPart, stacksOf, withoutFirstWave } from "./stacks";
import { addBackend } from "./state-backend";

export class FleetStack extends TerraformStack {
  public readonly firewall: SshOnlyFirewall;

  public constructor(scope: Construct, part: FleetPart) {
    super(scope, part.name);
    // Terraform's addresses begin with this id and not with the stack's name: null_resource.fleet_hold["web-1"].
    this.firewall = new SshOnlyFirewall(this, FLEET.construct, part.firewall);
    new TerraformOutput(this, FLEET.output, {
      description: "The hosts that are locked: by name their address, their ruleset and who holds them.",
      value: this.firewall.lockedHosts,
    });
    addBackend(this, part);
  }
}

/** One stack for the whole fleet, unless the fleet file divides it. */
export function addStacks(app: App, fleet: Fleet): void {
  const parts = stacksOf(fleet);
  const [first] = parts.map((part) => new FleetStack(app, part));
  const unguarded = withoutFirstWave(fleet, parts);
  const empty = emptyStacksOf(fleet, parts);
  const warnings = [
    ...(parts.length > 1 ? [stackMessages.severalStacks(parts.length)] : []),
    ...(unguarded.length > 0 ? [stackMessages.noFirstWave(unguarded)] : []),
    ...(empty.length > 0 ? [stackMessages.emptyStacks(empty)] : []),
  ];
  if (first !== undefined) {
    warnings.forEach((warning) => Annotations.of(first).addWarning(warning));
  }
}
