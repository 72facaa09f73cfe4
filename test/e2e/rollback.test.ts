/** Rules that cut Terraform off, and whatever else ends a lock half-way: the host comes back by itself. */
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab, type RunResult } from "../lab/lab";
import { controllerOnly, Deployment, type DeploymentProps, eventually, hostEntries, hostEntry } from "./support";

jest.setTimeout(400_000);

const firewalls: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];

/** Each would leave Terraform outside; only the watchdog stands against them, for pre-flight would refuse them. */
const cutOff: ReadonlyArray<readonly [string, DeploymentProps]> = [
  ["a source that is not Terraform's", { allowFrom: ["192.0.2.0/24"] }],
  ["a port that sshd does not have", { sshPort: 2222 }],
];
const drill: DeploymentProps = { skipPreflight: true, confirmWithinSeconds: 10 };

describeLab(
  "a host whose lock is not confirmed",
  () => {
    let lab: Lab;
    let deployment: Deployment;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: firewalls.map((firewall) => ({ name: firewall, firewall, listeners: true })) });
    });
    afterAll(() => lab?.destroy());
    beforeEach(() => (deployment = new Deployment(lab)));
    afterEach(async () => {
      await Promise.all(lab.hosts.map((host) => host.exec(openByHand)));
    });

    describe.each(cutOff)("because of %s", (_, mistake) => {
      test("fails the deploy and opens by itself, from no rules at all", async () => {
        const terraform = await deployment.prepare({ ...drill, hosts: reachable(lab), ...mistake });
        const { code } = await terraform.apply([], { check: false });
        expect(code).toBe(1);
        expect(await healthyLockdowns(deployment)).toEqual([]);
        await everyHost(lab, async (host) => {
          await eventually("the host is open", async () => (await status(host)).state === "open", 60);
          expect(rulesOf(await host.rules())).toBe("");
          expect((await host.ssh("echo in")).stdout).toBe("in\n");
        });
        const scans = await Promise.all(lab.hosts.map((host) => lab.scanTcp(host, { ports: "22,80,3306" })));
        expect(scans.map(({ open }) => open)).toEqual(lab.hosts.map(() => [22, 80, 3306]));
      });

      test("fails the deploy and goes back to the ruleset confirmed before, which held all the time", async () => {
        await deployment.apply();
        const before = await Promise.all(lab.hosts.map((host) => host.rules()));
        const terraform = await deployment.prepare({ ...drill, hosts: reachable(lab), ...mistake });
        const { code } = await terraform.apply([], { check: false });
        expect(code).toBe(1);
        expect(await healthyLockdowns(deployment)).toEqual([]);
        await everyHost(lab, async (host, index) => {
          await eventually("the host is locked again", async () => (await status(host)).state === "locked", 60);
          expect(await host.rules()).toBe(before[index]);
          expect(await status(host)).toMatchObject({ rules: "matches" });
          expect((await host.ssh("echo in")).stdout).toBe("in\n");
        });
        const scans = await Promise.all(lab.hosts.map((host) => lab.scanTcp(host, { ports: "22,80,3306" })));
        expect(scans.map(({ open }) => open)).toEqual(lab.hosts.map(() => [22]));
      });
    });

    test("because its SSH session was killed right after arming, goes back by itself", async () => {
      const terraform = await deployment.prepare({ confirmWithinSeconds: 10 });
      const killed = lab.hosts.map((host) => host.exec(`${untilPending}; ${killSessions}`, { timeoutSeconds: 60 }));
      const { code } = await terraform.apply([], { check: false });
      await Promise.all(killed);
      expect(code).toBe(1);
      expect(await healthyLockdowns(deployment)).toEqual([]);
      await everyHost(lab, async (host) => {
        await eventually("the host is open", async () => (await status(host)).state === "open", 60);
        expect(rulesOf(await host.rules())).toBe("");
        expect((await host.ssh("echo in")).stdout).toBe("in\n");
      });
    });

    test("because Terraform was killed, goes back by itself, and a second deploy locks it", async () => {
      const terraform = await deployment.prepare({ confirmWithinSeconds: 10 });
      const killer = lab.hosts[0]?.exec(untilPending, { timeoutSeconds: 60 });
      const apply = lab.controller.spawn(["terraform", "apply", "-auto-approve", "-no-color"], {
        cwd: terraform.folder,
        env: { CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: "/dev/null" },
        stdio: "ignore",
      });
      const ended = new Promise((resolve) => apply.once("close", resolve));
      await killer;
      await lab.controller.exec("pkill -KILL -x terraform", { check: false });
      await ended;
      await everyHost(lab, async (host) => {
        // One that was confirmed before the kill came stays locked; none stays pending.
        await eventually("the host is not pending", async () => (await status(host)).state !== "pending", 60);
        expect((await host.ssh("echo in")).stdout).toBe("in\n");
      });
      expect((await status(lab.hosts[0] as Host)).state).toBe("open");
      await terraform.run(["force-unlock", "-force", "none"], { check: false });
      await deployment.apply({ takeOver: true });
      await everyHost(lab, async (host) => {
        expect(await status(host)).toMatchObject({ state: "locked", rules: "matches" });
      });
    });
  },
  { needs: "terraform" },
);

describeLab(
  "before any change, a deploy is refused",
  () => {
    let lab: Lab;
    let whileBusy: Promise<RunResult>;

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [
          { name: "plain" },
          { name: "leased", provision: "ip addr add 10.77.0.200/24 dev eth0 valid_lft 3600 preferred_lft 3600" },
          { name: "bare", without: ["nft", "iptables-restore", "iptables-nft-restore", "iptables-legacy-restore"] },
          { name: "no-sudo", user: "ops", sudo: false },
          { name: "no-init", without: ["update-rc.d", "chkconfig"] },
          { name: "busy" },
          { name: "broken", provision: "mkdir -p /var/lib; mount -t tmpfs -o ro none /var/lib" },
        ],
      });
      // It takes as long as the program waits for the other run; the other tests go on meanwhile.
      const busy = lab.host("busy");
      busy.spawn(["flock", "/run/ssh-only-firewall.lock", "sleep", "60"], { stdio: "ignore" });
      const terraform = await new Deployment(lab).prepare({ hosts: { busy: hostEntry(lab, busy) } });
      whileBusy = terraform.apply([], { check: false });
    });
    afterAll(async () => {
      await whileBusy;
      await lab?.destroy();
    });

    const leased = { address: "10.77.0.200" };
    test.each<readonly [string, string, Partial<DeploymentProps>, Partial<{ address: string }>, RegExp]>([
      ["a port that sshd does not have", "plain", { sshPort: 2222 }, {}, /No sshd listens on port 2222.*set sshPort/],
      [
        "a source that is not the operator's",
        "plain",
        { allowFrom: ["192.0.2.0/24"] },
        {},
        /You came from 10\.77\.0\.1, which allowFrom does not cover/,
      ],
      ["only sources of the other family", "plain", { allowFrom: ["fd77::/64"] }, {}, /You came from 10\.77\.0\.1/],
      [
        "a backend that is not there",
        "bare",
        { backend: "nftables" },
        {},
        /No usable firewall for backend 'nftables'. nft is not installed/,
      ],
      ["no backend at all", "bare", {}, {}, /nft is not installed.*iptables-restore is not installed/],
      ["a user without sudo", "no-sudo", {}, {}, /no password-less sudo.*NOPASSWD/],
      ["a leased address", "leased", {}, leased, /10\.77\.0\.200, is leased.*add the exception dhcp-client/],
      ["no way to survive a restart", "no-init", {}, {}, /restart would open it: set persist: false/],
      ["a disk that is read-only", "broken", {}, {}, /cannot be written/],
    ])("of %s, with the remedy", async (_, name, props, address, message) => {
      const host = lab.host(name);
      const before = await host.rules();
      const entry = { ...hostEntry(lab, host), ...address, sshPort: undefined };
      const connection = { ...entry.connection, port: 22 };
      const deployment = new Deployment(lab);
      const terraform = await deployment.prepare({ hosts: { [name]: { ...entry, connection } }, ...props });
      const { code, stdout } = await terraform.apply([], { check: false });
      expect(code).toBe(1);
      expect(stdout.replace(/\s+/g, " ")).toMatch(message);
      expect(stdout).toContain("The host was not changed.");
      expect(await host.rules()).toBe(before);
      expect((await host.exec("ls /var/lib/ssh-only-firewall", { check: false })).stdout).toBe("");
    });

    test("of another owner's lock, unless it takes over", async () => {
      const host = lab.host("plain");
      const first = new Deployment(lab);
      const hosts = { plain: hostEntry(lab, host) };
      await first.apply({ hosts });
      const second = new Deployment(lab);
      const terraform = await second.prepare({ hosts, allowFrom: [...controllerOnly, "192.0.2.9"] });
      const refused = await terraform.apply([], { check: false });
      expect(refused.code).toBe(1);
      expect(refused.stdout).toMatch(/already locked by another owner.*set takeOver.*The host was not changed/);
      await second.apply({ hosts, takeOver: true });
      // And the first owner's destroy leaves it locked.
      expect((await first.destroy()).stdout).toContain("stays locked");
      expect(await status(host)).toMatchObject({ state: "locked", rules: "matches" });
      await second.destroy();
      expect((await host.exec("ls /var/lib/ssh-only-firewall")).stdout).toBe("log\n");
    });

    test("while another run is in progress", async () => {
      const { code, stdout } = await whileBusy;
      expect(code).toBe(1);
      expect(stdout).toMatch(/Another run of this program has been in progress.*The host was not changed/);
    });

    test("and a leased address is accepted with the exception", async () => {
      const deployment = new Deployment(lab);
      const entry = { ...hostEntry(lab, lab.host("leased")), ...leased, exceptions: [] };
      await deployment.apply({ hosts: { leased: { ...entry, exceptions: ["dhcp-client"] as never } } });
      await deployment.destroy();
    });
  },
  { needs: "terraform" },
);

const openByHand =
  "[ ! -f /var/lib/ssh-only-firewall/host.sh ] || sh /var/lib/ssh-only-firewall/host.sh unlock >/dev/null";
const untilPending = "until [ -s /var/lib/ssh-only-firewall/pending ]; do :; done";
/** Of sshd all but the listener. */
const killSessions = 'pkill -KILL -P "$(cat /run/sshd.pid)" sshd';

/** The hosts by the port that sshd really has, whatever the policy says. */
function reachable(lab: Lab): DeploymentProps["hosts"] {
  return Object.fromEntries(
    Object.entries(hostEntries(lab)).map(([name, entry]) => [
      name,
      { address: entry.address, connection: { ...entry.connection, port: 22 } },
    ]),
  );
}

async function everyHost(lab: Lab, check: (host: Host, index: number) => Promise<void>): Promise<void> {
  await Promise.all(lab.hosts.map(check));
}

async function status(host: Host): Promise<{ state: string; rules: string }> {
  const { stdout } = await host.exec("sh /var/lib/ssh-only-firewall/host.sh status --json", { check: false });
  return JSON.parse(stdout) as { state: string; rules: string };
}

/** What is left of rules when empty tables, which iptables leaves behind, are taken out. */
function rulesOf(rules: string): string {
  return rules
    .split("\n")
    .filter((line) => /^-A|:SSH_|DROP|ssh_only|^\s+(ip|ip6|tcp|udp|meta|counter|iifname|oifname) /.test(line))
    .join("\n");
}

/** The hosts whose lockdown the state calls done. */
async function healthyLockdowns(deployment: Deployment): Promise<unknown[]> {
  const state = await deployment.terraform.showJson<{
    values?: { root_module?: { resources?: Array<{ name: string; index?: string; tainted?: boolean }> } };
  }>();
  return (state.values?.root_module?.resources ?? [])
    .filter(({ name, tainted }) => name.endsWith("_lockdown") && tainted !== true)
    .map(({ index }) => index);
}
