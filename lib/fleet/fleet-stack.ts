/** The stacks made from a fleet file. */
import { Annotations, type App, TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { SshOnlyFirewall } from "../ssh-only-firewall";
import type { Fleet } from "./fleet-file";
import { messages } from "./messages";
import { addBackend } from "./state-backend";
import { emptyStacksOf, type FleetPart, stacksOf, withoutFirstWave } from "./stacks";

export class FleetStack extends TerraformStack {
  public readonly firewall: SshOnlyFirewall;

  public constructor(scope: Construct, part: FleetPart) {
    super(scope, part.name);
    // Terraform's addresses begin with this id and not with the stack's name: null_resource.fleet_hold["web-1"].
    this.firewall = new SshOnlyFirewall(this, "fleet", part.props);
    new TerraformOutput(this, "locked_hosts", {
      description: "The hosts that are locked: by name their address, their ruleset and who holds them.",
      value: this.firewall.lockedHosts,
    });
    addBackend(this, part);
  }
}

/** One stack for the whole fleet, unless the fleet file divides it. */
export function addStacks(app: App, fleet: Fleet): void {
  const [first, ...others] = stacksOf(fleet).map((part) => new FleetStack(app, part));
  if (others.length > 0) {
    Annotations.of(first).addWarning(messages.severalStacks(others.length + 1));
  }
  const unguarded = withoutFirstWave(fleet);
  if (unguarded.length > 0) {
    Annotations.of(first).addWarning(messages.noFirstWave(unguarded));
  }
  const empty = emptyStacksOf(fleet);
  if (empty.length > 0) {
    Annotations.of(first).addWarning(messages.emptyStacks(empty));
  }
}
