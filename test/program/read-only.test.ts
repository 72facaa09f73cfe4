/** An unlock on a disk that has become read-only says what the host is, and the next one ends it. */
import { describeLab } from "../lab/describe-lab";
import { Lab, type RunResult } from "../lab/lab";
import { HostProgram, SMALL_DISK, STATE } from "./support/host-program";

const first = "10.77.0.1 40000 10.77.0.10 22";
const second = "10.77.0.1 40001 10.77.0.10 22";
const FIREWALLS = ["nftables", "iptables-legacy"] as const;
const READ_ONLY = `until mount -o remount,ro ${STATE}; do sleep 0.1; done`;
const WRITABLE = `mount -o remount,rw ${STATE}`;

describeLab("a host whose disk is read-only", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: FIREWALLS.map((firewall) => ({ name: firewall, firewall, boot: SMALL_DISK })) });
  });
  afterAll(() => lab?.destroy());

  test.each(FIREWALLS)("with %s: stays locked or is open, as its unlock says", async (firewall) => {
    const program = await HostProgram.on(lab.host(firewall));
    const verb = (from: string, words: string): Promise<RunResult> =>
      program.host.exec(["sh", "-c", `SSH_ONLY_FROM='${from}' sh ${STATE}/host.sh ${words}`], { check: false });
    await program.lockForGood();
    const rules = await program.host.rules();
    await program.host.exec(READ_ONLY);
    const overSsh = await verb(first, "unlock owner-1 600");
    expect(overSsh.code).not.toBe(0);
    expect(overSsh.stderr).toMatch(/cannot be written: is the disk full, or read-only\?/);
    expect(overSsh.stderr).toMatch(/The unlock failed\. The host is as it was before\.\n$/);
    expect(await program.host.rules()).toBe(rules);

    const onConsole = await verb("", "unlock --console");
    expect(onConsole.code).not.toBe(0);
    expect(onConsole.stderr).toMatch(
      /still says that this host is locked: .* the host is OPEN until it is restarted\.\n$/,
    );
    expect(await program.host.rules()).not.toMatch(/ssh_only/i);
    await program.host.exec(WRITABLE);
    expect(await verb("", "unlock --console")).toMatchObject({ code: 0, stderr: "" });
    expect((await program.host.exec(["ls", "-A", STATE])).stdout).toBe("log\n");
    expect((await program.host.exec("ls /run/ssh-only-firewall.*")).stdout).toBe("/run/ssh-only-firewall.lock\n");

    // The disk fails between the two.
    await program.lockForGood();
    expect(await verb(first, "unlock owner-1 600")).toMatchObject({ code: 0 });
    await program.host.exec(READ_ONLY);
    const confirm = await verb(second, "confirm-unlock owner-1");
    expect(confirm.code).not.toBe(0);
    expect(confirm.stderr).toMatch(/the host is open until the watchdog locks it again\.\n$/);
    await program.host.exec(WRITABLE);
    expect(await verb(second, "confirm-unlock owner-1")).toMatchObject({ code: 0 });
  });
});
