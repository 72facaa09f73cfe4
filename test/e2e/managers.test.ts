/** Locked beside the firewalls that manage themselves, on hosts that boot Debian with systemd: they start, stop, reload and
 * panic, the host stays closed and SSH works; and after unlock their rules are what they would be without us. */
import { isDeepStrictEqual } from "node:util";
import type { HostProps } from "../../lib/index";
import { Lab, type Host, type HostFirewall, type Peer } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import { statusOf, withoutEmptyTables } from "./support/drill";
import { controllerOnly, Deployment, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

/** How long it may take until all is well again: the guard looks every 5 s; the rest is for a busy machine. */
const guardSeconds = 30;

/** Of each manager what it is made to do, in this order, and how it is told to begin anew. */
interface Manager {
  readonly packages: readonly string[];
  /** Lets SSH and port 8080 in, and begins with the boot. */
  readonly setUp: string;
  readonly steps: Readonly<Record<string, string>>;
  readonly reload: string;
}

const managers = {
  "firewalld (nftables)": firewalld("nftables"),
  "firewalld (iptables)": firewalld("iptables"),
  ufw: {
    packages: ["ufw"],
    setUp: `
      sed -i 's/^ENABLED=no/ENABLED=yes/' /etc/ufw/ufw.conf
      cat >>/etc/ufw/user.rules.lab <<'END'
### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 8080 -j ACCEPT

END
      sed -i '/^### RULES ###/r /etc/ufw/user.rules.lab' /etc/ufw/user.rules
      sed -e 's/ufw-user/ufw6-user/' -e 's,0.0.0.0/0,::/0,g' /etc/ufw/user.rules.lab >/etc/ufw/user6.rules.lab
      sed -i '/^### RULES ###/r /etc/ufw/user6.rules.lab' /etc/ufw/user6.rules
      systemctl --quiet enable ufw`,
    steps: {
      "is reloaded": "ufw reload",
      "is disabled": "ufw disable",
      "is enabled": "ufw --force enable",
      "is stopped": "systemctl stop ufw",
      "is started": "systemctl start ufw",
      "is enabled without a rule for SSH": "ufw delete allow 22/tcp && ufw --force enable",
      "is enabled with it again": "ufw allow 22/tcp && ufw --force enable",
    },
    reload: "systemctl restart ufw",
  },
  "nftables.service": {
    packages: ["iptables-persistent"],
    setUp: `
      cat >/etc/nftables.conf <<'END'
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    tcp dport { 22, 8080 } accept
  }
  chain forward { type filter hook forward priority 0; policy drop; }
}
END
      systemctl --quiet disable netfilter-persistent
      systemctl --quiet enable nftables`,
    steps: {
      "is reloaded": "systemctl reload nftables",
      "is stopped": "systemctl stop nftables",
      "is started": "systemctl start nftables",
      "is restarted": "systemctl restart nftables",
    },
    reload: "systemctl restart nftables",
  },
  "netfilter-persistent": {
    packages: ["iptables-persistent"],
    setUp: `
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
      systemctl --quiet enable netfilter-persistent`,
    steps: {
      "is reloaded": "netfilter-persistent reload",
      "is flushed": "netfilter-persistent flush",
      "is started": "netfilter-persistent start",
      "is stopped": "systemctl stop netfilter-persistent",
      "is restarted": "systemctl restart netfilter-persistent",
    },
    reload: "systemctl restart netfilter-persistent",
  },
} satisfies Record<string, Manager>;

function firewalld(backend: "nftables" | "iptables"): Manager {
  return {
    packages: ["firewalld"],
    setUp: `
      sed -i 's/^FirewallBackend=.*/FirewallBackend=${backend}/' /etc/firewalld/firewalld.conf
      firewall-offline-cmd -q --add-port=8080/tcp
      systemctl --quiet enable firewalld`,
    steps: {
      "is reloaded": "firewall-cmd --reload",
      "is completely reloaded": "firewall-cmd --complete-reload",
      "is stopped": "systemctl stop firewalld",
      "is started": "systemctl start firewalld && firewall-cmd --state",
      "is told to panic": "firewall-cmd --panic-on",
      "is restarted": "systemctl restart firewalld && firewall-cmd --state",
    },
    reload: "systemctl restart firewalld && firewall-cmd --state",
  };
}

/** Which manager is met by which backend of ours; and what fail2ban bans with there. */
interface Meeting {
  readonly name: string;
  readonly manager: keyof typeof managers;
  readonly firewall: HostFirewall;
  readonly backend: NonNullable<HostProps["backend"]>;
  readonly ban: "iptables-multiport" | "nftables-multiport" | "firewallcmd-rich-rules";
}

const meetings: readonly Meeting[] = [
  {
    name: "firewalld-1",
    manager: "firewalld (nftables)",
    firewall: "nftables",
    backend: "auto",
    ban: "firewallcmd-rich-rules",
  },
  {
    name: "firewalld-2",
    manager: "firewalld (nftables)",
    firewall: "iptables-nft",
    backend: "auto",
    ban: "iptables-multiport",
  },
  {
    name: "firewalld-3",
    manager: "firewalld (iptables)",
    firewall: "nftables",
    backend: "auto",
    ban: "nftables-multiport",
  },
  {
    name: "firewalld-4",
    manager: "firewalld (iptables)",
    firewall: "iptables-legacy",
    backend: "auto",
    ban: "iptables-multiport",
  },
  { name: "ufw-1", manager: "ufw", firewall: "nftables", backend: "auto", ban: "iptables-multiport" },
  { name: "ufw-2", manager: "ufw", firewall: "iptables-legacy", backend: "auto", ban: "iptables-multiport" },
  { name: "nft-1", manager: "nftables.service", firewall: "nftables", backend: "auto", ban: "nftables-multiport" },
  { name: "nft-2", manager: "nftables.service", firewall: "nftables", backend: "iptables", ban: "nftables-multiport" },
  {
    name: "persistent-1",
    manager: "netfilter-persistent",
    firewall: "nftables",
    backend: "auto",
    ban: "iptables-multiport",
  },
  {
    name: "persistent-2",
    manager: "netfilter-persistent",
    firewall: "iptables-nft",
    backend: "auto",
    ban: "iptables-multiport",
  },
];

const systemOf = (manager: Manager): SystemOptions => ({
  packages: [...manager.packages, "fail2ban", "python3-systemd"],
});

/** A service that the managers let in, and fail2ban with somebody who is banned for ever. */
const provisionOf = ({ manager, ban }: Meeting): string => `
  cat >/etc/systemd/system/service.socket <<'END'
[Socket]
ListenStream=8080
Accept=yes
[Install]
WantedBy=sockets.target
END
  printf '[Service]\\nExecStart=-/bin/true\\n' >/etc/systemd/system/service@.service
  systemctl --quiet enable service.socket
  printf '[DEFAULT]\\nbanaction = ${ban}\\nbantime = -1\\n[sshd]\\nenabled = true\\nbackend = systemd\\n' >/etc/fail2ban/jail.local
  cat >/usr/local/sbin/await-ban <<'END'
#!/bin/sh
tries=0
until fail2ban-client status sshd && { nft list ruleset; iptables-save; firewall-cmd --list-rich-rules; } | grep -q 203.0.113.9; do
  tries=$((tries + 1))
  [ $tries -le 100 ] || exit 1
  sleep 0.2
done >/dev/null 2>&1
END
  chmod 0755 /usr/local/sbin/await-ban
  ${managers[manager].setUp}
`;

const fail2banSteps = {
  "fail2ban is restarted": "systemctl restart fail2ban && await-ban",
  "fail2ban is reloaded": "fail2ban-client reload",
  "fail2ban is stopped": "systemctl stop fail2ban",
  "fail2ban is started": "systemctl start fail2ban && await-ban",
  "fail2ban bans somebody else": "fail2ban-client set sshd banip 203.0.113.10",
  "fail2ban lets them off": "fail2ban-client set sshd unbanip 203.0.113.10",
};

const stepsOf = (meeting: Meeting): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(managers[meeting.manager].steps).map(([what, command]) => [`${meeting.manager} ${what}`, command]),
  ),
  ...fail2banSteps,
});

/** What can be seen of a host. */
interface View {
  readonly status: string;
  /** What answers at the ports of SSH and of the service that the manager lets in: to the controller. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** And to somebody whom our policy does not know. */
  readonly stranger: string;
  readonly login: string;
}

const both = "22 open, 8080 open";
const open: View = { status: "open, none, 0", ipv4: both, ipv6: both, stranger: both, login: "in\n" };
const closed: View = {
  status: "locked, matches, 0",
  ipv4: "22 open",
  ipv6: "22 open",
  stranger: "nothing",
  login: "in\n",
};

// Not all at once: their init systems share the machine's inotify instances, of which there are 128.
const groups = [/^firewalld/, /^(ufw|nft)/, /^persistent/].map((names) =>
  meetings.filter(({ name }) => names.test(name)),
);

const systems = Object.values(managers).map(systemOf);
describeBooted("a host with another firewall", systems, () => {
  groups.forEach((group) => describe(group.map(({ name }) => name).join(", "), () => meet(group)));
});

function meet(meetings: readonly Meeting[]): void {
  let lab: Lab;
  let stranger: Peer;
  let deployment: Deployment;
  const told = new Map<string, unknown>();
  const took: Record<string, Record<string, number>> = {};

  const scan = async (host: Host, family: 4 | 6, from?: Peer): Promise<string> => {
    const { open: opened, closed: refused } = await lab.scanTcp(host, { ports: "22,8080", family, from });
    const answers = [...opened.map((port) => `${port} open`), ...refused.map((port) => `${port} refused`)];
    return answers.join(", ") || "nothing";
  };
  async function look(host: Host): Promise<View> {
    const { state, rules, code } = await statusOf(host);
    const [ipv4, ipv6, strange] = await Promise.all([scan(host, 4), scan(host, 6), scan(host, 4, stranger)]);
    const login = (await host.ssh("echo in", { check: false })).stdout;
    return { status: `${state}, ${rules}, ${code}`, ipv4, ipv6, stranger: strange, login };
  }
  /** Looks until all is as wanted, or time is up. */
  async function becomes(host: Host, wanted: View): Promise<View | string> {
    let view: View | string = "nothing seen";
    await eventually(
      "it is as wanted",
      async () => {
        // Where not even a neighbour answers, nmap finds nothing to scan.
        view = await look(host).catch(String);
        return isDeepStrictEqual(view, wanted);
      },
      { seconds: guardSeconds },
    ).catch(() => undefined);
    return view;
  }
  /** As `Host.rules`, and with what nft does not show of rules by iptables. Without empty chains, which iptables makes. */
  const rulesOf = async (host: Host): Promise<string> => {
    const saved = (await host.exec("iptables-save; ip6tables-save")).stdout;
    const tidy = saved.replace(/^#.*\n/gm, "").replace(/ \[\d+:\d+\]$/gm, "");
    return withoutEmptyTables((await host.rules()) + tidy)
      .replace(/^:(INPUT|OUTPUT|FORWARD) ACCEPT\n/gm, "")
      .replace(/\n+/g, "\n");
  };

  const reload = async ({ name, manager }: Meeting): Promise<void> => {
    // One after the other: both change rules by iptables, and who comes second fails.
    const { reload: again } = managers[manager];
    await lab.host(name).exec(`systemctl stop fail2ban && ${again} && systemctl start fail2ban && await-ban`);
  };
  const apply = (): Promise<unknown> =>
    deployment
      .prepare({
        allowFrom: controllerOnly,
        hosts: Object.fromEntries(
          meetings.map(({ name, backend }) => [name, hostEntry(lab, lab.host(name), { backend })]),
        ),
      })
      .then((terraform) => terraform.apply([`-parallelism=${meetings.length}`]));
  const eachHost = (work: (meeting: Meeting, host: Host) => Promise<unknown>): Promise<unknown> =>
    Promise.all(meetings.map((meeting) => work(meeting, lab.host(meeting.name))));
  const keep = (meeting: Meeting, what: string, value: unknown): unknown => told.set(`${meeting.name}: ${what}`, value);
  const of = (meeting: Meeting, what: string): unknown => told.get(`${meeting.name}: ${what}`);

  // All at once: most of it is waiting.
  beforeAll(async () => {
    lab = await Lab.create();
    const hosts = meetings.map((meeting) => ({
      name: meeting.name,
      firewall: meeting.firewall,
      system: systemOf(managers[meeting.manager]),
      provision: provisionOf(meeting),
    }));
    // A machine has to boot them within the time that a lab host has for it.
    while (hosts.length > 0) {
      await lab.addHosts(hosts.splice(0, 3));
    }
    stranger = await lab.peer();
    deployment = new Deployment(lab);
    await eachHost(async (meeting, host) => {
      await host.exec("systemctl is-system-running --wait || :");
      await host.exec("fail2ban-client set sshd banip 203.0.113.9 && await-ban");
      await reload(meeting);
      keep(meeting, "rules before", await rulesOf(host));
      keep(meeting, "before", await becomes(host, open));
    });
    await apply();
    await eachHost(async (meeting, host) => keep(meeting, "locked", await becomes(host, closed)));
    await deployment.destroy();
    await eachHost(async (meeting, host) => keep(meeting, "rules after", await rulesOf(host)));
    await apply();
    await eachHost(async (meeting, host) => {
      for (const [what, command] of Object.entries(stepsOf(meeting))) {
        const start = Date.now();
        const { code, stdout, stderr } = await host.exec(command, { check: false });
        const view = await becomes(host, closed);
        keep(meeting, what, code === 0 ? view : stdout + stderr);
        (took[meeting.name] ??= {})[what] = (Date.now() - start) / 1000;
      }
      await reload(meeting);
      keep(meeting, "at last", await becomes(host, closed));
      keep(meeting, "rules at last", await rulesOf(host));
      keep(meeting, "log", (await host.exec("cat /var/lib/ssh-only-firewall/log")).stdout);
    });
    await deployment.destroy();
    await eachHost(async (meeting, host) => {
      keep(meeting, "unlocked", await becomes(host, open));
      keep(meeting, "rules unlocked", await rulesOf(host));
      await reload(meeting);
      keep(meeting, "rules reloaded", await rulesOf(host));
    });
    if (process.env.SHOW_TIMES !== undefined) {
      process.stderr.write(`${JSON.stringify(took, undefined, 1)}\n`);
    }
  }, 600_000);
  afterAll(() => lab?.destroy());

  describe.each(meetings)("$manager, with $firewall and our backend $backend", (meeting) => {
    test("is open before", () => {
      expect(of(meeting, "before")).toEqual(open);
    });

    test("lock closes it to everything but SSH", () => {
      expect(of(meeting, "locked")).toEqual(closed);
    });

    test("unlock leaves the rules of other firewalls unchanged, byte for byte", () => {
      expect(of(meeting, "rules before")).toContain("203.0.113.9");
      expect(of(meeting, "rules after")).toBe(of(meeting, "rules before"));
    });

    test.each(Object.keys(stepsOf(meeting)))("is closed, and SSH works, when %s", (what) => {
      expect(of(meeting, what)).toEqual(closed);
    });

    test("is closed, and SSH works, after all steps again", () => {
      expect(of(meeting, "at last")).toEqual(closed);
    });

    test("unlock leaves rules as a reload makes them", () => {
      expect(of(meeting, "unlocked")).toEqual(open);
      expect(of(meeting, "rules unlocked")).toContain("203.0.113.9");
      expect(chains(of(meeting, "rules unlocked"))).toEqual(chains(of(meeting, "rules reloaded")));
    });
  });
}

/** In one order, whoever was first to make a table: iptables makes its chains when they are first asked for. */
function chains(rules: unknown): string[] {
  const blocks = String(rules).replace(/^\}\n/gm, "");
  return blocks.split(/^(?=table |\tchain |\*)/m).sort();
}
