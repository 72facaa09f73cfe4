/** The stack made from a fleet file. */
import { TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { SshOnlyFirewall } from "../ssh-only-firewall";
import type { Fleet } from "./fleet-file";

/** One stack for the whole fleet: several that are deployed at once can lose state when one fails. */
export class FleetStack extends TerraformStack {
  public readonly firewall: SshOnlyFirewall;

  public constructor(scope: Construct, fleet: Fleet) {
    super(scope, fleet.name);
    // Terraform's addresses begin with this id and not with the stack's name: null_resource.fleet_hold["web-1"].
    this.firewall = new SshOnlyFirewall(this, "fleet", fleet.props);
    new TerraformOutput(this, "locked_hosts", {
      description: "The hosts that are locked: by name their address, their ruleset and who holds them.",
      value: this.firewall.lockedHosts,
    });
  }
}
