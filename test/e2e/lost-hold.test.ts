/** A deploy that locked hosts and whose state was lost: the next deploy recognizes its locks, and mends them with one setting. */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StatusReport } from "../../lib/status/status-report";
import { program } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { terraformEnvironment } from "../lab/terraform";
import { items } from "../support/required";
import { Deployment, type DeploymentProps, hostEntries } from "./support/deployment";
import { statusOf } from "./support/drill";
import { lockScript } from "./support/lock-script";
import { words } from "./support/tracked-deployment";

jest.setTimeout(300_000);

describeLab(
  "a state that was lost",
  () => {
    let lab: Lab;
    let deployment: Deployment;
    let own: Host[];
    let theirs: Host;
    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [{ name: "web-1" }, { name: "web-2", firewall: "iptables-nft" }, { name: "web-3" }],
      });
      const [first, second, third] = items(lab.hosts, 3);
      [own, theirs] = [[first, second], third];
      deployment = new Deployment(lab);
    });
    afterAll(() => lab?.destroy());

    const deploy = async (props: DeploymentProps = {}) => (await deployment.prepare(props)).apply([], { check: false });
    const ownersOf = (hosts: readonly Host[]): Promise<string[]> =>
      Promise.all(hosts.map(async (host) => (await statusOf(host)).owner));

    test("is named by the next deploy, and takeOver of the same stack mends it but takes no host of a stranger", async () => {
      // A stranger's lock, which names its own stack.
      const identity = { STACK: "other", CONSTRUCT: "firewall", WORKSPACE: "default", OWNER: "stranger" };
      const { script, confirm } = lockScript(theirs, undefined, identity);
      await theirs.exec("sh -s", { input: script });
      await theirs.exec(`sh /var/lib/ssh-only-firewall/host.sh ${confirm}`);

      const hosts = hostEntries(lab, own);
      expect(await deploy({ hosts })).toMatchObject({ code: 0 });
      const before = await ownersOf(own);
      rmSync(join(dirname(deployment.stack.outdir), "terraform.fleet.tfstate"));

      const refused = await deploy();
      expect(refused.code).toBe(1);
      for (const [index, host] of own.entries()) {
        const { lockedAt } = await statusOf(host);
        expect(words(refused)).toContain(
          `An earlier run of this stack has locked this host at ${lockedAt} from 10.77.0.1 (hold ${before[index]}, ` +
            "stack fleet, construct firewall, workspace default). This Terraform state does not have that lock:",
        );
      }
      expect(words(refused)).toContain("already locked by another owner (hold stranger, as web-3,");
      expect(await ownersOf(lab.hosts)).toEqual([...before, "stranger"]);

      // Which status shows, too.
      const { stdout } = await lab.controller.exec(
        program("ssh-only-firewall", "status", ".", "--live", "--json", "--identity", lab.privateKeyPath),
        { check: false, cwd: deployment.stack.folder, env: terraformEnvironment(lab) },
      );
      const report = JSON.parse(stdout) as StatusReport;
      expect(report.hosts.find(({ host }) => host === "web-1")).toMatchObject({
        condition: "locked-by-someone-else",
        details: expect.arrayContaining([
          "locked by stack fleet, construct firewall, workspace default, as web-1, from 10.77.0.1",
          "if that is your stack, deploy with takeOver: same-stack",
        ]),
        onHost: { lockedBy: { stack: "fleet", construct: "firewall", host: "web-1", from: "10.77.0.1" } },
      });

      const mended = await deploy({ takeOver: "same-stack" });
      expect(mended.code).toBe(1);
      expect(words(mended)).toContain("already locked by another owner (hold stranger, as web-3,");
      expect(words(mended)).not.toContain("An earlier run of this stack");
      for (const host of own) {
        expect(await statusOf(host)).toMatchObject({ code: 0, state: "locked", rules: "matches", from: "10.77.0.1" });
      }
      const after = await ownersOf(lab.hosts);
      expect(after[2]).toBe("stranger");
      expect(after.slice(0, 2).filter((owner) => before.includes(owner))).toEqual([]);

      // The setting may stay: the state has these locks now.
      expect(await deploy({ hosts, takeOver: "same-stack" })).toMatchObject({ code: 0 });
      expect(await ownersOf(lab.hosts)).toEqual(after);
      await deployment.destroy();
      expect((await Promise.all(lab.hosts.map(statusOf))).map(({ state }) => state)).toEqual([
        "open",
        "open",
        "locked",
      ]);
    });
  },
  { needs: "terraform" },
);
