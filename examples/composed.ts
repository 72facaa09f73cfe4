/** A firewall among other resources: addresses that only Terraform knows, an order, and an output. */
import { App, DataTerraformRemoteStateLocal, TerraformOutput, TerraformResource, TerraformStack } from "cdktf";
import { AllowedSource, PolicyException, SshOnlyFirewall } from "cdktf-ssh-only-firewall";
import type { Construct } from "constructs";

/** What another team's stack has made: in yours perhaps an `Instance`, whose `privateIp` is used the same way. */
class Network extends DataTerraformRemoteStateLocal {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { path: "../network/terraform.tfstate" });
  }

  public get bastionIp(): string {
    return this.getString("bastion_ip");
  }

  public get databaseIp(): string {
    return this.getString("database_ip");
  }
}

class OldServersStack extends TerraformStack {
  public constructor(scope: Construct, id: string) {
    super(scope, id);
    const network = new Network(this, "network");
    const backup = new TerraformResource(this, "backup", { terraformResourceType: "terraform_data" });

    const firewall = new SshOnlyFirewall(this, "fleet", {
      // Terraform's own resource, so that no provider is downloaded.
      tracker: "terraform_data",
      // An address that is known only when Terraform runs does not show its family.
      allowFrom: ["198.51.100.0/24", AllowedSource.ipv4(network.bastionIp)],
      exceptions: [PolicyException.dhcpClient(), PolicyException.dns(["192.0.2.53", "2001:db8::53"])],
      connection: { user: "ops", bastion: { host: network.bastionIp } },
      // No host is locked before its backup is made.
      dependsOn: [backup],
      hosts: { database: network.databaseIp },
    });

    for (const [index, address] of ["192.0.2.10", "192.0.2.11"].entries()) {
      firewall.addHost(`web-${index + 1}`, { address, sshPort: 2222 });
    }

    new TerraformOutput(this, "locked", { value: firewall.lockedHosts });
  }
}

const app = new App();
new OldServersStack(app, "old-servers");
app.synth();
