/** What an output says of hosts when its run has failed: Terraform writes what a plan knows of it into the state, however that ends. */
import { TerraformOutput, type TerraformStack } from "cdktf";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { nullProvider, type ProviderChoice } from "../lab/terraform";
import { TrackedDeployment, TRACKERS } from "./support/tracked-deployment";

class WithOutput extends TrackedDeployment {
  protected override addTo(stack: TerraformStack): void {
    new TerraformOutput(stack, "locked", { value: "${keys(local.firewall_locked_hosts)}" });
  }

  public async output(): Promise<unknown> {
    const { stdout } = await this.terraform.run(["state", "pull"]);
    return (JSON.parse(stdout) as { outputs: { locked?: { value: unknown } } }).outputs.locked?.value;
  }
}

describeLab(
  "an output with the names of lockedHosts",
  () => {
    let lab: Lab;
    let provider: ProviderChoice;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1" }, { name: "web-2" }] });
      provider = await nullProvider(lab);
    });
    afterAll(async () => {
      provider?.stop();
      await lab?.destroy();
    });

    test.each(TRACKERS)("names no host of %s that the run did not lock", async (tracker) => {
      const deployment = new WithOutput(lab, tracker, provider);
      const refusing = lab.host("web-2");
      await refusing.exec("mv /usr/bin/sha256sum /usr/bin/sha256sum.away");
      const first = await deployment.tryApply();
      await refusing.exec("mv /usr/bin/sha256sum.away /usr/bin/sha256sum");
      expect([first.code, await deployment.output()]).toEqual([1, undefined]);
      await deployment.apply();
      expect(await deployment.output()).toEqual(["web-1", "web-2"]);
      await deployment.destroy();
    });
  },
  { needs: "terraform" },
);
