/** What would lose the host later is refused before any change, by lock and by check; and its remedy, followed, lets it pass. */
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { eventually } from "../support/eventually";
import { HostProgram, lockSettings, type Settings, shells } from "./support/host-program";

interface Case {
  readonly what: string;
  readonly word: string;
  readonly message: RegExp;
  /** Shell text that makes the host so, and that which undoes it. */
  readonly make: string;
  readonly undo: string;
  /** A daemon of that name runs: a copy of a shell. */
  readonly daemon?: string;
  readonly settings?: Settings;
  /** The ip of busybox does not show it. */
  readonly needsIproute?: true;
  /** Exceptions that seem to help, and do not. */
  readonly useless?: string;
  /** The remedies: shell text on the host, or exceptions. */
  readonly remedies: ReadonlyArray<{ readonly host?: string; readonly exceptions?: string }>;
}

const CONFIG = "/etc/ssh/lab_sshd_config";
/** The settings of the running sshd are read from its configuration, which this puts back. */
const undoConfig = `cp ${CONFIG}.kept ${CONFIG}`;

const CASES: readonly Case[] = [
  {
    what: "cloud-init that asks a server after a restart",
    word: "cloud-init",
    message: /datasource on the network \(DataSourceEc2Local\).* manual_cache_clean: true/,
    make: "mkdir -p /var/lib/cloud/instance /etc/cloud/cloud.cfg.d; echo 'DataSourceEc2Local: DataSourceEc2Local' >/var/lib/cloud/instance/datasource",
    undo: "rm -rf /var/lib/cloud /etc/cloud",
    settings: { PERSIST: "true" },
    remedies: [
      { exceptions: "egress" },
      { host: "touch /etc/cloud/cloud-init.disabled" },
      {
        host: "rm -f /etc/cloud/cloud-init.disabled; echo 'manual_cache_clean: true' >/etc/cloud/cloud.cfg.d/99-keep.cfg",
      },
    ],
  },
  {
    what: "a folder that a login writes to on a network disk whose server does not answer",
    word: "network-disk",
    message: /\/var\/log of this host is a disk on the network \(s3fs, fuse.s3fs\)/,
    make: "[ -e /dev/fuse ] || mknod /dev/fuse c 10 229; mount -i -t fuse.s3fs -o fd=3,rootmode=40000,user_id=0,group_id=0 s3fs /var/log 3<>/dev/fuse",
    undo: "umount -l /var/log",
    remedies: [{ exceptions: "egress" }],
  },
  {
    what: "a cluster that fences silent members",
    word: "fencing",
    message: /corosync runs here, .*stop and disable corosync, or add ingress and egress exceptions/,
    make: ":",
    undo: ":",
    daemon: "corosync",
    remedies: [{ exceptions: "ingress egress" }],
  },
  {
    what: "a watchdog that pings",
    word: "fencing",
    message: /watchdog runs here and restarts this host when 10.77.0.1 does not answer a ping/,
    make: "echo 'ping = 10.77.0.1' >/etc/watchdog.conf",
    undo: "rm /etc/watchdog.conf",
    daemon: "watchdog",
    useless: "ingress egress protocol",
    remedies: [{ host: "sed -i '/^ping/d' /etc/watchdog.conf" }],
  },
  {
    what: "a log server whose silence halts the host",
    word: "fencing",
    message: /audisp-remote here halts this host .* set network_failure_action to syslog/,
    make: "mkdir -p /etc/audit/plugins.d; echo 'network_failure_action = HALT' >/etc/audit/audisp-remote.conf; echo 'active = yes' >/etc/audit/plugins.d/au-remote.conf",
    undo: "rm -rf /etc/audit",
    daemon: "auditd",
    remedies: [{ exceptions: "egress" }, { host: "sed -i 's/HALT/syslog/' /etc/audit/audisp-remote.conf" }],
  },
  {
    what: "routes that are announced by a protocol of its own",
    word: "announced-address",
    message: /keepalived runs here.*: stop and disable it, or add a protocol exception vrrp for them/,
    make: ":",
    undo: ":",
    daemon: "keepalived",
    remedies: [{ exceptions: "protocol protocol-112" }],
  },
  {
    what: "keys that a command fetches",
    word: "login-server",
    message: /sshd runs \/usr\/bin\/sss_ssh_authorizedkeys at each login \(AuthorizedKeysCommand\)/,
    make: `printf 'AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys %%u\\nAuthorizedKeysCommandUser nobody\\n' >>${CONFIG}`,
    undo: undoConfig,
    remedies: [{ exceptions: "egress" }, { host: `sed -i '/^AuthorizedKeysCommand/d' ${CONFIG}` }],
  },
  {
    what: "users who are let in by the name of their machine",
    word: "login-name",
    message: /sshd looks up names at each login \(UseDNS\), and allows logins from \*\.example\.net/,
    make: `sed -i '1i UseDNS yes\\nAllowUsers root@*.example.net root@10.77.0.*' ${CONFIG}`,
    undo: undoConfig,
    remedies: [{ exceptions: "dns" }, { host: `sed -i 's/ root@\\*.example.net//' ${CONFIG}` }],
  },
  {
    what: "a PAM module that asks a server",
    word: "login-server",
    message: /pam_sss asks a server at each login here/,
    make: `sed -i '/^UsePAM/d' ${CONFIG}; echo 'UsePAM yes' >>${CONFIG}; cp /etc/pam.d/sshd /etc/pam.d/sshd.kept; printf '@include own-account\\n' >>/etc/pam.d/sshd; echo 'account [default=bad success=ok] pam_sss.so' >/etc/pam.d/own-account`,
    undo: `${undoConfig}; mv /etc/pam.d/sshd.kept /etc/pam.d/sshd; rm /etc/pam.d/own-account`,
    remedies: [{ exceptions: "egress" }, { host: "sed -i '/pam_sss/d' /etc/pam.d/own-account" }],
  },
  {
    what: "SSH through a tunnel",
    word: "tunnel",
    message: /You came through the tunnel vx9, whose carrier would end/,
    make: "/usr/sbin/ip link add vx9 type vxlan id 5 remote 10.77.0.1 dstport 4789 && ip link set vx9 up && ip route add 10.77.0.1/32 dev vx9",
    undo: "ip link del vx9",
    remedies: [{ exceptions: "ingress egress" }, { host: "ip route del 10.77.0.1/32 dev vx9" }],
  },
  {
    what: "SSH through IPsec, which has no interface of its own",
    word: "tunnel",
    message: /You came through IPsec \(its policy for 10\.77\.0\.0\/24\), .* UDP ports 500 and 4500/,
    make: `ip xfrm policy add src 10.99.0.0/16 dst 10.77.0.10 dir in tmpl src 192.0.2.9 dst 192.0.2.10 proto esp mode tunnel
      ip xfrm policy add src 10.77.0.0/24 dst 10.77.0.10 dir out tmpl src 192.0.2.10 dst 192.0.2.8 proto esp mode tunnel
      ip xfrm policy add src 10.77.0.0/24 dst 10.77.0.10 dir in tmpl src 192.0.2.8 dst 192.0.2.10 proto esp mode tunnel`,
    undo: "ip xfrm policy flush",
    needsIproute: true,
    useless: "egress protocol protocol-50",
    remedies: [
      { exceptions: "ingress egress protocol protocol-50" },
      { host: "ip xfrm policy del src 10.77.0.0/24 dst 10.77.0.10 dir in" },
    ],
  },
  {
    what: "SSH from a forwarder on the host",
    word: "tunnel",
    message: /You came from 127.0.0.1, through a forwarder on this host/,
    make: ":",
    undo: ":",
    settings: { FROM: "127.0.0.1 40000 127.0.0.1 22" },
    remedies: [{ exceptions: "ingress" }],
  },
];

const some = shells.filter(({ name }) => name !== "bash");
describe.each(some)("under $name", ({ options }) => {
  describeLab("lock and check", () => {
    let lab: Lab;
    let program: HostProgram;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", ...options }] });
      program = await HostProgram.on(lab.host("web-1"));
      await program.host.exec(`cp ${CONFIG} ${CONFIG}.kept`);
    });
    afterAll(() => lab?.destroy());

    const cases = CASES.filter(({ needsIproute }) => needsIproute !== true || options.shell !== "busybox");
    test.each(cases)("refuse $what, until the remedy is followed", async (one) => {
      const { word, message, make, undo, daemon, settings = {}, useless = "", remedies } = one;
      const { host } = program;
      const child = daemon === undefined ? undefined : await startDaemon(daemon);
      await host.exec(make);
      try {
        const before = await program.traces();
        const checked = await program.check(lockSettings({ ...settings, EXCEPTIONS: useless }));
        expect(checked).toMatchObject({ code: 6, stderr: "", stdout: expect.stringMatching(message) });
        expect(checked.stdout).toMatch(new RegExp(`^refused 6 ${word} .*\\n$`));
        const refused = await program.lock(lockSettings(settings));
        expect(refused).toMatchObject({ code: 6, stdout: "", stderr: expect.stringMatching(message) });
        expect(refused.stderr).toMatch(/ The host was not changed\.\n$/);
        expect(await program.traces()).toBe(before);
        for (const { host: change = ":", exceptions = "" } of remedies) {
          await host.exec(change);
          const followed = lockSettings({ ...settings, EXCEPTIONS: exceptions });
          expect(await program.check(followed)).toEqual({ code: 0, stdout: "", stderr: "" });
        }
        const { exceptions = "" } = remedies.at(-1) ?? {};
        const last = lockSettings({ ...settings, EXCEPTIONS: exceptions });
        expect(await program.lock(last)).toMatchObject({ code: 0, stderr: "" });
        await program.reset();
      } finally {
        child?.kill("SIGKILL");
        await host.exec(undo);
      }
    });

    async function startDaemon(name: string): Promise<ReturnType<typeof program.host.spawn>> {
      await program.host.exec(`cp /usr/bin/dash /usr/local/sbin/${name}`);
      const child = program.host.spawn([name, "-c", "sleep 600; :"], { stdio: "ignore" });
      await eventually("it runs", () => program.host.processes().some((line) => line.startsWith(`${name} `)));
      await program.host.exec(`rm /usr/local/sbin/${name}`);
      return child;
    }
  });
});
