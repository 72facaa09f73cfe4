/** What a deploy is refused for, before the host is changed; and that the remedy it names is one. */
import { defined } from "../support/required";
import { type HostProps, PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostOptions, Lab, type RunResult } from "../lab/lab";
import { lockdowns, saidBy, STATE, statusOf } from "./support/drill";
import { Deployment, type DeploymentProps, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

interface Refusal {
  /** What the test says of it. */
  readonly because: string;
  readonly host?: Omit<HostOptions, "name">;
  readonly props?: (host: Host) => Partial<HostProps>;
  /** What has to be said; the part that names the remedy is in it. */
  readonly message: string;
  /** Properties that take it; undefined where the remedy is on the host. */
  readonly remedy?: Partial<HostProps>;
}

/** A user whom only the name service knows, as with LDAP. */
const stranger = `
mkdir -p /etc/userdb /home/mary/.ssh
cat >/etc/userdb/mary.user <<'END'
{"userName":"mary","uid":5001,"gid":5001,"homeDirectory":"/home/mary","shell":"/bin/sh","disposition":"regular"}
END
echo '{"privileged":{"hashedPassword":["*"]}}' >/etc/userdb/mary.user-privileged
echo '{"groupName":"mary","gid":5001}' >/etc/userdb/mary.group
for what in user user-privileged group; do ln -s mary.$what /etc/userdb/5001.$what; done
chmod 0644 /etc/userdb/mary.user /etc/userdb/mary.group
cp ~root/.ssh/authorized_keys /home/mary/.ssh/
chown -R 5001:5001 /home/mary
echo 'mary ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/mary
chmod 0440 /etc/sudoers.d/mary
`;

/** An scp that changes one rule on its way. */
const damage = `
cat >/usr/local/bin/scp <<'END'
#!/bin/sh
/usr/bin/scp "$@"
sed -i 's/tcp dport 22 accept/tcp dport 23 accept/' ./.ssh-only-firewall-*.sh
END
chmod 0755 /usr/local/bin/scp
`;

const noIptables = ["iptables-restore", "iptables-nft-restore", "iptables-legacy-restore"];
const leaseFor = "valid_lft 3600 preferred_lft 3600";

const refusals: Readonly<Record<string, Refusal>> = {
  "wrong-port": {
    because: "the port is another than the one that Terraform came through",
    host: { sshPort: [22, 2222] },
    props: () => ({ sshPort: 2222, connection: { port: 22 } }),
    message: "You came in through port 22, and only port 2222 would stay open: set sshPort to 22",
    remedy: { sshPort: 22, connection: { port: 22 } },
  },
  "no-sshd": {
    because: "no sshd is on the port",
    props: () => ({ sshPort: 2222, connection: { port: 22 } }),
    message: "No sshd listens on port 2222 here, the only port that would stay open: set sshPort to the port",
    remedy: { sshPort: 22 },
  },
  "wrong-source": {
    because: "no source covers the IPv4 address that Terraform came from",
    props: () => ({ allowFrom: ["192.0.2.0/24", "10.77.0.2"] }),
    message: "You came from 10.77.0.1, which allowFrom does not cover (10.77.0.2 192.0.2.0/24): add it",
    remedy: { allowFrom: ["192.0.2.0/24", "10.77.0.1"] },
  },
  "wrong-source6": {
    because: "no source covers the IPv6 address that Terraform came from",
    props: (host) => ({ address: host.ipv6, allowFrom: ["0.0.0.0/0", "fd78::/64"] }),
    message: "You came from fd77::1, which allowFrom does not cover (0.0.0.0/0 fd78::/64): add it",
    remedy: { allowFrom: ["fd77::/64"] },
  },
  "no-backend": {
    because: "there is neither nft nor iptables",
    host: { without: ["nft", ...noIptables] },
    message: "No usable firewall for backend 'auto'. nft is not installed. And: iptables-restore is not installed.",
  },
  "no-nft": {
    because: "the backend that it asks for is not there",
    host: { without: ["nft"] },
    props: () => ({ backend: "nftables" }),
    message: "No usable firewall for backend 'nftables'. nft is not installed.",
    remedy: { backend: "auto" },
  },
  "no-iptables": {
    because: "iptables is asked for, and is not there",
    host: { without: noIptables },
    props: () => ({ backend: "iptables" }),
    message: "No usable firewall for backend 'iptables'. iptables-restore is not installed.",
    remedy: { backend: "auto" },
  },
  "no-root": {
    because: "the user is not root and has no sudo",
    host: { user: "ops", sudo: false },
    message:
      "The user ops is not root and has no password-less sudo: log in as root, or add 'ops ALL=(ALL) NOPASSWD: ALL' to sudoers.",
    remedy: { connection: { user: "root" } },
  },
  damaged: {
    because: "the ruleset was changed on its way",
    host: { provision: damage },
    message: "The ruleset that arrived is not the one in the plan",
  },
  leased: {
    because: "the address of the host is leased",
    message: "is leased, and would be lost when the lease cannot be renewed: add the exception dhcp-client",
    remedy: { exceptions: [PolicyException.dhcpClient()] },
  },
  leased6: {
    because: "the IPv6 address of the host is leased",
    props: (host) => ({ address: host.ipv6 }),
    message: "is leased, and would be lost when the lease cannot be renewed: add the exception dhcpv6-client",
    remedy: { exceptions: [PolicyException.dhcpV6Client()] },
  },
  stranger: {
    because: "the user comes from a directory service",
    host: { provision: stranger },
    props: () => ({ connection: { user: "mary" } }),
    message:
      "The user mary is not in /etc/passwd, so its login asks another server: add an egress exception for that server, or log in as a local user.",
    remedy: { connection: { user: "mary" }, exceptions: [PolicyException.egress({ to: "10.77.0.1", port: 636 })] },
  },
  owned: {
    because: "another state of the same stack has locked the host",
    message: 'set takeOver to "same-stack" for the whole firewall',
    remedy: { takeOver: "same-stack" },
  },
  busy: {
    because: "another run has the host for longer than it waits",
    message: "Another run of this program has been in progress for 30 s: try again when it has ended.",
    remedy: {},
  },
  "read-only": {
    because: "/var/lib is read-only",
    host: { boot: "mount --bind /var/lib /var/lib; mount -o remount,bind,ro /var/lib" },
    message: "/var/lib cannot be written: is it read-only?",
  },
  "read-only-busybox": {
    because: "/var/lib is read-only, where /bin/sh is busybox",
    host: { shell: "busybox", boot: "mount --bind /var/lib /var/lib; mount -o remount,bind,ro /var/lib" },
    message: "/var/lib cannot be written: is it read-only?",
  },
  full: {
    because: "the disk of the state folder is full",
    host: {
      boot: `mkdir -p ${STATE}; mount -t tmpfs -o size=4k,mode=0700 none ${STATE}; head -c 4096 /dev/zero >${STATE}/log`,
    },
    message: `${STATE} cannot be written: is the disk full, or read-only?`,
  },
  "no-init": {
    because: "nothing would load the rules after a restart",
    host: { without: ["update-rc.d", "chkconfig"] },
    message: "so a restart would open it: set persist: false to lock it until then.",
    remedy: { persist: false },
  },
};

describeLab(
  "a deploy is refused",
  () => {
    const names = Object.keys(refusals);
    const remedied = names.filter((name) => defined(refusals[name]).remedy !== undefined);
    let lab: Lab;
    let refused: RunResult;
    let remedy: RunResult;
    let inState: Record<string, string>;
    const before = new Map<string, string>();
    const after = new Map<string, string>();

    const propsOf = (own: (name: string) => Partial<HostProps>, which: readonly string[]): DeploymentProps => ({
      hosts: Object.fromEntries(which.map((name) => [name, hostEntry(lab, lab.host(name), own(name))])),
    });

    /** Rules, and what is in the state folder. */
    async function traces(host: Host): Promise<string> {
      const { stdout } = await host.exec(
        `find ${STATE} -type f ! -name log ! -path '*/baseline/sessions' -exec sha256sum {} + | sort; [ -f ${STATE}/log ] || ls -A ${STATE}`,
        { check: false },
      );
      return `${stdout}${await host.rules()}`;
    }

    // All at once; one of them waits for half a minute.
    beforeAll(async () => {
      lab = await Lab.create({ hosts: names.map((name) => ({ ...defined(refusals[name]).host, name })) });
      const owned = lab.host("owned");
      await new Deployment(lab).apply({ hosts: { owned: hostEntry(lab, owned) } });
      await lab.host("leased").exec(`ip addr change ${lab.host("leased").ipv4}/24 dev eth0 ${leaseFor}`);
      await lab.host("leased6").exec(
        `ip addr del ${lab.host("leased6").ipv6}/64 dev eth0
         ip addr add ${lab.host("leased6").ipv6}/128 dev eth0 nodad ${leaseFor}; ip route add fd77::/64 dev eth0`,
      );
      for (const host of lab.hosts) {
        before.set(host.name, await traces(host));
      }
      const holder = lab.host("busy").spawn(["flock", "/run/ssh-only-firewall.lock", "sleep", "600"]);
      await eventually("another run is in progress", () => lab.host("busy").processes().includes("sleep 600"));
      const deployment = new Deployment(lab);
      const terraform = await deployment.prepare(
        propsOf((name) => defined(refusals[name]).props?.(lab.host(name)) ?? {}, names),
      );
      refused = await terraform.apply([`-parallelism=${names.length}`], { check: false });
      holder.kill("SIGKILL");
      inState = await lockdowns(terraform);
      for (const host of lab.hosts) {
        after.set(host.name, await traces(host));
      }
      const other = await deployment.prepare(
        propsOf(
          (name) => ({ ...defined(refusals[name]).props?.(lab.host(name)), ...defined(refusals[name]).remedy }),
          remedied,
        ),
      );
      remedy = await other.apply([`-parallelism=${names.length}`], { check: false });
    }, 300_000);
    afterAll(() => lab?.destroy());

    test.each(names.map((name) => [defined(refusals[name]).because, name]))(
      "because %s, with the remedy, and the host is not changed",
      (_, name) => {
        const said = saidBy(name, refused.stdout);
        expect(said).toContain(defined(refusals[name]).message);
        expect(said).toMatch(/The host was not changed\.$/);
        expect(after.get(name)).toBe(before.get(name));
        expect(inState[name]).not.toBe("healthy");
      },
    );

    test.each(remedied.map((name) => [defined(refusals[name]).because, name]))(
      "no longer because %s, once the remedy is applied",
      async (_, name) => {
        expect(remedy.stderr).not.toContain(`firewall_lockdown["${name}"]`);
        expect(await statusOf(lab.host(name))).toMatchObject({ state: "locked", rules: "matches" });
      },
    );

    test("because of each host on its own, and the error names all of them and no other", () => {
      const failed = [...refused.stderr.matchAll(/with terraform_data\.firewall_lockdown\["([^"]+)"\]/g)];
      expect(failed.map(([, name]) => name).sort()).toEqual([...names].sort());
      expect(refused.code).toBe(1);
    });
  },
  { needs: "terraform" },
);
