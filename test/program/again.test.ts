/** lock and confirm, run once more with the same owner, attempt and ruleset, because the run before them was killed. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab, type RunResult } from "../lab/lab";
import { HostProgram, hostsUnder, lockSettings, rulesetsFor, shells, STATE } from "./support/host-program";

/** What another program may do to our rules. */
const damages: Readonly<Record<HostFirewall, string>> = {
  nftables: "nft delete table inet ssh_only_firewall",
  "iptables-nft": "iptables-nft -w 20 -F SSH_ONLY_IN",
  "iptables-legacy": "iptables-legacy -w 20 -F SSH_ONLY_IN",
};

describe.each(shells)("under $name", (shell) => {
  describeLab("a lock that is run again", () => {
    let lab: Lab;
    const programs = new Map<HostFirewall, HostProgram>();
    beforeAll(async () => {
      lab = await Lab.create({ hosts: hostsUnder(shell) });
      for (const host of lab.hosts) {
        programs.set(host.name as HostFirewall, await HostProgram.on(host));
      }
    });
    afterAll(() => lab?.destroy());

    describe.each(shell.firewalls)("with %s", (firewall) => {
      let program: HostProgram;
      let before: string;
      beforeEach(async () => {
        program = programs.get(firewall) as HostProgram;
        before = await program.host.rules();
      });
      afterEach(async () => {
        expect(await program.temporaryFiles()).toEqual([]);
        await program.reset();
        expect(await program.host.rules()).toBe(before);
      });

      const oneWatchdogIsLeft = (): Promise<unknown> =>
        eventually("one watchdog is left", () => program.watchdogs().length === 1);
      const expectLocked = async (settings: Record<string, string>): Promise<void> => {
        expect(await program.status()).toMatchObject({
          code: 0,
          state: "locked",
          rules: "matches",
          owner: settings.OWNER,
          ruleset: settings.RULESET,
        });
        expect(await program.stateFile("confirmed")).toMatch(new RegExp(`^${settings.ATTEMPT} `));
      };

      test("changes nothing where it is confirmed already, and neither does its confirm", async () => {
        const settings = await program.lockForGood();
        const traces = await program.traces();
        expect(await program.lock(settings)).toEqual({
          code: 0,
          stdout: expect.stringMatching(
            /^ssh-only-firewall: web-1: this lock is confirmed already, since [-\dT:]+Z\. The host was not changed\.\n$/,
          ),
          stderr: "",
        });
        expect(await program.confirm(settings)).toEqual({
          code: 0,
          stdout: "ssh-only-firewall: web-1: this lock is confirmed already. The host was not changed.\n",
          stderr: "",
        });
        expect(await program.traces()).toBe(traces);
        await eventually("no watchdog is left", () => program.watchdogs().length === 0);
      });

      test("is refused where it is confirmed with another owner or ruleset, also with takeOver", async () => {
        const settings = await program.lockForGood();
        const traces = await program.traces();
        const { ATTEMPT = null } = settings;
        const message = /with owner owner-1 and ruleset \w+, not .* The host was not changed\.\n$/;
        for (const own of [{ OWNER: "owner-2", TAKE_OVER: "true" }, rulesetsFor(2222)]) {
          const other = lockSettings({ ...own, ATTEMPT, SKIP_PREFLIGHT: "true" });
          for (const refused of [await program.lock(other), await program.confirm(other)]) {
            expect(refused).toMatchObject({ code: 8, stdout: "", stderr: expect.stringMatching(message) });
          }
        }
        expect(await program.traces()).toBe(traces);
      });

      test("restores the rules that another program has changed, which confirm alone does not confirm", async () => {
        const settings = await program.lockForGood();
        const rules = await program.host.rules();
        await program.host.exec(damages[firewall]);
        expect(await program.confirm(settings)).toMatchObject({
          code: 10,
          stderr: expect.stringMatching(/the live rules are not its ruleset.*-replace/),
        });
        expect(await program.lock(settings)).toMatchObject({
          code: 0,
          stdout: expect.stringContaining("Its rules had been changed, and are in force again."),
        });
        expect(await program.host.rules()).toBe(rules);
        expect(await program.confirm(settings)).toMatchObject({ code: 0 });
        await expectLocked(settings);
      });

      test.each([
        ["damaged", `sed -i '/22/d' ${STATE}/records/*/*tables`],
        ["lost", `rm ${STATE}/records/*/meta`],
      ])("fails where its record is %s, and the remedy that it names works", async (_, damage) => {
        const settings = await program.lockForGood();
        await program.host.exec(damage);
        for (const failed of [await program.lock(settings), await program.confirm(settings)]) {
          expect(failed).toMatchObject({
            code: 10,
            stderr: expect.stringContaining("Run terraform apply with -replace of the lockdown of this host."),
          });
        }
        await expectLocked(await program.lockForGood());
      });

      test("is loaded anew where it is pending, with one watchdog and the whole time limit", async () => {
        const settings = lockSettings({ CONFIRM_WITHIN: "3" });
        await program.lock(settings);
        const again = await program.lock({ ...settings, CONFIRM_WITHIN: "120" });
        expect(again).toMatchObject({ code: 0, stderr: "" });
        await oneWatchdogIsLeft();
        await program.host.exec("sleep 5");
        expect(await program.status()).toMatchObject({ code: 0, state: "pending", rules: "matches" });
        // It keeps the time limit that pending names: attempt, boot and seconds since that.
        const due = (await program.stateFile("pending"))?.split(" ")[2];
        expect(program.watchdogs()).toEqual([expect.stringContaining(` ${settings.ATTEMPT} ${due}`)]);
        const { stdout: uptime } = await program.host.exec("cut -d . -f 1 /proc/uptime");
        expect(Number(due) - Number(uptime)).toBeGreaterThan(3);
        expect(await program.confirm(settings)).toMatchObject({ code: 0 });
        await expectLocked(settings);
        await eventually("no watchdog is left", () => program.watchdogs().length === 0);
      });

      test("still rolls back where it is pending and nobody confirms it", async () => {
        const settings = lockSettings({ CONFIRM_WITHIN: "600" });
        await program.lock(settings);
        await program.lock({ ...settings, CONFIRM_WITHIN: "2" });
        await eventually("it has rolled back", async () => (await program.stateFile("pending")) === undefined);
        expect(await program.status()).toMatchObject({ code: 0, state: "open", rules: "none" });
        await eventually("no watchdog is left", () => program.watchdogs().length === 0);
      });

      test("locks as if it were new where it has rolled back", async () => {
        const settings = lockSettings();
        await program.lock(settings);
        await program.run("rollback");
        expect(await program.lock(settings)).toMatchObject({ code: 0 });
        await oneWatchdogIsLeft();
        expect(await program.confirm(settings)).toMatchObject({ code: 0 });
        await expectLocked(settings);
      });

      test("rolls back a newer lock of the same owner that is pending, and leaves one of another owner", async () => {
        const settings = await program.lockForGood();
        const newer = lockSettings({ ...rulesetsFor(2222), SKIP_PREFLIGHT: "true" });
        await program.lock(newer);
        expect(await program.confirm(settings)).toMatchObject({
          code: 9,
          stderr: expect.stringContaining(`confirmed already, but a newer one is pending over it (${newer.ATTEMPT})`),
        });
        expect(await program.lock(settings)).toMatchObject({
          code: 0,
          stdout: expect.stringContaining("A newer lock of the same owner was pending, and is rolled back."),
        });
        await expectLocked(settings);
        await eventually("no watchdog is left", () => program.watchdogs().length === 0);

        await program.lock(lockSettings({ OWNER: "owner-2", TAKE_OVER: "true" }));
        const refused: RunResult = await program.lock(settings);
        expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining("Another owner (hold owner-2)") });
        expect(await program.status()).toMatchObject({ state: "pending", owner: "owner-2" });
      });

      test("replaces a newer lock of the same owner that is confirmed, and reports it; one of another owner stays", async () => {
        const settings = await program.lockForGood();
        const newer = await program.lockForGood(rulesetsFor(22, { allowFrom: ["10.77.0.1"] }));
        const again = await program.lock(settings);
        expect(again).toMatchObject({ code: 0, stderr: "" });
        expect(again.stdout).toMatch(
          new RegExp(
            `a newer lock of the same owner \\(attempt ${newer.ATTEMPT}, since .*\\) is in force, and gives way`,
          ),
        );
        expect(await program.confirm(settings)).toMatchObject({ code: 0 });
        await expectLocked(settings);

        const taken = await program.lockForGood({ OWNER: "owner-2", TAKE_OVER: "true" });
        expect(await program.lock(settings)).toMatchObject({ code: 8 });
        await expectLocked(taken);
      });

      test("does not fail for what the pre-flight would refuse today, but shows it", async () => {
        const settings = await program.lockForGood();
        const elsewhere = { ...settings, FROM: "203.0.113.9 40000 10.77.0.10 22" };
        const { code, stdout, stderr } = await program.lock(elsewhere);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout).toMatch(
          /The host was not changed\.\n.*: the next new lock would be refused: You came from 203\.0\.113\.9, which allowFrom does not cover .* This lock stays in force\.\n$/,
        );
        expect((await program.lock({ ...elsewhere, SKIP_PREFLIGHT: "true" })).stdout).not.toContain("refused");
      });

      test("starts the guard where it does not run", async () => {
        const settings = await program.lockForGood({ PERSIST: "true" });
        const stop = `kill -9 "$(cat /run/ssh-only-firewall.guard)"; rm /run/ssh-only-firewall.guard`;
        for (const again of [() => program.lock(settings), () => program.confirm(settings)]) {
          await program.host.exec(stop);
          expect(await again()).toMatchObject({ code: 0 });
          expect(await program.status()).toMatchObject({ code: 0, problem: "" });
        }
      });
    });
  });
});
