/** Unlock is commit confirmed: without a confirm over a new connection the host locks itself again. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab, type RunResult } from "../lab/lab";
import { launcher } from "../../lib/host/program";
import { hostsUnder, HostProgram, lockSettings, rulesetsFor, shells, STATE } from "./support/host-program";

/** The SSH_CONNECTION of two logins of the operator. */
const first = "10.77.0.1 40000 10.77.0.10 22";
const second = "10.77.0.1 40001 10.77.0.10 22";

describe.each(shells)("under $name", (shell) => {
  describeLab("a locked host", () => {
    let lab: Lab;
    const programs = new Map<HostFirewall, HostProgram>();
    const rulesBefore = new Map<HostFirewall, string>();

    beforeAll(async () => {
      lab = await Lab.create({ hosts: hostsUnder(shell) });
      for (const host of lab.hosts) {
        rulesBefore.set(host.firewall, await host.rules());
        programs.set(host.firewall, await HostProgram.on(host));
      }
    });
    afterAll(() => lab?.destroy());
    afterEach(() => Promise.all([...programs.values()].map((program) => program.reset())));

    describe.each(shell.firewalls)("with %s", (firewall) => {
      const program = (): HostProgram => programs.get(firewall) as HostProgram;
      /** Runs a verb as the script does that Terraform uploads. */
      const asTerraform = (from: string, verb: string): Promise<RunResult> =>
        program().host.exec(["sh", "-s", "as-root", from, "root"], {
          input: `SSH_ONLY_VERB='${verb}'\n${launcher()}`,
          check: false,
        });
      const watchdogsEnd = (): Promise<void> =>
        eventually("the watchdog ends", () => program().watchdogs().length === 0);

      test("locks itself again unless that is confirmed in time, keeps its evidence, and the next destroy opens it", async () => {
        await program().lockForGood();
        const rules = await program().host.rules();
        const baseline = await program().stateFile("baseline/taken_at");
        await asTerraform(first, "unlock owner-1 1");
        await eventually("it is locked", async () => (await program().status()).state === "locked");
        await watchdogsEnd();
        expect(await program().host.rules()).toBe(rules);
        expect(await program().status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
        expect(await program().stateFile("baseline/taken_at")).toBe(baseline);
        // It was open, and it is known since when.
        expect(await program().stateFile("baseline/gaps")).toMatch(/^1 \d+ \d+$/);
        const late = await asTerraform(second, "confirm-unlock owner-1");
        expect(late).toMatchObject({ code: 9, stdout: "" });
        expect(late.stderr).toMatch(
          /This unlock is not pending \(nobody confirmed it in time: the host has locked itself again\)\. .* accept port 22 .* The host is locked\.\n$/,
        );
        expect((await asTerraform(first, "unlock owner-1 60")).code).toBe(0);
        expect((await asTerraform(first, "unlock owner-1 60")).code).toBe(0);
        expect((await asTerraform(second, "confirm-unlock owner-1")).code).toBe(0);
        expect(await program().host.rules()).toBe(rulesBefore.get(firewall));
        await watchdogsEnd();
      });

      // The others are of what does not depend on the shell.
      if (shell === shells[0]) {
        test("is open once its unlock is confirmed over a new connection, and nothing of it is left", async () => {
          await program().lockForGood();
          const unlocked = await asTerraform(first, "unlock owner-1 60");
          expect(unlocked).toMatchObject({ code: 0, stderr: "" });
          expect(unlocked.stdout).toMatch(
            /web-1: removing the rules of this program\. Unless this unlock is confirmed over a new connection within 60 s, the host locks itself again, also if this connection dies now\.\n/,
          );
          expect(await program().host.rules()).toBe(rulesBefore.get(firewall));
          expect(await program().status()).toMatchObject({
            code: 0,
            state: "unlocking",
            rules: "none",
            owner: "owner-1",
            host: "web-1",
          });
          const confirmed = await asTerraform(second, "confirm-unlock owner-1");
          expect(confirmed).toMatchObject({ code: 0, stderr: "" });
          expect(confirmed.stdout).toContain(
            "web-1: unlocked, confirmed over a new connection: every rule of this program is gone. The host is open.",
          );
          expect((await program().host.exec(["ls", STATE])).stdout).toBe("log\n");
          await watchdogsEnd();
          // Its answer may have been lost.
          for (const verb of ["confirm-unlock owner-1", "unlock owner-1 60", "confirm-unlock owner-1"]) {
            expect(await asTerraform(second, verb)).toMatchObject({
              code: 0,
              stdout: expect.stringContaining("This host is open"),
            });
          }
        });

        test("is not opened by a confirm over the connection that ran unlock, or while our rules are live", async () => {
          const { OWNER = "", ATTEMPT = "" } = await program().lockForGood();
          await asTerraform(first, `unlock ${OWNER} 60`);
          const same = await asTerraform(first, `confirm-unlock ${OWNER}`);
          expect(same).toMatchObject({ code: 1, stdout: "" });
          expect(same.stderr).toContain("This is the same connection as that of unlock");
          const load =
            firewall === "nftables"
              ? `nft -f ${STATE}/records/${ATTEMPT}/nftables`
              : `iptables-restore --noflush <${STATE}/records/${ATTEMPT}/iptables`;
          await program().host.exec(load);
          const live = await asTerraform(second, `confirm-unlock ${OWNER}`);
          expect(live).toMatchObject({ code: 10, stdout: "" });
          expect(live.stderr).toContain("this connection proves nothing. The unlock is still pending");
          expect(await program().status()).toMatchObject({ state: "unlocking", rules: "drifted" });
          expect((await program().run("rollback")).stdout).toContain("Rolled back: the host has locked itself again.");
          expect(await program().status()).toMatchObject({ state: "locked", rules: "matches" });
        });
      }
    });

    if (shell !== shells[0]) {
      return;
    }
    const program = (): HostProgram => programs.get(shell.firewalls[0] as HostFirewall) as HostProgram;
    const verb = (from: string, words: string): Promise<RunResult> =>
      program().host.exec(["sh", "-c", `SSH_ONLY_FROM='${from}' sh ${STATE}/host.sh ${words}`], { check: false });

    test("is unlocked by hand over SSH likewise, and on its console at once", async () => {
      await program().lockForGood();
      const unlocked = await verb(first, "unlock");
      expect(unlocked).toMatchObject({ code: 0, stderr: "" });
      expect(unlocked.stdout).toContain(
        `To keep it open, log in over a new connection, and run there: sh ${STATE}/host.sh confirm-unlock`,
      );
      expect(await program().status()).toMatchObject({ state: "unlocking" });
      expect(await verb(second, "confirm-unlock")).toMatchObject({ code: 0 });
      for (const words of ["unlock", "unlock --console", "unlock owner-1"]) {
        await program().lockForGood();
        const from = words === "unlock --console" ? first : "";
        expect(await verb(from, words)).toMatchObject({ code: 0, stderr: "" });
        expect(await program().host.exec(["ls", STATE])).toMatchObject({ stdout: "log\n" });
      }
      await eventually("the watchdogs end", () => program().watchdogs().length === 0);
    });

    test("is not opened by a destroy of a version that would not confirm it", async () => {
      await program().lockForGood();
      const traces = await program().traces();
      const refused = await verb(first, "unlock owner-1");
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toMatch(/of a version that does not confirm an unlock.* The host was not changed\.\n$/);
      expect(await program().traces()).toBe(traces);
    });

    test("stays as it is where its record is damaged, for it could not lock itself again", async () => {
      const { ATTEMPT } = await program().lockForGood();
      await program().host.exec(`echo '# damaged' >>${STATE}/records/${ATTEMPT}/nftables`);
      const refused = await verb(first, "unlock owner-1 60");
      expect(refused).toMatchObject({ code: 10, stdout: "" });
      expect(refused.stderr).toMatch(/record of this lock is damaged.* deploy to it once.* It stays locked\.\n$/);
      expect(await program().status()).toMatchObject({ state: "locked" });
    });

    test("that is only observed is opened at once, for it drops nothing and lets nothing in", async () => {
      await program().lockForGood({ ...rulesetsFor(22, { mode: "observe" }), MODE: "observe" });
      expect(await verb(first, "unlock owner-1 60")).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("The host is open."),
      });
      expect(await program().host.exec(["ls", STATE])).toMatchObject({ stdout: "log\n" });
    });

    test("may be locked anew while its unlock is pending, which ends that", async () => {
      const settings = await program().lockForGood();
      await verb(first, "unlock owner-1 60");
      // As a deploy does that runs its lock again.
      const again = await program().lock(settings);
      expect(again).toMatchObject({ code: 0, stderr: "" });
      expect(again.stdout).toContain("unlock of the same owner was pending, and is rolled back.");
      expect(await program().status()).toMatchObject({ state: "locked", rules: "matches" });
      await verb(first, "unlock owner-1 60");
      const newer = lockSettings();
      expect(await program().lock(newer)).toMatchObject({ code: 0 });
      expect(await verb(second, "confirm-unlock owner-1")).toMatchObject({
        code: 9,
        stderr: expect.stringContaining("somebody has deployed since the unlock"),
      });
      expect(await program().confirm(newer)).toMatchObject({ code: 0 });
      expect(await verb(second, "confirm-unlock owner-1")).toMatchObject({ code: 9 });
      expect(await verb(second, "confirm-unlock owner-2")).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("locked by another owner"),
      });
      expect(await program().status()).toMatchObject({ state: "locked", rules: "matches" });
      await eventually("the watchdogs end", () => program().watchdogs().length === 0);
    });
  });
});
