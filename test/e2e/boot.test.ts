/** Locks that outlive a restart, on hosts that boot Debian with an init system of their own, locked through Terraform. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Host, HostFirewall } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import { lockedStatus, program, Subject } from "./support/booted-host";
import { controllerOnly, type Deployment, hostEntry } from "./support/deployment";
import { lockScript } from "./support/lock-script";
import { eventually } from "../support/eventually";

jest.setTimeout(300_000);

/** How long the guard may take until the rules are back, with much to spare. */
const guardSeconds = 20;

const systems: Record<HostFirewall, SystemOptions> = {
  nftables: { network: "networkd" },
  "iptables-nft": { network: "ifupdown" },
  "iptables-legacy": { network: "ifupdown" },
};
// What does not depend on the firewall is shown with nftables only, and less is shown with the legacy iptables.
const firewalls = Object.keys(systems) as HostFirewall[];

describeBooted("a host that boots", [...Object.values(systems), { init: "sysvinit" }, { init: "openrc" }], () => {
  describe.each(firewalls)("with systemd and %s", (firewall) => {
    let subject: Subject;
    let host: Host;
    beforeAll(async () => {
      subject = await Subject.create({ firewall, system: systems[firewall] });
      host = subject.host;
    });
    afterEach(() => subject.giveUp());
    afterAll(() => subject?.lab.destroy());

    const unit = async (name: string, property: string): Promise<string> =>
      (await host.exec(["systemctl", "show", "--value", "-p", property, name])).stdout.trim();

    test("answers while it boots if it is open", async () => {
      expect((await subject.reboot()).answers).toBeGreaterThan(0);
    });

    test("is open and keeps no record if the power fails before the confirm", async () => {
      await subject.deployHalf([]);
      expect(await subject.ownRules()).not.toEqual([]);
      const { answers } = await subject.reboot();
      await subject.giveUp();
      expect(answers).toBeGreaterThan(0);
      expect(await subject.ownRules()).toEqual([]);
      expect(await subject.status()).toMatchObject({ code: 0, state: "open", rules: "none" });
      // The confirm that came too late drops them, and Terraform, interrupted, does not wait for it.
      await eventually("no record is left", async () => {
        const left = await host.exec(
          "cd /var/lib/ssh-only-firewall; ls -A . records | grep -Ex 'pending|confirmed|.*-.*-.*'; :",
        );
        return left.stdout === "";
      });
      expect(await subject.hostLog()).toContain("the host was restarted before it was confirmed");
    });

    if (firewall === "nftables") {
      test("has one watchdog, a unit, after the lock that is pending was run again", async () => {
        const { script, confirm } = lockScript(host, undefined, { CONFIRM_WITHIN: 600 });
        await host.exec("sh -s", { input: script });
        await host.exec("sh -s", { input: script });
        const watchdogs = async (): Promise<string[]> =>
          (await host.exec("pgrep -f '[h]ost.sh watchdog'; :")).stdout.split("\n").filter((line) => line !== "");
        await eventually("one watchdog is left", async () => (await watchdogs()).length === 1);
        expect((await host.exec(`cat /proc/${(await watchdogs())[0]}/cgroup`)).stdout).toContain(
          "/system.slice/ssh-only-firewall-watchdog-",
        );
        await host.exec(`sh ${program} ${confirm}`);
        await eventually("no watchdog is left", async () => (await watchdogs()).length === 0);
        await host.exec(`sh ${program} unlock`);
      });

      test("rolls back even if logind ends the session that locked it, with every process in it", async () => {
        await subject.deployHalf([], { confirmWithinSeconds: 10 });
        const watchdog = (await host.exec("pgrep -f 'host.sh watchdog'")).stdout.trim().split("\n")[0];
        expect((await host.exec(`cat /proc/${watchdog}/cgroup`)).stdout).toContain(
          "/system.slice/ssh-only-firewall-watchdog-",
        );
        const sessions = (await host.exec("loginctl --no-legend list-sessions | wc -l")).stdout.trim();
        expect(Number(sessions)).toBeGreaterThan(0);
        await host.exec("loginctl terminate-user root");
        await subject.becomes({ code: 0, state: "open", rules: "none" });
        await subject.giveUp();
        expect(await subject.ownRules()).toEqual([]);
      });
    }

    test.each(["power cut", "clean"] as const)(
      "is locked before its interface is up, and answers nobody (%s)",
      async (how) => {
        if (how === "power cut") {
          await subject.mustDeploy();
        }
        const { knocks, answers } = await subject.reboot(how);
        expect(knocks).toBeGreaterThan(10);
        expect(answers).toBe(0);
        expect(await subject.status()).toMatchObject(lockedStatus);
        expect(await unit("ssh-only-firewall-guard.service", "ActiveState")).toBe("active");

        const network = firewall === "nftables" ? "systemd-networkd.service" : "networking.service";
        const loaded = Number(await unit("ssh-only-firewall.service", "ExecMainExitTimestampMonotonic"));
        expect(loaded).toBeGreaterThan(0);
        expect(Number(await unit("network-pre.target", "ActiveEnterTimestampMonotonic"))).toBeGreaterThan(loaded);
        expect(Number(await unit(network, "ExecMainStartTimestampMonotonic"))).toBeGreaterThan(loaded);
      },
    );

    test("accepts an update after a restart, and boots with it", async () => {
      const before = await subject.status();
      await subject.mustDeploy(["192.0.2.0/24"]);
      const after = await subject.status();
      expect(after).toMatchObject(lockedStatus);
      expect(after.ruleset).not.toBe(before.ruleset);
      expect((await subject.reboot()).answers).toBe(0);
      expect(await subject.status()).toEqual(after);
      expect(await host.rules()).toContain("192.0.2.0/24");
    });

    if (firewall !== "iptables-legacy") {
      test("restores the confirmed ruleset if the power fails during an update", async () => {
        const before = await subject.status();
        await subject.deployHalf(["198.51.100.0/24"]);
        expect(await host.rules()).toContain("198.51.100.0/24");
        expect((await subject.reboot()).answers).toBe(0);
        await subject.giveUp();
        expect(await subject.status()).toEqual(before);
        expect(await host.rules()).not.toContain("198.51.100.0/24");
      });
    }

    if (firewall === "nftables") {
      test("pauses the guard while a lock is pending, and rolls back to the confirmed ruleset", async () => {
        const before = await subject.status();
        await subject.deployHalf(["198.51.100.0/24"], { confirmWithinSeconds: 20 });
        await host.exec("nft flush ruleset");
        // Two rounds of the guard; a slow machine can only make it miss its chance to be wrong.
        await sleep(11_000);
        expect(await subject.status()).toMatchObject({ code: 10, state: "pending", rules: "drifted" });
        await subject.becomes(before);
        await subject.giveUp();
        await subject.reachable();
      });
    }

    const flushes: Record<HostFirewall, Record<string, string>> = {
      nftables: {
        "nft flush ruleset": "nft flush ruleset",
        "the deletion of our table": "nft delete table inet ssh_only_firewall",
      },
      "iptables-nft": iptablesFlushes(),
      "iptables-legacy": iptablesFlushes(),
    };
    test.each(Object.entries(flushes[firewall]))("is closed again soon after %s", async (_, command) => {
      const before = await subject.status();
      await host.exec(command);
      await subject.becomes(before, { seconds: guardSeconds });
      await subject.reachable();
      const scan = await subject.lab.scanTcp(host, { ports: "1-1024" });
      expect(scan).toEqual({ open: [22], closed: [], filteredCount: 1023 });
      expect(await subject.hostLog()).toMatch(/another program removed or changed the rules: .*\n$/);
    });

    const damages: Record<string, string> = {
      truncated: 'truncate -s 400 "$file"',
      garbage: 'head -c 3000 /dev/urandom >"$file"',
      empty: ': >"$file"',
      gone: 'rm "$file"',
      "one that loads, but has no rule for SSH": 'sed -i "/dport 22/d" "$file"',
    };
    test.each(Object.entries(damages).slice(firewall === "iptables-legacy" ? -1 : 0))(
      "is reachable, and reports drift, if its saved ruleset is %s",
      async (_, damage) => {
        const saved = `/var/lib/ssh-only-firewall/records/*/${firewall === "nftables" ? "nftables" : "iptables"}`;
        await host.exec(`for file in ${saved}; do ${damage}; done`);
        await subject.reboot();
        expect(await subject.status()).toMatchObject({ code: 10, state: "locked", rules: "damaged" });
        expect(await subject.hostLog()).toMatch(/does not load at boot[^\n]*\n$/);
        expect((await host.exec(`sh ${program} status`, { check: false })).stdout).toContain("problem:");
        await (
          await subject.deployment.prepare(propsOf(subject))
        ).apply([`-replace=${await lockdownAddress(subject)}`]);
        expect(await subject.status()).toMatchObject(lockedStatus);
        await subject.reachable();
      },
    );

    test("is unlocked permanently after a restart, and its units are removed", async () => {
      expect((await subject.reboot()).answers).toBe(0);
      await subject.deployment.destroy();
      await subject.expectNothingLeft();
      expect((await subject.reboot()).answers).toBeGreaterThan(0);
      await subject.expectNothingLeft();
    });

    test("installs nothing with persist: false, and a restart opens it", async () => {
      await subject.mustDeploy([], { persist: false });
      expect(await subject.status()).toMatchObject(lockedStatus);
      const units = await host.exec("find /etc/systemd /etc/init.d -name '*ssh-only*'");
      expect(units.stdout).toBe("");
      expect((await subject.reboot()).answers).toBeGreaterThan(0);
      expect(await subject.ownRules()).toEqual([]);
      await subject.deployment.destroy();
      await subject.expectNothingLeft();
    });
  });

  describe.each(["sysvinit", "openrc"] as const)("with %s", (init) => {
    let subject: Subject;
    let host: Host;
    beforeAll(async () => {
      subject = await Subject.create({ firewall: init === "openrc" ? "iptables-nft" : "nftables", system: { init } });
      host = subject.host;
    });
    afterAll(() => subject?.lab.destroy());

    test("answers while it boots if it is open", async () => {
      expect((await subject.reboot()).answers).toBeGreaterThan(0);
    });

    test.each(["power cut", "clean"] as const)(
      "is locked before its interface is up, and answers nobody (%s)",
      async (how) => {
        if (how === "power cut") {
          await subject.mustDeploy();
        }
        const { knocks, answers } = await subject.reboot(how);
        expect(knocks).toBeGreaterThan(10);
        expect(answers).toBe(0);
        expect(await subject.status()).toMatchObject(lockedStatus);
        expect(await subject.hostLog()).toMatch(/booted: the confirmed ruleset is in force\n$/);
      },
    );

    test("is closed again soon after a flush", async () => {
      await eventually("the guard runs", () => host.processes().some((line) => line.includes(`${program} guard`)));
      await host.exec("nft flush ruleset 2>/dev/null || iptables -F");
      await subject.becomes(lockedStatus, { seconds: guardSeconds });
      await subject.reachable();
    });

    test("runs one guard, however often the service is started", async () => {
      await host.exec("service ssh-only-firewall restart");
      await host.exec("service ssh-only-firewall restart");
      const guards = (): string[] => host.processes().filter((line) => line.includes(`${program} guard`));
      await eventually("one guard runs", () => guards().length === 1);
      expect(await subject.status()).toMatchObject(lockedStatus);
    });

    test("is reachable, and reports drift, if its saved ruleset is garbage", async () => {
      await host.exec(
        'for file in /var/lib/ssh-only-firewall/records/*/*tables; do head -c 3000 /dev/urandom >"$file"; done',
      );
      await subject.reboot();
      expect(await subject.status()).toMatchObject({ code: 10, state: "locked", rules: "damaged" });
      expect(await subject.hostLog()).toMatch(/does not load at boot[^\n]*\n$/);
    });

    test("is unlocked permanently, and its script and guard are removed", async () => {
      await subject.deployment.destroy();
      await subject.expectNothingLeft();
      expect((await subject.reboot()).answers).toBeGreaterThan(0);
      await subject.expectNothingLeft();
    });
  });
});

describeBooted("a host without a known init system", [], () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await Subject.create({ without: ["update-rc.d", "chkconfig"], provision: "rm -rf /etc/init.d" });
  });
  afterAll(() => subject?.lab.destroy());

  test("is refused before any change, and the message names persist: false", async () => {
    const { code, stdout, stderr } = await subject.deploy();
    expect(code).not.toBe(0);
    const said = (stdout + stderr).replace(/\s+/g, " ");
    expect(said).toContain("no known init system");
    expect(said).toContain("set persist: false");
    expect(said).toContain("The host was not changed.");
    expect(await subject.ownRules()).toEqual([]);
    expect((await subject.host.exec("ls -A /var/lib/ssh-only-firewall 2>/dev/null || :")).stdout).toBe("");
  });

  test("is locked with persist: false", async () => {
    await subject.mustDeploy([], { persist: false });
    expect(await subject.status()).toMatchObject(lockedStatus);
    await subject.deployment.destroy();
    await subject.expectNothingLeft();
  });
});

function iptablesFlushes(): Record<string, string> {
  return {
    "iptables -F and ip6tables -F": "iptables -F; ip6tables -F",
    "iptables -P INPUT DROP and -F": "iptables -P INPUT DROP; iptables -F",
    "a rule before the jump to ours": "iptables -P INPUT ACCEPT; iptables -I INPUT 1 -p tcp -j ACCEPT",
  };
}

function propsOf(subject: Subject): Parameters<Deployment["prepare"]>[0] {
  return {
    allowFrom: [...controllerOnly, "192.0.2.0/24"],
    hosts: { old: hostEntry(subject.lab, subject.host) },
  };
}

async function lockdownAddress(subject: Subject): Promise<string> {
  const addresses = await subject.deployment.terraform.stateList();
  return addresses.find((address) => address.includes("lockdown")) ?? "";
}
