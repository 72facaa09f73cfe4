/** A private key that cannot work: the deploy names it, the host is not touched, nothing is tainted, and the next deploy goes on. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { controllerOnly, type DeploymentProps, hostEntry } from "./support/deployment";
import { STATE } from "../program/support/host-program";
import { lockedHosts, statusOf, TRACKERS, Tracking, type TrackedDeployment } from "./support/tracked-deployment";

jest.setTimeout(300_000);

describeLab(
  "a key that cannot work",
  () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.create({
        hosts: TRACKERS.flatMap((tracker) => [`good-${tracker}`, `bad-${tracker}`].map(nameOf)),
      });
    });
    afterAll(() => lab?.destroy());

    const nameOf = (text: string): { name: string } => ({ name: text.replaceAll("_", "-") });

    describe.each(TRACKERS)("with %s", (tracker) => {
      let tracking: Tracking;
      let deployment: TrackedDeployment;
      let good: Host;
      let bad: Host;
      let key: string;
      beforeAll(async () => {
        tracking = await Tracking.with(lab, tracker);
        deployment = tracking.deployment();
        [good, bad] = ["good", "bad"].map((name) => lab.host(nameOf(`${name}-${tracker}`).name)) as [Host, Host];
        key = join(lab.makeFolder("keys"), "id");
      });
      afterAll(() => tracking?.stop());

      const props = (more: Partial<DeploymentProps> = {}): DeploymentProps => ({
        hosts: {
          good: hostEntry(lab, good, { persist: false }),
          bad: hostEntry(lab, bad, { persist: false, connection: { privateKeyPath: key } }),
        },
        ...more,
      });
      const mend = (): void => copyFileSync(lab.privateKeyPath, key);
      /** All that a lock could leave; a login's script is taken away some seconds later. */
      const traces = async (): Promise<string> =>
        (
          await bad.exec(
            `ls -lA /root ${STATE} 2>&1 | grep -v '[.]ssh-only-firewall-'; cat ${STATE}/log ${STATE}/confirmed 2>&1 || :`,
          )
        ).stdout;

      test("leaves the host as it was, open or locked, without a tainted lockdown", async () => {
        mend();
        await lab.controller.exec(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", key]);
        const untouched = await traces();
        const first = await deployment.tryApply(props());
        expect(first.code).toBe(1);
        const said = `${first.stdout}${first.stderr}`.replace(/[\s│]+/g, " ");
        expect(said).toContain(
          `Host bad: the private key ${key} has a passphrase, which Terraform never prompts for: add it to an agent (ssh-add) and leave the path out, or name a key without one (connection.privateKeyPath). The host was not changed.`,
        );
        expect((await deployment.tracked()).sort()).toEqual([
          "hold.bad",
          "hold.good",
          "lockdown.good",
          "ruleset.shared",
        ]);
        expect(await lockedHosts([good, bad])).toEqual([good.name]);
        expect(await traces()).toBe(untouched);
        mend();
        await deployment.apply(props());
        expect(await lockedHosts([good, bad])).toEqual([good.name, bad.name]);

        const before = await statusOf(bad);
        const locked = await traces();
        rmSync(key);
        // A plan for review needs no key.
        const wider = props({ allowFrom: [...controllerOnly, "192.0.2.0/24"] });
        const planned = await deployment.planned(wider);
        expect(planned.sort()).toEqual([
          "delete,create lockdown.bad",
          "delete,create lockdown.good",
          "delete,create ruleset.shared",
        ]);
        writeFileSync(key, readFileSync(`${lab.privateKeyPath}.pub`));
        const second = await deployment.tryApply(wider);
        expect(second.code).toBe(1);
        expect(`${second.stdout}${second.stderr}`.replace(/[\s│]+/g, " ")).toContain(
          `Host bad: the private key ${key} is a public key`,
        );
        expect(await deployment.tracked()).toEqual(expect.not.arrayContaining([expect.stringContaining("tainted")]));
        expect(await traces()).toBe(locked);
        mend();
        await deployment.apply(wider);
        const after = await statusOf(bad);
        expect(after).toMatchObject({ state: "locked", owner: before?.owner });
        expect(after?.ruleset).not.toBe(before?.ruleset);
        expect(await deployment.planned(wider)).toEqual([]);
        await deployment.destroy();
        expect(await lockedHosts([good, bad])).toEqual([]);
      });
    });
  },
  { needs: "terraform" },
);
