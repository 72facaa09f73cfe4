/** Faults in the middle of things that must not leave a host which nobody can reach, or one that is called what it is not. */
import { defined } from "../support/required";
import { hostProgram, launcher, question } from "../../lib/host/program";
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab, machine, type RunResult } from "../lab/lab";
import { HostProgram, lockSettings, rulesetsFor, STATE, watchdogs } from "./support/host-program";

/** An update that nobody can confirm, of a lock that is gone by itself soon. */
const wrongPort = { ...rulesetsFor(2222), SKIP_PREFLIGHT: "true", PERSIST: "true" };

/** While that file is there, all sleep fifty times as fast. */
const fastSleep = `cat >/usr/local/sbin/sleep <<'END'
#!/bin/sh
[ ! -e /run/fast ] || exec /usr/bin/sleep "$(awk -v time="$1" 'BEGIN { print time / 50 }')"
exec /usr/bin/sleep "$@"
END
chmod 0755 /usr/local/sbin/sleep`;

/** As if the time of what is pending had gone by. */
const overdue = `sed -i 's/^\\([^ ]* [^ ]*\\) [0-9]*/\\1 -100/' ${STATE}/pending; touch /run/fast`;

/** A command line on the host, as somebody types it who came over SSH, if they did. */
function typed(host: Host, command: string, connection?: string): Promise<RunResult> {
  const shell = ["sh", "-c", `${command}; exit $?`];
  return host.exec(connection === undefined ? shell : ["env", `SSH_CONNECTION=${connection}`, ...shell], {
    check: false,
  });
}

/** Of another program, with whatever tools it has. */
function elsewhere(host: Host, command: string): Promise<RunResult> {
  return machine.exec(["nsenter", "--target", String(host.initPid), "--net", "/bin/sh", "-c", command], {
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
}

const isAtRest = async (program: HostProgram): Promise<boolean> =>
  (await program.stateFile("pending")) === undefined && watchdogs(program.host).length === 0;

describe.each(["nftables", "iptables-legacy"] as const)("with %s", (firewall: HostFirewall) => {
  describeLab("a host", () => {
    let lab: Lab;
    let host: Host;
    let program: HostProgram;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "host", firewall, provision: fastSleep, listeners: true }] });
      host = lab.host("host");
      program = await HostProgram.on(host);
    });
    afterAll(() => lab?.destroy());
    afterEach(async () => {
      await host.exec("rm -f /run/fast");
      await program.reset();
    });

    const login = async (): Promise<string> =>
      (await host.ssh("echo in", { check: false, options: ["ConnectTimeout=2"] })).stdout;
    const killWatchdogs = (): Promise<RunResult> =>
      host.exec("pkill -KILL -f '[h]ost.sh watchdog'; pkill -KILL -f '[h]ost.sh guard'; :");

    test("whose watchdog was killed is brought back by the guard", async () => {
      const before = await program.lockForGood({ PERSIST: "true" });
      await program.lock(lockSettings({ ...wrongPort, CONFIRM_WITHIN: "600" }));
      await host.exec("pkill -KILL -f '[h]ost.sh watchdog'");
      await eventually("it is gone", () => watchdogs(host).length === 0);
      await host.exec(overdue);
      await eventually("nothing is pending", () => isAtRest(program));
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", ruleset: before.RULESET });
      expect(await login()).toBe("in\n");
    });

    test("of which nothing was confirmed before has a guard all the same, which ends with the lock", async () => {
      await program.lock(lockSettings({ ...wrongPort, CONFIRM_WITHIN: "600" }));
      await host.exec("pkill -KILL -f '[h]ost.sh watchdog'");
      await eventually("it is gone", () => watchdogs(host).length === 0);
      await host.exec(overdue);
      await eventually("nothing is pending", () => isAtRest(program));
      expect(await program.status()).toMatchObject({ code: 0, state: "open" });
      expect(await login()).toBe("in\n");
      await eventually("it is gone", () => !host.processes().some((line) => line.includes("host.sh guard")));
    });

    test("has one guard at most, however late one starts, and none that no restart would start again", async () => {
      const guards = (): string[] => host.processes().filter((line) => line.includes("host.sh guard"));
      const start = `nohup sh ${STATE}/host.sh guard first </dev/null >/dev/null 2>&1 &`;
      await program.lockForGood();
      await host.exec(start);
      await eventually("the late one has ended", () => guards().length === 0);
      await program.lockForGood({ PERSIST: "true" });
      await host.exec(`${start} sleep 1; ${start}`);
      await eventually("one is left", () => guards().length === 1);
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    });

    test.each([
      ["a first lock", "open", {}],
      ["an update", "locked", {}],
      ["an update of a lock that no restart keeps", "locked", { PERSIST: "false" }],
    ] as const)("is brought back when the name of %s was removed under it", async (what, state, before) => {
      if (what !== "a first lock") {
        await program.lockForGood(before);
      }
      await program.lock(lockSettings({ ...wrongPort, ...before, CONFIRM_WITHIN: "2" }));
      await host.exec(`rm ${STATE}/pending`);
      await eventually("no watchdog is left", () => isAtRest(program));
      expect(await program.status()).toMatchObject({ code: 0, state });
      expect(await login()).toBe("in\n");
    });

    test("is brought back by hand when the name of a lock was removed under it", async () => {
      await program.lock(lockSettings({ ...wrongPort, CONFIRM_WITHIN: "600" }));
      await host.exec(`rm ${STATE}/pending`);
      expect((await program.run("rollback")).stdout).toContain("Rolled back: the host is open.");
      expect(await login()).toBe("in\n");
      expect((await program.run("rollback")).stdout).toContain("Nothing is pending.");
    });

    test("rolls back also when a second lock was killed before its own watchdog was there", async () => {
      const settings = lockSettings({ ...wrongPort, CONFIRM_WITHIN: "3" });
      await program.lock(settings);
      // Up to where the second has named itself.
      await host.exec(`rm /run/ssh-only-firewall.armed; sed -i 's/^[^ ]*/killed/' ${STATE}/pending`);
      await eventually("nothing is pending", () => isAtRest(program));
      expect(await program.status()).toMatchObject({ code: 0, state: "open" });
      expect(await login()).toBe("in\n");
    });

    test("is opened, not cut off, when what was confirmed before was damaged since", async () => {
      await program.lockForGood();
      await host.exec(`sed -i '/dport 22/d' ${STATE}/records/*/*tables`);
      expect(await program.status()).toMatchObject({ code: 10, rules: "damaged" });
      await program.lock(lockSettings({ ...wrongPort, CONFIRM_WITHIN: "1" }));
      await eventually("nothing is pending", () => isAtRest(program));
      expect(await login()).toBe("in\n");
      expect(await program.status()).toMatchObject({ code: 0, state: "open" });
    });

    test("keeps what was confirmed when another run holds it up at the wrong time", async () => {
      const before = await program.lockForGood();
      await program.lock(lockSettings({ ...wrongPort, CONFIRM_WITHIN: "1" }));
      const holder = host.spawn(["flock", "/run/ssh-only-firewall.lock", "/usr/bin/sleep", "600"]);
      await host.exec("touch /run/fast; /usr/bin/sleep 5");
      holder.kill("SIGKILL");
      await eventually("nothing is pending", () => isAtRest(program));
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", ruleset: before.RULESET });
    });

    test("is confirmed only when the guard runs, however long that takes to start", async () => {
      const settings = lockSettings({ PERSIST: "true" });
      await program.lock(settings);
      await host.exec(
        `cd /usr/local/sbin && printf '#!/bin/sh\nsleep 4\nexec /usr/bin/setsid "$@"\n' >setsid && chmod 0755 setsid`,
      );
      try {
        expect(await program.confirm(settings)).toMatchObject({ code: 0 });
      } finally {
        await host.exec("rm /usr/local/sbin/setsid");
      }
      const { stdout } = await host.exec("tr '\\0' ' ' </proc/$(cat /run/ssh-only-firewall.guard)/cmdline");
      expect(stdout).toContain("host.sh guard ");
    });

    test("reports that the guard does not run, and confirming again starts it", async () => {
      const settings = await program.lockForGood({ PERSIST: "true" });
      await eventually("the guard runs", async () => (await program.status()).code === 0);
      await killWatchdogs();
      const { code, stdout } = await program.run("status");
      expect({ code, stdout }).toEqual({
        code: 10,
        stdout: expect.stringContaining("problem: the guard does not run"),
      });
      expect(await program.confirm(settings)).toMatchObject({ code: 0 });
      await eventually("the guard runs", async () => (await program.status()).code === 0);
    });

    test("is held up by nobody who reads its report slowly", async () => {
      await program.lockForGood();
      await host.exec(`head -c 500000 /dev/zero | tr '\\0' x >>${STATE}/baseline/sockets`);
      const reader = host.spawn(["sh", `${STATE}/host.sh`, "report"], { stdio: ["ignore", "pipe", "ignore"] });
      try {
        await eventually("it has begun", () => host.processes().some((line) => line.startsWith("sed ")));
        expect(await host.exec("flock -n /run/ssh-only-firewall.lock true", { check: false })).toMatchObject({
          code: 0,
        });
      } finally {
        reader.kill("SIGKILL");
      }
    });

    test("of which the record was lost reports it, and is unlocked by its owner", async () => {
      const { OWNER } = await program.lockForGood();
      await host.exec(`rm ${STATE}/records/*/meta`);
      expect(await program.status()).toMatchObject({ code: 10, state: "locked", rules: "damaged" });
      expect(await program.run("unlock", defined(OWNER))).toMatchObject({ code: 0 });
      expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
    });

    test("keeps nothing of a lock that was rolled back, once it is unlocked", async () => {
      await program.lock(lockSettings({ PERSIST: "true", CONFIRM_WITHIN: "600" }));
      await program.run("rollback");
      expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0 });
      expect((await host.exec(["ls", "-A", STATE])).stdout).toBe("log\n");
    });

    test("on which a saved copy of our rules is loaded later is not called open by status or the unlock of Terraform", async () => {
      await program.lockForGood();
      const save = firewall === "nftables" ? "nft list ruleset" : "iptables-save";
      const load = firewall === "nftables" ? "nft -f -" : "iptables-restore";
      await host.exec(`${save} >/var/tmp/saved; sh ${STATE}/host.sh unlock; ${load} </var/tmp/saved`);
      expect((await host.exec("sh -s", { input: question() })).stdout).toContain(
        '{"state":"open","rules":"unrecorded"}',
      );
      await host.exec("cat >/var/tmp/unlock.sh", { input: `SSH_ONLY_VERB='unlock owner-1'\n${launcher()}` });
      const { code, stderr } = await host.exec("sh /var/tmp/unlock.sh", { check: false });
      expect({ code, stderr }).toEqual({
        code: 10,
        stderr: expect.stringMatching(/Rules of this program are live, .* The host was not changed\.\n$/),
      });
    });

    const connection = "10.77.0.1 40000 10.77.0.10 22";

    test("locks itself again when it was unlocked by who came over SSH and became root by sudo, but not on the console", async () => {
      const unlock = `sh ${STATE}/host.sh unlock`;
      await program.lockForGood();
      const withoutIt = await typed(host, `env -u SSH_CONNECTION sh -c '${unlock}; exit $?'`, connection);
      expect(withoutIt).toMatchObject({ code: 0, stdout: expect.stringContaining("the host locks itself again") });
      expect(await program.status()).toMatchObject({ state: "unlocking" });
      const same = await typed(
        host,
        `env -u SSH_CONNECTION sh -c 'sh ${STATE}/host.sh confirm-unlock; exit $?'`,
        connection,
      );
      expect(same.code).toBe(1);
      // It may be a terminal of tmux, to which somebody has come over SSH.
      expect(await typed(host, `script -qec '${unlock}' /dev/null`)).toMatchObject({ code: 0 });
      expect(await program.status()).toMatchObject({ state: "unlocking" });
      expect(await typed(host, `script -qec '${unlock} --console' /dev/null`)).toMatchObject({ code: 0 });
      expect(await program.status()).toMatchObject({ state: "open" });
    });

    if (firewall === "nftables") {
      test("is confirmed also where a file system hangs", async () => {
        await host.exec(`printf '#!/bin/sh\\ntrap "" TERM\\nwhile :; do /usr/bin/sleep 1; done\\n' >/usr/local/sbin/sync
          chmod 0755 /usr/local/sbin/sync; touch /run/fast`);
        try {
          await program.lockForGood();
          expect(await program.status()).toMatchObject({ code: 0, state: "locked" });
        } finally {
          await host.exec("rm /usr/local/sbin/sync");
          await host.exec("pkill -KILL -f '[b]in/sync'", { check: false });
        }
      });

      test("removes its chains from another firewall's table when it only observes", async () => {
        await program.lockForGood();
        await elsewhere(host, "iptables-nft -P INPUT DROP");
        await program.lockForGood();
        expect((await elsewhere(host, "iptables-nft-save")).stdout).toContain("SSH_ONLY_IN");
        await elsewhere(host, "iptables-nft -P INPUT ACCEPT");
        await program.lockForGood({ ...rulesetsFor(22, { mode: "observe" }), MODE: "observe" });
        expect((await elsewhere(host, "iptables-nft-save")).stdout).not.toContain("SSH_ONLY_IN");
      });
    } else {
      test("whose kernel gets IPv6 after the lock is closed to it, too", async () => {
        const text = hostProgram().replaceAll("/proc/net/", "/opt/net/");
        await host.exec(
          "mkdir -p /opt/net; ln -sf /proc/net/tcp /proc/net/ip_tables_names /proc/net/ip6_tables_names /opt/net/",
        );
        await host.exec("cat >/opt/host-program.sh", { input: text });
        await program.lockForGood({ PROGRAM: text });
        await host.exec("cat >/opt/host-program.sh", { input: hostProgram() });
        expect((await lab.scanTcp(host, { family: 6, ports: "22,80" })).open).toEqual([22, 80]);
        await host.exec("ln -s /proc/net/if_inet6 /opt/net/");
        await host.exec(["sh", `${STATE}/host.sh`, "boot"]);
        expect((await lab.scanTcp(host, { family: 6, ports: "22,80" })).open).toEqual([22]);
        await host.exec(`sh ${STATE}/host.sh unlock; rm -r /opt/net`);
      });
    }

    test("that logs in from a disk on the network is refused before any change, without an exception", async () => {
      await host.exec(
        "mkdir -p /srv/ops; echo 'ops:*:1500:1500::/srv/ops:/bin/sh' >>/etc/passwd; mount -t tmpfs /dev/nbd0 /srv/ops",
      );
      const refused = await program.lock(lockSettings({ LOGIN: "ops" }));
      expect(refused).toMatchObject({
        code: 6,
        stderr: expect.stringMatching(
          /\/srv\/ops of this host is a disk on the network .*: add an egress exception for its server\. The host was not changed\.\n$/,
        ),
      });
      expect(await program.lock(lockSettings({ LOGIN: "root" }))).toMatchObject({ code: 0 });
      expect(await program.lock(lockSettings({ LOGIN: "ops", EXCEPTIONS: "egress" }))).toMatchObject({ code: 0 });
      await host.exec("umount /srv/ops");
    });
  });
});
