/** Hosts of which only the hold, or only the lockdown, is left in the state: what is said of them, and that the remedies work. */
import { join } from "node:path";
import { defined } from "../support/required";
import type { UsageReport } from "../../lib/report/usage-report";
import { readPlan } from "../../lib/review/plan";
import { type Review, reviewPlan } from "../../lib/review/review";
import type { HostStatus, StatusReport } from "../../lib/status/status-report";
import { program } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type RunResult } from "../lab/lab";
import { terraformEnvironment } from "../lab/terraform";
import { Deployment, type DeploymentProps, hostEntry } from "./support/deployment";
import { lockedHosts, openByHand, statusOf } from "./support/tracked-deployment";

jest.setTimeout(300_000);

describeLab(
  "a state with a part of a host",
  () => {
    let lab: Lab;
    let deployment: Deployment;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: ["gone", "kept", "plain", "stuck"].map((name) => ({ name })) });
      deployment = new Deployment(lab);
    });
    afterAll(() => lab?.destroy());

    const propsOf = (hosts: readonly Host[], more: Partial<DeploymentProps> = {}): DeploymentProps => ({
      hosts: Object.fromEntries(
        hosts.map((host) => [host.name, hostEntry(lab, host, { connection: { timeoutSeconds: 15 }, persist: false })]),
      ),
      ...more,
    });

    /** In the project, whose stack is in cdktf.out/stacks. */
    const run = (...args: readonly string[]): Promise<RunResult> =>
      lab.controller.exec(program("ssh-only-firewall", ...args), {
        check: false,
        cwd: join(deployment.stack.outdir, ".."),
        env: terraformEnvironment(lab),
      });
    async function status(...args: readonly string[]): Promise<{ code: number; hosts: Record<string, HostStatus> }> {
      const { code, stdout, stderr } = await run("status", "--json", ...args);
      expect(stderr).toBe("");
      const { hosts } = JSON.parse(stdout) as StatusReport;
      return { code, hosts: Object.fromEntries(hosts.map((host) => [host.host, host])) };
    }
    const live = (): ReturnType<typeof status> => status("--live", "--identity", lab.privateKeyPath, "--timeout", "15");

    /** As it stands in a table, in the folder of the stack. */
    const runPrinted = (command: string | undefined): Promise<RunResult> =>
      lab.controller.exec(["sh", "-c", defined(command)], {
        cwd: deployment.stack.folder,
        env: terraformEnvironment(lab),
      });

    async function reviewOf(...args: readonly string[]): Promise<Review> {
      const { file } = await deployment.terraform.plan(args);
      return reviewPlan(readPlan(Buffer.from(JSON.stringify(await deployment.terraform.showJson(file)))));
    }

    const moveScp = (host: Host, from: string, to: string): Promise<RunResult> =>
      host.exec(`mv "$(command -v ${from})" /usr/bin/${to}`);

    test("after a destroy that failed names the hosts whose hold is left, and how to go on", async () => {
      const [gone, kept, plain, stuck] = ["gone", "kept", "plain", "stuck"].map((name) => lab.host(name)) as [
        Host,
        Host,
        Host,
        Host,
      ];
      await deployment.apply(propsOf([gone, kept, plain, stuck]));
      await Promise.all([gone.stop(), moveScp(kept, "scp", "no-scp"), moveScp(stuck, "scp", "no-scp")]);
      const failed = await deployment.terraform.destroy([], { check: false });
      expect(failed.code).toBe(1);
      expect(await deployment.terraform.stateList()).toEqual(
        ["gone", "kept", "stuck"].map((name) => `terraform_data.firewall_hold["${name}"]`),
      );

      const said = await status();
      expect(said.code).toBe(2);
      expect(Object.keys(said.hosts)).toEqual(["gone", "kept", "stuck"]);
      for (const [name, { state, address, details }] of Object.entries(said.hosts)) {
        expect({ state, address }).toEqual({ state: "unfinished", address: lab.host(name).ipv4 });
        expect(details).toContain("it may be locked");
      }
      const found = await live();
      expect(found.hosts.gone?.details).toContain("it may be locked");
      expect(found.hosts.kept?.details).not.toContain("it may be locked");
      expect(Object.values(found.hosts).map(({ host, condition }) => [host, condition])).toEqual([
        ["gone", "unreachable"],
        ["kept", "locked-but-not-in-state"],
        ["stuck", "locked-but-not-in-state"],
      ]);
      const report = await run("report", "--json", "--identity", lab.privateKeyPath, "--timeout", "15");
      expect(report.code).toBe(2);
      expect((JSON.parse(report.stdout) as UsageReport).hosts.map(({ host, state }) => [host, state])).toEqual([
        ["gone", null],
        ["kept", "locked"],
        ["stuck", "locked"],
      ]);
      const review = await reviewOf("-destroy");
      expect(review.hosts.map(({ key, outcome }) => [key, outcome])).toEqual([
        ["gone", "unlock"],
        ["kept", "unlock"],
        ["stuck", "unlock"],
      ]);
      expect(review.dangers.map(({ kind }) => kind)).toEqual(["opened"]);
      expect([...review.others]).toEqual([]);

      await runPrinted(found.hosts.gone?.remedy?.command);
      await runPrinted(found.hosts.kept?.remedy?.command);
      expect(await deployment.terraform.stateList()).toEqual(['terraform_data.firewall_hold["stuck"]']);
      expect(await lockedHosts([kept, plain, stuck])).toEqual(["kept", "stuck"]);
      await moveScp(stuck, "no-scp", "scp");
      await deployment.destroy();
      expect(await deployment.terraform.stateList()).toEqual([]);
      expect(await lockedHosts([stuck])).toEqual([]);
    });

    test("whose hold has left it does not call the host locked, and both ways out work", async () => {
      const hosts = [lab.host("plain"), lab.host("stuck")];
      const [plain, stuck] = hosts as [Host, Host];
      const forget = (name: string): Promise<RunResult> =>
        deployment.terraform.run(["state", "rm", `terraform_data.firewall_hold["${name}"]`]);
      await deployment.apply(propsOf(hosts));
      await forget("plain");
      const { code, hosts: found } = await live();
      expect(code).toBe(2);
      expect(found.plain).toMatchObject({ state: "unfinished", condition: "locked-but-not-in-state" });
      expect(found.stuck).toMatchObject({ state: "locked", condition: "locked" });
      expect(found.plain?.remedy?.text).toMatch(/deploy once with takeOver: same-stack for it/);
      const gone = await reviewOf("-destroy", '-target=terraform_data.firewall_lockdown["plain"]');
      expect(gone.hosts.map(({ key, outcome }) => [key, outcome])).toEqual([
        ["plain", "leave"],
        ["stuck", "stay"],
      ]);
      expect(gone.dangers.map(({ kind }) => kind)).not.toContain("unclear");

      const { hosts: entries = {} } = propsOf(hosts);
      const own = { ...(entries.plain as object), takeOver: "same-stack" } as (typeof entries)[string];
      await deployment.apply({ hosts: { ...entries, plain: own } });
      expect(await live()).toMatchObject({ code: 0, hosts: { plain: { condition: "locked" } } });

      await deployment.apply(propsOf(hosts));
      await forget("plain");
      await plain.exec(openByHand);
      await deployment.apply(propsOf([stuck]));
      expect(await deployment.terraform.stateHosts(/_(hold|lockdown)$/)).toEqual(["stuck"]);
      expect(await lockedHosts(hosts)).toEqual(["stuck"]);
    });

    test("whose lockdown alone leaves it is locked again, or unlocked, by a later deploy", async () => {
      const [plain, stuck] = [lab.host("plain"), lab.host("stuck")];
      await deployment.apply(propsOf([plain, stuck]));
      const target = '-target=terraform_data.firewall_lockdown["plain"]';
      const review = await reviewOf("-destroy", target);
      expect(review.hosts.map(({ key, outcome }) => [key, outcome])).toEqual([
        ["plain", "hold"],
        ["stuck", "stay"],
      ]);
      expect(review.dangers.map(({ kind }) => kind)).toEqual(["incomplete", "hold-only"]);
      for (const next of [[plain, stuck], [stuck]]) {
        await deployment.terraform.destroy([target]);
        expect((await statusOf(plain))?.state).toBe("locked");
        expect((await status()).hosts.plain).toMatchObject({ state: "unfinished" });
        await deployment.apply(propsOf(next));
        expect((await live()).code).toBe(0);
      }
      expect(await lockedHosts([plain, stuck])).toEqual(["stuck"]);
    });
  },
  { needs: "terraform" },
);
