/** Whether a lock of another hold is of the same stack, and who may take it over. */
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { HostProgram, hostsUnder, lockSettings, type Settings, shells } from "./support/host-program";

const ours = { STACK: "fleet-eu", CONSTRUCT: "web/fire%20wall", WORKSPACE: "default" };
const next = { ...ours, OWNER: "owner-2" };

const strangers: ReadonlyArray<readonly [string, Settings, Settings]> = [
  ["another stack", ours, { ...next, STACK: "fleet-us" }],
  ["a stack whose name begins alike", ours, { ...next, STACK: "fleet-e" }],
  ["another construct", ours, { ...next, CONSTRUCT: "web" }],
  ["another workspace", ours, { ...next, WORKSPACE: "test" }],
  ["another host name", ours, { ...next, HOST: "web-2" }],
  ["an earlier version, which recorded no stack", {}, next],
  ["an earlier version, seen by a deploy that names no stack", {}, { OWNER: "owner-2" }],
];

describe.each(shells)("under $name", (shell) => {
  describeLab("a host that another hold has locked", () => {
    let lab: Lab;
    let program: HostProgram;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: hostsUnder({ ...shell, firewalls: shell.firewalls.slice(0, 1) }) });
      program = await HostProgram.on(lab.host(shell.firewalls[0] as string));
    });
    afterAll(() => lab?.destroy());
    afterEach(() => program.reset());

    test("for the same stack refuses a new lock, and names the earlier run and the one setting that takes over", async () => {
      await program.lockForGood(ours);
      const { lockedAt } = await program.status();
      const traces = await program.traces();
      const { code, stdout, stderr } = await program.lock(lockSettings(next));
      expect({ code, stdout }).toEqual({ code: 8, stdout: "" });
      expect(stderr).toBe(
        `ssh-only-firewall: An earlier run of this stack has locked this host at ${lockedAt} from 10.77.0.1 (hold owner-1, stack fleet-eu, ` +
          "construct web/fire%20wall, workspace default). This Terraform state does not have that lock: the run ended before the state " +
          'was written, or this stack has two states. If it has two, deploy with the other one. Else set takeOver to "same-stack" for ' +
          "the whole firewall and deploy: that takes over such locks, and no others. The host was not changed.\n",
      );
      expect(await program.traces()).toBe(traces);
    });

    test.each(["same-stack", "true"])("for the same stack is taken over with takeOver %s", async (TAKE_OVER) => {
      await program.lockForGood(ours);
      const settings = lockSettings({ ...next, TAKE_OVER });
      const taken = await program.lock(settings);
      expect(taken).toMatchObject({ code: 0, stderr: "" });
      expect(taken.stdout).toMatch(
        /web-1: the lock of another owner \(hold owner-1, since .*, from 10\.77\.0\.1\) is in force, and is taken over\.\n/,
      );
      expect(await program.confirm(settings)).toMatchObject({ code: 0 });
      await program.run("unlock", "owner-1");
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", owner: "owner-2" });
    });

    test.each(strangers)("for %s is not taken over with same-stack, but with true", async (_, first, second) => {
      await program.lockForGood(first);
      const traces = await program.traces();
      for (const TAKE_OVER of ["false", "same-stack"]) {
        const refused = await program.lock(lockSettings({ ...second, TAKE_OVER }));
        expect(refused).toMatchObject({ code: 8, stdout: "" });
        expect(refused.stderr).toMatch(
          /already locked by another owner \(hold owner-1, as web-1, since .*, from 10\.77\.0\.1.*\)\. .* set takeOver to true for this host, for one deploy\. The host was not changed\.\n$/,
        );
      }
      expect(await program.traces()).toBe(traces);
      await program.lockForGood({ ...second, TAKE_OVER: "true" });
    });

    test("shows in status which stack locked it, and from where", async () => {
      await program.lockForGood(ours);
      expect(await program.status()).toMatchObject({
        stack: "fleet-eu",
        construct: "web/fire%20wall",
        workspace: "default",
        from: "10.77.0.1",
      });
      expect((await program.run("status")).stdout).toMatch(
        /\nby: {6}stack fleet-eu, construct web\/fire%20wall, workspace default\nfrom: {4}10\.77\.0\.1\nrules: {3}matches\n$/,
      );
    });

    test("from an address that makes no sense, or from its console, records none", async () => {
      for (const FROM of ["", `1"2 40000 10.77.0.10 22`]) {
        await program.lockForGood({ ...ours, FROM, SKIP_PREFLIGHT: "true" });
        expect(await program.status()).toMatchObject({ code: 0, from: "" });
      }
      expect((await program.lock(lockSettings(next))).stderr).toMatch(/has locked this host at \S+ \(hold owner-1, /);
    });

    test.each(["a b", 'a"b', "a\nowner=b", "a$(b)", "ä"])(
      "is not locked for the stack %p, which is not encoded",
      async (STACK) => {
        const { code, stderr } = await program.lock(lockSettings({ ...ours, STACK }));
        expect({ code, stderr }).toMatchObject({
          code: 2,
          stderr: expect.stringContaining("is not encoded. The host was not"),
        });
      },
    );
  });
});
