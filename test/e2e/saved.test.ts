/** A host whose rules somebody saves for the next boot while it is locked: after unlock it is open, and stays so. */
import { Lab, type Host, type HostFirewall } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import { STATE, statusOf } from "./support/drill";
import { controllerOnly, Deployment, hostEntries } from "./support/deployment";
import { eventually } from "../support/eventually";

jest.setTimeout(300_000);

const system: SystemOptions = { packages: ["iptables-persistent"] };
const hosts: ReadonlyArray<{ readonly name: HostFirewall; readonly save: string; readonly file: string }> = [
  // Our chains are in the filter table too, for that drops by default.
  { name: "nftables", save: "netfilter-persistent save", file: "/etc/iptables/rules.v4" },
  { name: "iptables-nft", save: "netfilter-persistent save", file: "/etc/iptables/rules.v4" },
  { name: "iptables-legacy", save: "iptables-legacy-save -c >/etc/iptables/rules.v4", file: "/etc/iptables/rules.v4" },
];

/** Lets SSH and port 8080 in, and drops the rest. */
const provision = `
  for version in 4 6; do
    cat >/etc/iptables/rules.v$version <<'END'
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,8080 -j ACCEPT
COMMIT
END
  done
  sed -i '/^COMMIT/i -A INPUT -p ipv6-icmp -j ACCEPT' /etc/iptables/rules.v6
  systemctl --quiet enable netfilter-persistent
  cat >/etc/systemd/system/service.socket <<'END'
[Socket]
ListenStream=8080
Accept=yes
[Install]
WantedBy=sockets.target
END
  printf '[Service]\\nExecStart=-/bin/true\\n' >/etc/systemd/system/service@.service
  systemctl --quiet enable service.socket
`;

describeBooted("rules that were saved while the host was locked", [system], () => {
  let lab: Lab;
  let deployment: Deployment;
  const seen = new Map<string, unknown>();

  /** What answers, over IPv4 and IPv6, and what the host says it is. */
  async function look(host: Host): Promise<string> {
    const scans = await Promise.all(([4, 6] as const).map((family) => lab.scanTcp(host, { ports: "22,8080", family })));
    const { state, rules, code } = await statusOf(host);
    const login = await host.ssh("echo in", { check: false });
    return `${state}, ${rules}, ${code}; ${scans.map(({ open }) => open.join("+")).join("; ")}; ${login.stdout}`;
  }
  const becomes = async (host: Host, wanted: string): Promise<string> => {
    let view = "";
    await eventually(wanted, async () => (view = await look(host).catch(String)) === wanted).catch(() => undefined);
    return view;
  };
  const open = "open, none, 0; 22+8080; 22+8080; in\n";
  const locked = "locked, matches, 0; 22; 22; in\n";
  const keep = (host: Host, what: string, value: unknown): unknown => seen.set(`${host.name}: ${what}`, value);

  beforeAll(async () => {
    lab = await Lab.create({ hosts: hosts.map(({ name }) => ({ name, firewall: name, system, provision })) });
    deployment = new Deployment(lab);
    const each = (work: (host: Host, one: (typeof hosts)[number]) => Promise<void>): Promise<unknown> =>
      Promise.all(hosts.map((one) => work(lab.host(one.name), one)));
    await each(async (host) => void keep(host, "before", await becomes(host, open)));
    await deployment.apply({ allowFrom: controllerOnly, hosts: hostEntries(lab) });
    await each(async (host, { save, file }) => {
      keep(host, "locked", await becomes(host, locked));
      await host.exec(`${save} && chmod 0600 ${file}`);
      keep(host, "saved", (await host.exec(["cat", file])).stdout);
      await host.reboot();
      keep(host, "locked again", await becomes(host, locked));
    });
    await deployment.destroy();
    await each(async (host, { file }) => {
      keep(host, "unlocked", await becomes(host, open));
      keep(host, "kept", (await host.exec(["cat", file])).stdout);
      keep(host, "mode", (await host.exec(["stat", "-c", "%a", file])).stdout);
      keep(host, "log", (await host.exec(`cat ${STATE}/log`)).stdout);
      await host.exec("systemctl restart netfilter-persistent || { journalctl -n 30 --no-pager >&2; exit 1; }");
      keep(host, "restarted", await becomes(host, open));
      await host.reboot();
      keep(host, "rebooted", await becomes(host, open));
    });
  });
  afterAll(() => lab?.destroy());

  describe.each(hosts)("with $name", ({ name, file }) => {
    const of = (what: string): unknown => seen.get(`${name}: ${what}`);

    test("do not prevent a lock, even across a restart", () => {
      expect(of("before")).toBe(open);
      expect(of("locked")).toBe(locked);
      expect(of("saved")).toMatch(/^:SSH_ONLY_IN /m);
      expect(of("locked again")).toBe(locked);
    });

    test("lose the lines of the ruleset with unlock, and no other line", () => {
      const others = String(of("saved"))
        .split("\n")
        .filter((line) => !/SSH_(ONLY|CHECK)_/.test(line));
      expect(String(of("kept")).split("\n")).toEqual(others);
      expect(of("kept")).toContain("--dports 22,8080 -j ACCEPT");
      expect(of("mode")).toBe("600\n");
      expect(of("log")).toContain(`${file} had been saved with the rules of this program`);
    });

    test("do not close it when they are loaded again after unlock, nor after a restart", () => {
      expect(of("unlocked")).toBe(open);
      expect(of("restarted")).toBe(open);
      expect(of("rebooted")).toBe(open);
    });
  });
});
