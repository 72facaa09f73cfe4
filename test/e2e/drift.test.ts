/** `detectDrift`: plans of the real Terraform that see what happened to hosts since they were locked. */
import { withoutUndefined } from "../support/required";
import { reviewPlan } from "../../lib/review/review";
import { readPlan } from "../../lib/review/plan";
import { program } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import type { HostProps } from "../../lib/index";
import { type Host, Lab } from "../lab/lab";
import { nullAndExternalProvider, type Plan, type ProviderChoice } from "../lab/terraform";
import { hostEntries, hostEntry } from "./support/deployment";
import {
  changesIn,
  lockedHosts,
  type PlanJson,
  statusOf,
  TrackedDeployment,
  TRACKERS,
} from "./support/tracked-deployment";

jest.setTimeout(300_000);

const detecting = { detectDrift: true, driftProgram: program("ssh-only-firewall", "drift") } as const;

describeLab(
  "detectDrift",
  () => {
    describe.each(TRACKERS)("with %s", (tracker) => {
      let lab: Lab;
      let provider: ProviderChoice;
      let deployment: TrackedDeployment;

      beforeAll(async () => {
        lab = await Lab.create({ hosts: ["web-1", "web-2", "web-3"].map((name) => ({ name })) });
        provider = await nullAndExternalProvider(lab, () => deployment.stack.folder);
        deployment = new TrackedDeployment(lab, tracker, provider);
      });
      afterAll(async () => {
        provider?.stop();
        await lab?.destroy();
      });

      const props = () => ({ persist: false, hosts: hostEntries(lab, lab.hosts), ...detecting });
      const plan = (): Promise<Plan> => deployment.terraform.plan();
      const changes = async ({ file }: Plan): Promise<string[]> =>
        changesIn(await deployment.terraform.showJson<PlanJson>(file));

      async function lockedAgain(name: string, drift: string, why: string): Promise<void> {
        const others = lab.hosts.filter((host) => host.name !== name);
        const before = await Promise.all(others.map(statusOf));
        const planned = await plan();
        expect(await changes(planned)).toEqual([`delete,create lockdown.${name}`]);
        expect(planned.stdout).toMatch(new RegExp(`drift"? +=.* "${drift}"$`, "m"));
        expect(planned.stdout).not.toContain("Warning");
        const json = await deployment.terraform.showJson(planned.file);
        const { hosts, dangers } = reviewPlan(readPlan(Buffer.from(JSON.stringify(json))));
        expect(dangers).toEqual([]);
        expect(hosts.map(({ key, outcome, why }) => [key, outcome, ...why])).toContainEqual([name, "relock", why]);
        await deployment.terraform.apply([planned.file]);
        expect(await lockedHosts(lab.hosts)).toEqual(["web-1", "web-2", "web-3"]);
        expect(await Promise.all(others.map(statusOf))).toEqual(before);
        const { hasChanges, stdout } = await plan();
        expect({ hasChanges, warns: stdout.includes("Warning") }).toEqual({ hasChanges: false, warns: false });
      }

      test("asks no host if there is no state yet", async () => {
        const first = new TrackedDeployment(lab, tracker, provider);
        const later = deployment;
        try {
          deployment = first;
          const planned = await first.planned(props());
          expect(planned.filter((one) => one.includes("lockdown"))).toEqual(
            ["web-1", "web-2", "web-3"].map((name) => `create lockdown.${name}`),
          );
        } finally {
          deployment = later;
        }
      });

      test("is turned on without locking a host again", async () => {
        await deployment.apply(withoutUndefined({ ...props(), detectDrift: false, driftProgram: undefined }));
        const terraform = await deployment.prepare(props());
        await terraform.init();
        const { hasChanges, stdout } = await plan();
        expect({ hasChanges, asked: stdout.includes("data.external.firewall_drift: Read complete") }).toEqual({
          hasChanges: false,
          asked: true,
        });
      });

      test("locks again exactly the host whose rules were removed", async () => {
        await lab.host("web-2").exec("nft delete table inet ssh_only_firewall");
        await lockedAgain("web-2", "1 drifted", "its lock was found changed");
      });

      test("locks it again as often as it is opened", async () => {
        await lab.host("web-2").exec("sh /var/lib/ssh-only-firewall/host.sh unlock");
        await lockedAgain("web-2", "2 open", "it was found open");
      });

      test("names a host that cannot be asked, and plans nothing for it", async () => {
        await lab.host("web-3").stop();
        const { hasChanges, stdout } = await plan();
        expect(hasChanges).toBe(false);
        expect(stdout).toContain("Warning: Check block assertion failed");
        expect(stdout).toMatch(
          new RegExp(
            `^This plan leaves these hosts as they are:\n  web-3 \\(${lab.host("web-3").ipv4}\\) is unreachable: .*\n` +
              "  Unreachable: restore the connection from here to the host, then plan again\\.\n",
            "m",
          ),
        );
      });

      test("names the remedy if the state cannot be read", async () => {
        const driftProgram = ["env", "TERRAFORM_BINARY_NAME=no-such-terraform", ...detecting.driftProgram];
        const terraform = await deployment.prepare({ ...props(), driftProgram });
        const { code, stderr } = await terraform.run(["plan", "-no-color", "-input=false"], { check: false });
        expect(code).toBe(1);
        const words = stderr.replace(/[│\s]+/g, " ");
        expect(words).toContain(`${terraform.folder}: no-such-terraform is not installed here; install it, set `);
        expect(words).toContain("fix this, or set detectDrift to false. For terraform destroy, add -refresh=false.");
        expect((await terraform.plan(["-destroy", "-refresh=false"])).hasChanges).toBe(true);
      });

      test("does not block a destroy", async () => {
        const entry = (host: Host): HostProps => hostEntry(lab, host, { connection: { timeoutSeconds: 5 } });
        const hosts = Object.fromEntries(lab.hosts.map((host) => [host.name, entry(host)]));
        await deployment.prepare({ ...props(), hosts, onDestroy: "unlock-if-reachable" });
        await deployment.destroy();
        expect(await deployment.terraform.stateList()).toEqual([]);
        expect(await lockedHosts(lab.hosts.filter(({ isRunning }) => isRunning))).toEqual([]);
      });
    });
  },
  { needs: "terraform" },
);
