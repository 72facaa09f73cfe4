/** The time between two confirms, in which a host rolls back what it loses minutes after the first one. */
import { PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab, type RunResult } from "../lab/lab";
import { eventually } from "../support/eventually";
import { defined } from "../support/required";
import { HostProgram, hostsUnder, lockSettings, rulesetsFor, shells } from "./support/host-program";

describe.each(shells)("under $name", (shell) => {
  describeLab("a host on probation", () => {
    let lab: Lab;
    const programs = new Map<HostFirewall, HostProgram>();
    beforeAll(async () => {
      lab = await Lab.create({ hosts: hostsUnder(shell).slice(0, 1) });
      for (const host of lab.hosts) {
        programs.set(host.name as HostFirewall, await HostProgram.on(host));
      }
    });
    afterAll(() => lab?.destroy());

    // Which firewall it is makes no difference to it.
    describe.each(shell.firewalls.slice(0, 1))("with %s", (firewall) => {
      let program: HostProgram;
      let before: string;
      beforeEach(async () => {
        program = defined(programs.get(firewall));
        before = await program.host.rules();
      });
      afterEach(async () => {
        expect(await program.temporaryFiles()).toEqual([]);
        await program.reset();
        expect(await program.host.rules()).toBe(before);
      });

      const probation = (settings: Record<string, string>, seconds: number, within = 60): Promise<RunResult> => {
        const { OWNER = "", ATTEMPT = "", RULESET = "" } = settings;
        return program.run("probation", OWNER, ATTEMPT, RULESET, `${seconds}`, `${within}`);
      };

      const confirm = ({ OWNER = "", ATTEMPT = "", RULESET = "" }: Record<string, string>): Promise<RunResult> =>
        program.run("confirm", OWNER, ATTEMPT, RULESET, "probation");

      async function locked(own: Record<string, string> = {}): Promise<Record<string, string>> {
        const settings = lockSettings(own);
        expect(await program.lock(settings)).toMatchObject({ code: 0, stderr: "" });
        return settings;
      }

      const onProbation = (): Promise<unknown> =>
        eventually("it is on probation", async () =>
          ((await program.stateFile("log")) ?? "").split("\n").at(-1)?.includes("on probation for"),
        );

      test("stays pending longer than a lock may, with one watchdog, and is locked by the confirm after it", async () => {
        const settings = await locked({ CONFIRM_WITHIN: "3" });
        const waited = await probation(settings, 5);
        expect(waited).toMatchObject({ code: 0, stderr: "" });
        expect(waited.stdout).toMatch(
          /^ssh-only-firewall: web-1: reached over a new connection, and on probation for 5 s\. .* rolls back automatically\.\nssh-only-firewall: web-1: the probation is over\. It is still pending, and rolls back unless it is confirmed\.\n$/,
        );
        expect(await program.status()).toMatchObject({ state: "pending", rules: "matches" });
        await eventually("the first watchdog has gone", () => program.watchdogs().length === 1);
        expect(await confirm(settings)).toMatchObject({ code: 0, stderr: "" });
        expect(await program.status()).toMatchObject({ state: "locked", rules: "matches" });
      });

      test("is not confirmed before it has begun, nor before it is over, though the wait has ended", async () => {
        const settings = await locked();
        const early = await confirm(settings);
        expect([early.code, early.stderr]).toEqual([
          9,
          expect.stringMatching(/its probation has not begun: .* rolls back unless/),
        ]);
        const waiting = probation(settings, 300, 1);
        await onProbation();
        const during = await confirm(settings);
        expect([during.code, during.stderr]).toEqual([
          9,
          expect.stringMatching(/lost before its probation was over\. .* rolls back/),
        ]);
        expect(await program.status()).toMatchObject({ state: "pending" });
        await program.run("rollback");
        expect((await waiting).code).toBe(9);
      });

      test("rolls back where no confirm comes after it, and reports it", async () => {
        const settings = await locked();
        expect(await probation(settings, 1, 1)).toMatchObject({ code: 0 });
        await eventually("it has rolled back", async () => (await program.status()).state === "open");
        const late = await confirm(settings);
        expect(late).toMatchObject({ code: 9, stdout: "" });
        expect(late.stderr).toMatch(
          /no longer pending \(it was reached once, and not confirmed after its probation: the host is open\)\. Nothing of this lock was kept\.\n$/,
        );
        expect(await program.host.rules()).toBe(before);
      });

      test("that is rolled back by hand ends the wait", async () => {
        const settings = await locked();
        const waiting = probation(settings, 300);
        await onProbation();
        expect(await program.run("rollback")).toMatchObject({ code: 0 });
        const { code, stderr } = await waiting;
        expect(code).toBe(9);
        expect(stderr).toMatch(/Too late: this lock is no longer pending \(rolled back by hand: the host is open\)/);
      });

      test("restores the ruleset that was confirmed before", async () => {
        const first = await program.lockForGood();
        const settings = await locked(rulesetsFor(22, { exceptions: [PolicyException.ping()] }));
        await probation(settings, 1, 1);
        await eventually("it has rolled back", async () => (await program.status()).state === "locked");
        expect(await program.status()).toMatchObject({ rules: "matches", ruleset: first.RULESET });
      });

      test("waits for nothing where it is confirmed already, or only observes", async () => {
        const settings = await program.lockForGood();
        const confirmed = await probation(settings, 300);
        expect(confirmed).toMatchObject({ code: 0, stderr: "" });
        expect(confirmed.stdout).toContain("is confirmed already, and needs no probation. The host was not changed.");
        await program.reset();
        const observing = await locked({ MODE: "observe", ...rulesetsFor(22, { mode: "observe" }) });
        expect(await probation(observing, 300)).toMatchObject({ code: 0, stderr: "" });
        expect(await confirm(observing)).toMatchObject({ code: 0 });
      });

      test("is not prolonged for another owner, nor where the rules were changed", async () => {
        const settings = await locked();
        expect(await probation({ ...settings, OWNER: "owner-2" }, 300)).toMatchObject({ code: 8, stdout: "" });
        await program.host.exec(
          firewall === "nftables" ? "nft flush table inet ssh_only_firewall" : `${firewall} -w 20 -F SSH_ONLY_IN`,
        );
        expect(await probation(settings, 300)).toMatchObject({ code: 10, stdout: "" });
      });
    });
  });
});
