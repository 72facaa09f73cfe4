/** A Terraform that is killed: what it leaves in the state is not called locked unless it is, and the next deploy heals it. */
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { Apply, holdLogins, isLoaded, lockdowns, stateFile } from "./support/drill";
import { hostEntries } from "./support/deployment";
import { eventually } from "../support/eventually";
import { lockedHosts, type TrackedDeployment, TRACKERS, Tracking } from "./support/tracked-deployment";

const drill = { confirmWithinSeconds: 10 };

describeLab(
  "a deploy that is killed while one of three hosts is being locked",
  () => {
    describe.each(TRACKERS)("with %s", (tracker) => {
      let lab: Lab;
      let tracking: Tracking;
      let deployment: TrackedDeployment;

      beforeAll(async () => {
        lab = await Lab.create({
          hosts: [{ name: "web-1" }, { name: "web-2", provision: holdLogins }, { name: "web-3" }],
        });
        tracking = await Tracking.with(lab, tracker);
        deployment = tracking.deployment();
        const terraform = await deployment.prepare({ ...drill, hosts: hostEntries(lab) });
        console.log(await terraform.run(["plan","-no-color","-input=false"],{check:false}));
      const apply = Apply.start(lab, terraform);
        const [one, held, other] = [lab.host("web-1"), lab.host("web-2"), lab.host("web-3")];
        await eventually("the others are confirmed", () => [one, other].every((host) => stateFile(host, "confirmed")));
        await eventually("web-2 is pending", () => isLoaded(held));
        await eventually("its lockdown is in the state", async () => {
          const names = await lockdowns(terraform).catch(() => ({}));
          return Object.keys(names).includes("web-2");
        });
        await apply.kill();
        await eventually("web-2 has rolled back", () => stateFile(held, "pending") === undefined, { seconds: 60 });
        await held.exec("rm -f /run/hold-logins");
      });

      afterAll(async () => {
        tracking?.stop();
        await lab?.destroy();
      });

      test("leaves a lockdown in the state that looks whole", async () => {
        expect(await lockdowns(deployment.terraform)).toMatchObject({ "web-2": "healthy" });
        expect(await lockedHosts(lab.hosts)).toEqual(["web-1", "web-3"]);
        console.log(await deployment.tracked(), await deployment.planned({ ...drill, hosts: hostEntries(lab) }));
      });

      test("is healed by the next, which asks nobody", async () => {
        const apply = await deployment.tryApply({ ...drill, hosts: hostEntries(lab) });
        console.log(apply.stdout.slice(-3000), apply.stderr);
        expect(apply.code).toBe(0);
        expect(await lockedHosts(lab.hosts)).toEqual(["web-1", "web-2", "web-3"]);
        expect(await deployment.planned({ ...drill, hosts: hostEntries(lab) })).toEqual([]);
        console.log(await deployment.tracked());
      });
    });
  },
  { needs: "terraform" },
);
