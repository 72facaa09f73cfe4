/** A host program that a power cut has damaged: nothing takes it for a success, and a locked host boots locked. */
import { hostProgram, launcher, question } from "../../lib/host/program";
import { defined } from "../support/required";
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type RunResult } from "../lab/lab";
import { HostProgram, lockSettings, shells, STATE } from "./support/host-program";

const INSTALLED = `${STATE}/host.sh`;
const BOOT_SCRIPT = "/etc/init.d/ssh-only-firewall";

/** What power cuts leave of a file that was not on the disk: shell text that makes the file $1 so. */
const damages = {
  "is empty": 'dd if=/dev/null of="$1" 2>/dev/null',
  "is cut in the middle": 'dd if=/dev/null of="$1" bs=1000 seek=20 2>/dev/null',
  "has only its header": 'sed -n "/^#/!q; p" "$1" >"$1.x"; cat "$1.x" >"$1"; rm "$1.x"',
  "is zeros": 'dd if=/dev/zero of="$1" bs="$(wc -c <"$1")" count=1 2>/dev/null',
  "has zeros in the middle": 'dd if=/dev/zero of="$1" bs=4096 seek=3 count=2 conv=notrunc 2>/dev/null',
  "is gone": 'rm "$1"',
};
type Damage = keyof typeof damages;

/** Damages one file; as it has a second name, the copy under that too. */
const damaged = (host: Host, damage: Damage, file = INSTALLED): Promise<RunResult> =>
  host.exec(["/bin/sh", "-c", damages[damage], "sh", file]);

/** A power cut damages a file that is new: what has other names is another file. */
const damagedAlone = async (host: Host, damage: Damage): Promise<void> => {
  await host.exec(`cp ${INSTALLED} ${INSTALLED}.new; mv ${INSTALLED}.new ${INSTALLED}`);
  await damaged(host, damage);
};

const uploaded = (host: Host, verb: string): Promise<RunResult> =>
  host.exec("cat >/var/tmp/verb.sh; sh /var/tmp/verb.sh; code=$?; : >/var/tmp/verb.sh; exit $code", {
    input: `SSH_ONLY_VERB='${verb}'\n${launcher()}`,
    check: false,
  });

const asked = async (host: Host): Promise<string> => (await host.exec("sh -s", { input: question() })).stdout;

describe.each(shells.filter(({ name }) => name !== "bash"))("under $name", ({ options, firewalls: [firewall] }) => {
  describeLab("a host whose program", () => {
    let lab: Lab;
    let host: Host;
    let program: HostProgram;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "host", ...options, firewall: defined(firewall) }] });
      host = lab.host("host");
      program = await HostProgram.on(host);
    });
    afterAll(() => lab?.destroy());
    afterEach(() => program.reset());

    const kinds = (options.shell === "dash" ? Object.keys(damages) : ["is empty", "is zeros"]) as Damage[];

    test.each(kinds)("%s is not confirmed, and not unlocked while it is locked", async (damage) => {
      const settings = lockSettings();
      await program.lock(settings);
      await damaged(host, damage);
      const confirm = `confirm ${settings.OWNER} ${settings.ATTEMPT} ${settings.RULESET}`;
      expect(await uploaded(host, confirm)).toMatchObject({
        code: damage === "is gone" ? 9 : 10,
        stderr: expect.stringMatching(/^ssh-only-firewall: The host program .* The host was not changed\.\n$/),
      });
      await host.exec(`cat >${INSTALLED}`, { input: hostProgram() });
      expect(await uploaded(host, confirm)).toMatchObject({ code: 0 });

      await damaged(host, damage);
      await host.exec(`rm -f ${STATE}/records/*/host.sh`);
      expect(await uploaded(host, `unlock ${settings.OWNER}`)).toMatchObject({
        code: 10,
        stderr: expect.stringMatching(
          /is damaged, and this host is locked: deploy to it, .*\. The host was not changed\.\n$/,
        ),
      });
      expect(await asked(host)).toMatch(/^ssh-only-firewall-status 1 the host program there is damaged/);
      // The next deploy of the same owner repairs it.
      await program.lockForGood();
      expect(await asked(host)).toMatch(/^ssh-only-firewall-status 0 .*"state":"locked","rules":"matches"/);
    });

    test.each(["is empty", "has zeros in the middle"] as const)(
      "%s boots locked, by the copy that the lock keeps, and is repaired",
      async (damage) => {
        const settings = await program.lockForGood({ PERSIST: "true" });
        await damagedAlone(host, damage);
        expect(await asked(host)).toMatch(/^ssh-only-firewall-status 0 .*"state":"locked"/);
        await host.reboot();
        expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
        expect(await host.exec([BOOT_SCRIPT, "start"], { check: false })).toMatchObject({ code: 0 });
        expect(await program.stateFile("host.sh")).toBe(hostProgram().trimEnd());
        await eventually("the guard runs", async () => (await program.status()).code === 0);
        expect(await program.status()).toMatchObject({ state: "locked", ruleset: settings.RULESET });
        await damagedAlone(host, damage);
        expect(await uploaded(host, `unlock ${settings.OWNER}`)).toMatchObject({ code: 0 });
        expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
      },
    );

    test("is damaged, and the copy too, fails at boot with a message", async () => {
      await program.lockForGood({ PERSIST: "true" });
      await damaged(host, "is cut in the middle");
      await host.reboot();
      expect(await host.exec([BOOT_SCRIPT, "start"], { check: false })).toMatchObject({
        code: 10,
        stderr: expect.stringMatching(/is damaged: this host may be OPEN\. Deploy to it again\.\n/),
      });
      await program.lockForGood({ PERSIST: "true" });
    });

    test("is empty, and that is not locked, is open for all that ask", async () => {
      await host.exec(`mkdir -p ${STATE}; : >${INSTALLED}`);
      expect(await uploaded(host, "unlock owner-1")).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("This host is open: there is nothing to unlock."),
      });
      expect(await uploaded(host, "confirm a b c")).toMatchObject({ code: 10 });
    });

    test("is of an earlier version, which has no size in it, is taken as it is", async () => {
      const earlier = hostProgram().replace(/ \(\d+ bytes\)/, "");
      expect(earlier).not.toBe(hostProgram());
      const settings = await program.lockForGood({ PROGRAM: earlier });
      expect(await asked(host)).toMatch(/^ssh-only-firewall-status 0 .*"state":"locked"/);
      expect(await uploaded(host, `unlock ${settings.OWNER}`)).toMatchObject({ code: 0 });
    });
  });
});
