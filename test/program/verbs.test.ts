/** What each verb does to a host that has rules of its own, what it says, and what it leaves behind. */
import { defined } from "../support/required";
import { hostProgram } from "../../lib/host/program";
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab } from "../lab/lab";
import { HostProgram, hostsUnder, lockSettings, rulesetsFor, shells, STATE } from "./support/host-program";

describe.each(shells)("under $name", (shell) => {
  describeLab("the host program", () => {
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

      test("a host is open, pending, locked and open again, and its own rules are untouched", async () => {
        const nothing = {
          host: "",
          owner: "",
          ruleset: "",
          backend: "",
          port: "",
          lockedAt: "",
          program: "",
          listened: "",
          stack: "",
          construct: "",
          workspace: "",
          from: "",
          bridged: "",
          problem: "",
        };
        expect(await program.status()).toEqual({ code: 0, state: "open", rules: "none", ...nothing });

        const settings = lockSettings();
        const locked = await program.lock(settings);
        expect(locked).toMatchObject({ code: 0, stderr: "" });
        expect(locked.stdout).toMatch(
          /^ssh-only-firewall: web-1: loading rules that allow only SSH \(.*\)\. Unless this lock is confirmed within 120 s, the host rolls back automatically, also if this connection dies now\.\nssh-only-firewall: web-1: loaded, and the live rules match the ruleset\. The host is pending\.\n$/,
        );
        const pending = {
          code: 0,
          state: "pending",
          rules: "matches",
          host: "web-1",
          owner: "owner-1",
          ruleset: settings.RULESET,
          backend: firewall === "nftables" ? "nftables" : "iptables",
          port: "22",
          lockedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          program: "0123456789ab",
          listened: "22",
          stack: "",
          construct: "",
          workspace: "",
          from: "10.77.0.1",
          bridged: "",
          problem: "",
        };
        expect(await program.status()).toEqual(pending);
        expect(program.watchdogs()).toHaveLength(1);
        const live = await program.host.rules();
        expect(withoutOurs(live)).toBe(withoutOurs(before));
        expect(live).not.toBe(before);

        expect(await program.confirm(settings)).toEqual({
          code: 0,
          stdout: "ssh-only-firewall: web-1: confirmed over a new connection. The host is locked.\n",
          stderr: "",
        });
        expect(await program.status()).toEqual({ ...pending, state: "locked" });
        expect(await program.host.rules()).toBe(live);
        await eventually("the watchdog ends", () => program.watchdogs().length === 0);

        expect(await program.run("unlock", "owner-1")).toEqual({
          code: 0,
          stdout: "ssh-only-firewall: web-1: unlocked: every rule of this program is gone. The host is open.\n",
          stderr: "",
        });
        expect(await program.host.rules()).toBe(before);
        expect(await program.status()).toEqual({ code: 0, state: "open", rules: "none", ...nothing });
        expect((await program.host.exec(["ls", "-A", STATE])).stdout).toBe("log\n");
      });

      test("status shows in words what --json shows, and both leave everything as it is", async () => {
        expect(await program.run("status")).toEqual({ code: 0, stdout: "state:   open\n", stderr: "" });
        const { RULESET } = await program.lockForGood();
        const traces = await program.traces();
        const { code, stdout, stderr } = await program.run("status");
        const { lockedAt, backend } = await program.status();
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout).toBe(
          "state:   locked\nhost:    web-1\nowner:   owner-1\n" +
            `ruleset: ${RULESET}\nbackend: ${backend}\nport:    22\nsince:   ${lockedAt}\nfrom:    10.77.0.1\nrules:   matches\n`,
        );
        expect(await program.traces()).toBe(traces);
      });

      test("confirming or unlocking a second time changes nothing and succeeds", async () => {
        const settings = await program.lockForGood();
        const traces = await program.traces();
        const again = await program.confirm(settings);
        expect(again).toMatchObject({ code: 0, stderr: "" });
        expect(again.stdout).toContain("confirmed already. The host was not changed.");
        expect(await program.traces()).toBe(traces);

        await program.run("unlock", "owner-1");
        const open = await program.traces();
        for (const words of [["unlock", "owner-1"], ["unlock"]]) {
          const unlocked = await program.run(...words);
          expect(unlocked).toMatchObject({ code: 0, stderr: "" });
          expect(unlocked.stdout).toContain("This host is open: there is nothing to unlock. The host was not changed.");
          expect(await program.traces()).toBe(open);
        }
      });

      test("our rules that are loaded again after unlock, because somebody had saved them, are shown, and unlock removes them", async () => {
        await program.lockForGood();
        const [save, restore] =
          firewall === "nftables"
            ? ["nft list table inet ssh_only_firewall", "nft -f"]
            : ["iptables-save -t filter | grep -e '^[*]' -e SSH_ONLY_ -e COMMIT", "iptables-restore --noflush"];
        await program.host.exec(`${save} >/var/tmp/saved-by-hand`);
        await program.run("unlock");
        expect(await program.host.rules()).toBe(before);
        await program.host.exec(`${restore} /var/tmp/saved-by-hand; rm /var/tmp/saved-by-hand`);
        expect(await program.status()).toMatchObject({ code: 10, state: "open", rules: "unrecorded" });
        expect(await program.run("unlock")).toMatchObject({ code: 0, stderr: "" });
        expect(await program.status()).toMatchObject({ code: 0, state: "open", rules: "none" });
        expect(await program.host.rules()).toBe(before);
      });

      test("a lock over a confirmed one replaces it once it is confirmed, and undone it brings it back", async () => {
        await program.lockForGood();
        const first = await program.host.rules();
        const other = { ...rulesetsFor(2222), SKIP_PREFLIGHT: "true", PORT: "2222" };

        const undone = lockSettings(other);
        expect(await program.lock(undone)).toMatchObject({ code: 0 });
        expect(await program.status()).toMatchObject({ state: "pending", port: "2222", rules: "matches" });
        expect(await program.host.rules()).not.toBe(first);
        const rolledBack = await program.run("rollback");
        expect(rolledBack).toMatchObject({ code: 0, stderr: "" });
        expect(rolledBack.stdout).toContain("Rolled back: the ruleset confirmed before is in force again.");
        expect(await program.status()).toMatchObject({ state: "locked", port: "22", rules: "matches" });
        expect(await program.host.rules()).toBe(first);

        await program.lockForGood(other);
        expect(await program.status()).toMatchObject({ state: "locked", port: "2222", rules: "matches" });
        expect((await program.host.exec(["ls", `${STATE}/records`])).stdout.split("\n")).toHaveLength(2);
      });

      test("a rollback by hand opens a host that was open, and does nothing where nothing is pending", async () => {
        await program.lock();
        expect((await program.run("rollback")).stdout).toContain("Rolled back: the host is open.");
        expect(await program.host.rules()).toBe(before);
        expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
        const again = await program.run("rollback");
        expect(again).toMatchObject({ code: 0, stderr: "" });
        expect(again.stdout).toContain("Nothing is pending. The host was not changed.");
      });

      test("nobody confirms: the watchdog rolls back by itself, and a late confirm is refused and persists nothing", async () => {
        const settings = lockSettings({ CONFIRM_WITHIN: "1", PERSIST: "true" });
        expect(await program.lock(settings)).toMatchObject({ code: 0 });
        await eventually("the host is open", async () => (await program.status()).state === "open");
        expect(await program.host.rules()).toBe(before);
        await eventually("the watchdog ends", () => program.watchdogs().length === 0);
        const traces = await program.traces();
        const late = await program.confirm(settings);
        expect(late).toMatchObject({ code: 9, stdout: "" });
        expect(late.stderr).toContain(
          "Too late: this lock is no longer pending (nobody confirmed it in time: the host is open).",
        );
        expect(late.stderr).toContain("Nothing of this lock was kept.");
        expect(await program.traces()).toBe(traces);
      });

      test("a confirm that does not fit the pending lock is refused, and the lock stays pending", async () => {
        expect(await program.confirm(lockSettings())).toMatchObject({
          code: 9,
          stderr: expect.stringContaining("Too late: this lock is no longer pending (it is not known here)."),
        });
        const settings = lockSettings();
        await program.lock(settings);
        for (const [wrong, code, message] of [
          [{ OWNER: "somebody" }, 8, "The pending lock has owner owner-1"],
          [{ RULESET: "0".repeat(64) }, 8, "The pending lock has owner owner-1"],
          [{ ATTEMPT: "another" }, 9, `Another deploy has locked this host since (${settings.ATTEMPT}).`],
        ] as const) {
          const refused = await program.confirm({ ...settings, ...wrong });
          expect(refused).toMatchObject({ code, stdout: "" });
          expect(refused.stderr).toContain(message);
          expect(await program.status()).toMatchObject({ state: "pending", rules: "matches" });
        }
        expect(await program.confirm(settings)).toMatchObject({ code: 0 });
      });

      test("a second lock replaces one that is pending; only the second can be confirmed, and one watchdog is left", async () => {
        const first = lockSettings();
        const second = lockSettings({ OWNER: "owner-2" });
        await program.lock(first);
        await program.lock(second);
        expect(await program.stateFile("pending")).toMatch(new RegExp(`^${second.ATTEMPT} `));
        await eventually("one watchdog is left", () => program.watchdogs().length === 1);
        expect(program.watchdogs()[0]).toContain(second.ATTEMPT);
        expect((await program.confirm(first)).stderr).toContain("This lock was replaced, and is not confirmed.");
        expect(await program.confirm(second)).toMatchObject({ code: 0 });
        expect(await program.status()).toMatchObject({ state: "locked", owner: "owner-2" });
      });

      test("another owner's host is locked only with take-over, and opened only by its owner or by hand", async () => {
        await program.lockForGood();
        const traces = await program.traces();
        const other = { OWNER: "owner-2" };
        const refused = await program.lock(lockSettings(other));
        expect(refused).toMatchObject({ code: 8, stdout: "" });
        expect(refused.stderr).toMatch(
          /already locked by another owner \(hold owner-1, as web-1, since .*\).*takeOver.*The host was not changed\.\n$/,
        );
        expect(await program.traces()).toBe(traces);

        const notOpened = await program.run("unlock", "owner-2");
        expect(notOpened).toMatchObject({ code: 0, stderr: "" });
        expect(notOpened.stdout).toMatch(
          /locked by another owner \(hold owner-1, .*\), and stays locked\. The host was not changed\.\n$/,
        );
        expect(await program.traces()).toBe(traces);

        const taken = lockSettings({ ...other, TAKE_OVER: "true" });
        expect(await program.lock(taken)).toMatchObject({ code: 0 });
        expect(await program.confirm(taken)).toMatchObject({ code: 0 });
        await program.run("unlock", "owner-1");
        expect(await program.status()).toMatchObject({ state: "locked", owner: "owner-2", rules: "matches" });
        await program.run("unlock", "owner-2");
        expect(await program.status()).toMatchObject({ state: "open" });
        await program.lockForGood();
        await program.run("unlock");
        expect(await program.status()).toMatchObject({ state: "open" });
      });

      test("an unlock while another owner's lock is pending or below leaves what is not its own", async () => {
        const below = await program.lockForGood();
        const over = lockSettings({
          OWNER: "owner-2",
          TAKE_OVER: "true",
          ...rulesetsFor(2222),
          SKIP_PREFLIGHT: "true",
        });
        await program.lock(over);
        // The upper one goes, and what was confirmed before is in force again.
        const undone = await program.run("unlock", "owner-2");
        expect(undone.stdout).toContain("The pending lock of this owner is undone");
        expect(await program.status()).toMatchObject({ state: "locked", owner: below.OWNER, rules: "matches" });
        // The lower one cannot go: what would the pending one roll back to?
        const again = lockSettings({ ...over, ATTEMPT: "again" });
        await program.lock(again);
        const refused = await program.run("unlock", defined(below.OWNER));
        expect(refused).toMatchObject({ code: 8, stdout: "" });
        expect(refused.stderr).toMatch(
          /Another owner \(hold owner-2\) has a lock pending here over this one: destroy again when it is confirmed or rolled back\. The host was not changed\.\n$/,
        );
        expect(await program.status()).toMatchObject({ state: "pending", owner: "owner-2", rules: "matches" });
        await program.run("rollback");
        expect(await program.status()).toMatchObject({ state: "locked", owner: below.OWNER, rules: "matches" });
        await program.run("unlock", defined(below.OWNER));
        expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
        expect(await program.host.rules()).toBe(before);
      });

      test("an unlock of what is pending ends the lock, and its watchdog", async () => {
        await program.lock();
        await program.run("unlock", "owner-1");
        expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
        await eventually("the watchdog ends", () => program.watchdogs().length === 0);
      });

      test("what is installed is the program, readable for root only; the log has a line for each event", async () => {
        const settings = await program.lockForGood();
        expect(`${await program.stateFile("host.sh")}\n`).toBe(hostProgram());
        const modes = await program.host.exec(
          `stat -c '%a %U' ${STATE} ${STATE}/host.sh ${STATE}/records ${STATE}/log`,
        );
        expect(modes.stdout).toBe("700 root\n600 root\n700 root\n600 root\n");
        await program.confirm({ ...settings, ATTEMPT: "other" });
        await program.run("unlock");
        const log = (await program.stateFile("log")) ?? "";
        expect(log.split("\n")).toEqual(
          [
            "web-1: loading rules that allow only SSH \\(.*\\)\\. Unless .*",
            "web-1: loaded, and the live rules match the ruleset\\. The host is pending\\.",
            "web-1: confirmed over a new connection\\. The host is locked\\.",
            "failed: Another deploy has locked this host since .*",
            "web-1: unlocked: every rule of this program is gone\\. The host is open\\.",
          ].map((line) => expect.stringMatching(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ ${line}$`)),
        );
      });
    });
  });
});

/** The rules without those that bear our name. */
function withoutOurs(rules: string): string {
  return rules
    .replace(/^table inet ssh_only_firewall \{.*?^\}\n?/gms, "")
    .replace(/^\tchain SSH_ONLY_.*?^\t\}\n\n?/gms, "")
    .split("\n")
    .filter((line) => line !== "" && !line.includes("SSH_ONLY_"))
    .join("\n");
}
