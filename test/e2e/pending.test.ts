/** A host between lock and confirm: late confirms, second deploys, and a watchdog that never stops trying. */
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab } from "../lab/lab";
import { lockScript } from "../lab/lock-script";
import { controllerOnly, Deployment, eventually, hostEntry, sleep } from "./support";

jest.setTimeout(300_000);

const firewalls: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];
const program = "sh /var/lib/ssh-only-firewall/host.sh";

describeLab(
  "a pending host, through Terraform",
  () => {
    let lab: Lab;
    let late: Host;
    let slow: Host;
    let contested: Host;

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [
          // Each script is two logins, so that the confirm comes after twelve seconds.
          { name: "late", slowLoginSeconds: 6 },
          { name: "slow", slowLoginSeconds: 2 },
          { name: "contested" },
        ],
      });
      [late, slow, contested] = lab.hosts as [Host, Host, Host];
    });
    afterAll(() => lab?.destroy());

    test("that is confirmed too late fails the deploy, and keeps nothing", async () => {
      const terraform = await new Deployment(lab).prepare({
        hosts: { late: hostEntry(lab, late) },
        confirmWithinSeconds: 10,
      });
      const { code, stdout } = await terraform.apply([], { check: false });
      expect(code).toBe(1);
      expect(stdout).toMatch(/Too late: this lock is no longer pending .*nothing was kept/);
      expect(await status(late)).toMatchObject({ state: "open", rules: "none" });
      expect(await late.rules()).toBe("");
      const left = await late.exec("ls /var/lib/ssh-only-firewall/records /etc/init.d/ssh-only-firewall", {
        check: false,
      });
      expect(left.stdout.trim()).toBe("/var/lib/ssh-only-firewall/records:");
    });

    test("is locked by a second deploy, and keeps one record and no watchdog", async () => {
      const hosts = { slow: hostEntry(lab, slow) };
      const deployment = new Deployment(lab);
      const terraform = await deployment.prepare({ hosts });
      const first = lab.controller.spawn(["terraform", "apply", "-auto-approve", "-no-color"], {
        cwd: terraform.folder,
        env: { CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: "/dev/null" },
        stdio: "ignore",
      });
      const ended = new Promise((resolve) => first.once("close", resolve));
      await slow.exec("until grep -qs 'The host is pending' /var/lib/ssh-only-firewall/log; do sleep 0.02; done", {
        timeoutSeconds: 60,
      });
      first.kill("SIGKILL");
      await ended;
      expect(await status(slow)).toMatchObject({ state: "pending" });
      await deployment.apply({ hosts });
      expect(await status(slow)).toMatchObject({ state: "locked", rules: "matches" });
      expect((await slow.exec("ls /var/lib/ssh-only-firewall/records")).stdout.trim().split("\n")).toHaveLength(1);
      await eventually("no watchdog is left", () => watchdogs(slow).length === 0);
    });

    test("that two states want at the same time ends locked by one of them, and the other says why not", async () => {
      const prepare = (source: string) =>
        new Deployment(lab).prepare({
          hosts: { contested: hostEntry(lab, contested) },
          allowFrom: [...controllerOnly, source],
        });
      const both = [await prepare("192.0.2.1"), await prepare("192.0.2.2")];
      const results = await Promise.all(both.map((terraform) => terraform.apply([], { check: false })));
      expect(results.map(({ code }) => code).sort()).toEqual([0, 1]);
      expect(results.find(({ code }) => code === 1)?.stdout).toMatch(
        /already locked by another owner|Another deploy has locked this host since/,
      );
      expect(await status(contested)).toMatchObject({ state: "locked", rules: "matches" });
      const winner = both[results.findIndex(({ code }) => code === 0)];
      await winner?.destroy();
      expect(await contested.rules()).toBe("");
    });
  },
  { needs: "terraform" },
);

describeLab("a pending host, by itself", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: firewalls.map((firewall) => ({ name: firewall, firewall })) });
  });
  afterAll(() => lab?.destroy());

  describe.each(firewalls)("with %s", (firewall) => {
    let host: Host;
    beforeEach(() => (host = lab.host(firewall)));
    afterEach(() => host.exec(`${program} unlock`, { check: false }));

    const lockFor = async (seconds: number, ports: readonly number[] = []): Promise<string> => {
      const exceptions = ports.map((port) => ({ kind: "ingress", from: "10.77.0.1", port }));
      const policy = { allowFrom: ["10.77.0.0/24"], exceptions: exceptions as never };
      const lock = lockScript(host, policy, { CONFIRM_WITHIN: seconds });
      await host.exec("sh", { input: lock.script });
      return lock.confirm;
    };

    test("has one watchdog, which outlives a hang-up, and none once it is confirmed", async () => {
      const confirm = await lockFor(60);
      expect(watchdogs(host)).toHaveLength(1);
      await host.exec("pkill -HUP -f '[h]ost.sh watchdog'");
      await lockFor(60);
      await eventually("the watchdog of the lock that was replaced has ended", () => watchdogs(host).length === 1);
      const replaced = await host.exec(`${program} ${confirm}`, { check: false });
      expect(replaced.code).toBe(9);
      expect(replaced.stderr).toMatch(/Another deploy has locked this host since .* The host was not changed/);
      const last = await lockFor(60);
      await host.exec(`${program} ${last}`);
      await eventually("no watchdog is left", () => watchdogs(host).length === 0);
    });

    test("goes back although its tools are away for a while", async () => {
      await lockFor(2);
      await host.exec(
        "for t in nft xtables-nft-multi xtables-legacy-multi; do [ ! -e /usr/sbin/$t ] || mv /usr/sbin/$t /usr/sbin/$t.away; done",
      );
      try {
        await sleep(6000);
        expect((await host.exec("ls /var/lib/ssh-only-firewall")).stdout).toContain("pending");
      } finally {
        await host.exec("for t in /usr/sbin/*.away; do mv $t ${t%.away}; done");
      }
      await eventually("the host is open", async () => (await status(host)).state === "open");
      expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
    });

    test("is opened when the ruleset confirmed before does not load any more: reachable comes first", async () => {
      await host.exec(`${program} ${await lockFor(60, [81])}`);
      await host.exec(
        "for f in nftables iptables ip6tables; do echo nonsense >/tmp/n; for r in /var/lib/ssh-only-firewall/records/*/$f; do [ ! -e $r ] || cp /tmp/n $r; done; done",
      );
      await lockFor(2, [82]);
      await eventually("the host is open", async () => (await status(host)).state === "open", 60);
      expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
      expect((await host.exec("cat /var/lib/ssh-only-firewall/log")).stdout).toContain(
        "did not load: the host is OPEN",
      );
    });

    test("goes back when told so by hand, and a host unlocked by hand is open", async () => {
      await host.exec(`${program} ${await lockFor(60, [81])}`);
      const confirmed = await host.rules();
      await lockFor(60, [82]);
      expect(await host.rules()).not.toBe(confirmed);
      expect((await host.exec(`${program} rollback`)).stdout).toContain("confirmed before is in force again");
      expect(await host.rules()).toBe(confirmed);
      expect((await host.exec(`${program} unlock somebody-else`)).stdout).toContain("locked by another owner");
      expect(await host.rules()).toBe(confirmed);
      expect((await host.exec(`${program} unlock`)).stdout).toContain("The host is open.");
      expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
    });

    test("counts as rolled back after a restart", async () => {
      const confirm = await lockFor(60);
      await host.reboot();
      expect(await status(host)).toMatchObject({ state: "pending" });
      // The kernel, and so its boot id, is the machine's here: what a restart would change is changed by hand.
      await host.exec("sed -i 's/ .*/ another-boot/' /var/lib/ssh-only-firewall/pending");
      expect(await status(host)).toMatchObject({ state: "open", rules: "none" });
      const late = await host.exec(`${program} ${confirm}`, { check: false });
      expect(late.code).toBe(9);
      expect(late.stderr).toContain("the host was restarted");
    });
  });
});

async function status(host: Host): Promise<{ state: string; rules: string }> {
  const { stdout } = await host.exec(`${program} status --json`, { check: false });
  return JSON.parse(stdout) as { state: string; rules: string };
}

function watchdogs(host: Host): string[] {
  return host.processes().filter((line) => line.includes("host.sh watchdog"));
}
