/** Hosts that are reached in another way than most, or that lack what most have: each is locked, or refused with the remedy. */
import { defined } from "../support/required";
import { type HostProps, PolicyException } from "../../lib/index";
import { hostProgram } from "../../lib/host/program";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostOptions, Lab, type Peer, type RunResult, type SshOptions } from "../lab/lab";
import { lockScript } from "./support/lock-script";
import { HostProgram, lockSettings } from "../program/support/host-program";
import { isAtRest, lockdowns, saidBy, STATE, statusOf, watchdogs } from "./support/drill";
import { Deployment, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

const iptablesCommands = ["iptables", "ip6tables"].flatMap((family) =>
  ["", "-restore", "-save"].map((command) => `${family}${command}`),
);
const newCommands = iptablesCommands.flatMap((command) => {
  const [, family, rest] = /^(ip6?tables)(.*)$/.exec(command) ?? [];
  return [`${family}-nft${rest}`, `${family}-legacy${rest}`];
});

/** Stands for an iptables of old: refuses the words that it did not know, and does not tell of them. */
const oldIptables = (version: string, unknown: Readonly<Record<"" | "-restore" | "-save", string>>): HostOptions => ({
  name: "",
  firewall: "iptables-legacy",
  without: newCommands,
  provision: Object.entries(unknown)
    .flatMap(([command, words]) =>
      ["iptables", "ip6tables"].map(
        (family) => `cat >/usr/local/sbin/${family}${command} <<'END'
#!/bin/sh
for word in "$@"; do
  case $word in
    ${words}) echo "${family}${command} v${version}: unknown option \\"$word\\"" | tee -a /var/log/unknown >&2; exit 2 ;;
    -V | --version) echo "${family} v${version}"; exit ;;
    -h | --help) /usr/sbin/xtables-legacy-multi ${family}${command} --help 2>&1 | grep -v wait; exit 1 ;;
  esac
done
exec /usr/sbin/xtables-legacy-multi ${family}${command} "$@"
END
chmod 0755 /usr/local/sbin/${family}${command}`,
      ),
    )
    .join("\n"),
});

/** Each call says another time, years before or after the last one. */
const jumpingClock = `
cat >/usr/local/bin/date <<'END'
#!/bin/sh
n=$(cat /run/date 2>/dev/null || echo 0)
echo $((n + 1)) >/run/date
case $((n % 3)) in 0) at=@4000000000 ;; 1) at=@1 ;; *) at=@1700000000 ;; esac
exec /usr/bin/date -d "$at" "$@"
END
chmod 0755 /usr/local/bin/date
`;

const readOnlyUsr = "mount --bind /usr /usr; mount -o remount,bind,ro /usr";
const noIpv4 = "ip -4 addr flush dev eth0";
const noIpv6 = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6";

/** What is locked. */
const odd: Readonly<Record<string, { host?: Partial<HostOptions>; props?: (host: Host) => Partial<HostProps> }>> = {
  "ipv6-only": { host: { boot: noIpv4 }, props: ({ ipv6 }) => ({ address: ipv6 }) },
  "ipv6-only-iptables": {
    host: { boot: noIpv4, firewall: "iptables-legacy" },
    props: ({ ipv6 }) => ({ address: ipv6 }),
  },
  "ipv6-off": { host: { boot: noIpv6 } },
  "ipv6-off-iptables-nft": { host: { boot: noIpv6, firewall: "iptables-nft" } },
  "ipv6-off-iptables-legacy": { host: { boot: noIpv6, firewall: "iptables-legacy" } },
  "several-ports": {
    host: { sshPort: [22, 2222, 22022] },
    props: () => ({ sshPort: 2222, connection: { port: 2222 } }),
  },
  "iptables-1.4.7": {
    host: oldIptables("1.4.7", { "": "-w* | --wait* | -C | --check", "-restore": "-w* | --wait*", "-save": "-w*" }),
  },
  "iptables-1.4.21": {
    host: oldIptables("1.4.21", { "": "--wait=* | -w?*", "-restore": "-w* | --wait*", "-save": "-w*" }),
  },
  "no-ss": { host: { without: ["ss"] } },
  "no-setsid": { host: { without: ["setsid"] } },
  "no-setsid-busybox": { host: { without: ["setsid"], shell: "busybox", firewall: "iptables-legacy" } },
  "read-only-usr": { host: { boot: readOnlyUsr } },
  "read-only-usr-iptables": { host: { boot: readOnlyUsr, firewall: "iptables-nft" } },
  "clock-jumps": { host: { provision: jumpingClock } },
  "xtables-lock": { host: { firewall: "iptables-nft" } },
};

/** What is refused, and the words that name the remedy. */
const refusals: Readonly<Record<string, { host: Partial<HostOptions>; message: string }>> = {
  "no-ip6tables": {
    host: {
      firewall: "iptables-legacy",
      without: ["ip6tables-restore", "ip6tables-legacy-restore", "ip6tables-nft-restore"],
    },
    message: "this kernel has IPv6, which would stay open: install it",
  },
  "xtables-lock-legacy": {
    host: { firewall: "iptables-legacy" },
    message: "Another program holds the lock of iptables, /run/xtables.lock: try again when it has ended.",
  },
};

describeLab(
  "an unusual host",
  () => {
    const names = Object.keys(odd);
    const refusedNames = Object.keys(refusals);
    let lab: Lab;
    let gateway: Peer;
    let deployment: Deployment;
    let locked: RunResult;
    let refused: RunResult;
    let retried: RunResult;
    let inState: Record<string, string>;
    const refusedTraces = new Map<string, string>();

    const entries = (): Record<string, HostProps> => ({
      "behind-nat": { ...natEntry(lab, gateway, 2222), allowFrom: [gateway.ipv4] },
      ...Object.fromEntries(
        names.map((name) => [name, hostEntry(lab, lab.host(name), defined(odd[name]).props?.(lab.host(name)))]),
      ),
    });

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [
          ...names.map((name) => ({ ...defined(odd[name]).host, name })),
          ...refusedNames.map((name) => ({ ...defined(refusals[name]).host, name })),
          { name: "behind-nat" },
          { name: "refused-behind-nat" },
        ],
      });
      gateway = await natGateway(lab);
      const holders = await Promise.all(
        ["xtables-lock", "xtables-lock-legacy"].map((name) => holdXtables(lab.host(name))),
      );
      deployment = new Deployment(lab);
      locked = await (await deployment.prepare({ hosts: entries() })).apply(["-parallelism=20"], { check: false });

      const other = new Deployment(lab);
      const hosts = Object.fromEntries(refusedNames.map((name) => [name, hostEntry(lab, lab.host(name))]));
      // Not the gateway's address, which is what this host sees; and the port that is dialled for the one it has.
      hosts["wrong-source-behind-nat"] = natEntry(lab, gateway, 2223);
      hosts["wrong-port-behind-nat"] = { ...natEntry(lab, gateway, 2224), sshPort: 2224, allowFrom: [gateway.ipv4] };
      const terraform = await other.prepare({ hosts });
      refused = await terraform.apply([], { check: false });
      inState = await lockdowns(terraform);
      for (const name of refusedNames) {
        refusedTraces.set(name, await traces(lab.host(name)));
      }
      holders.forEach((holder) => holder.kill("SIGKILL"));
      retried = await terraform.apply([], { check: false });
    }, 300_000);
    afterAll(() => lab?.destroy());

    test.each([...names, "behind-nat"])("(%s) is locked, and accepts SSH", async (name) => {
      expect(saidBy(name, locked.stdout + locked.stderr)).toMatch(/The host is locked\.$/);
      expect(await statusOf(lab.host(name))).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      if (name === "behind-nat") {
        expect((await throughNat()).stdout).toBe("in\n");
      } else {
        expect((await lab.host(name).ssh("echo in", sshOptions(name))).stdout).toBe("in\n");
      }
    });

    const sshOptions = (name: string): SshOptions => ({
      family: defined(odd[name]).host?.boot === noIpv4 ? 6 : 4,
      port: name === "several-ports" ? 2222 : undefined,
    });

    const throughNat = (): Promise<RunResult> =>
      lab.host("behind-nat").ssh("echo in", {
        port: 2222,
        options: [`HostName=${gateway.ipv4}`, "HostKeyAlias=behind-nat"],
        check: false,
      });

    test("(several-ports) answers on the named port only", async () => {
      expect(await lab.scanTcp(lab.host("several-ports"), { ports: "22,2222,22022" })).toMatchObject({ open: [2222] });
    });

    test("(behind-nat) accepts SSH from the gateway only", async () => {
      const direct = { options: ["ConnectTimeout=2"], check: false };
      expect((await lab.host("behind-nat").ssh("echo in", direct)).stdout).toBe("");
    });

    test.each(["iptables-1.4.7", "iptables-1.4.21"])(
      "(%s) is given no option that its iptables does not know",
      async (name) => {
        const host = lab.host(name);
        expect((await host.exec("iptables -w 3 -S; iptables-restore -w </dev/null", { check: false })).code).toBe(2);
        await eventually(
          "the guard has looked",
          async () => (await host.exec("sleep 6; cat /var/log/unknown")).code === 0,
        );
        // Only what this test has asked.
        const { stdout } = await host.exec("grep -v '\"-w' /var/log/unknown | cat; grep -c . /var/log/unknown");
        expect(stdout).toBe(name === "iptables-1.4.7" ? "2\n" : "1\n");
      },
    );

    test.each(refusedNames)("(%s) is refused before any change, with the remedy", (name) => {
      const said = saidBy(name, refused.stdout);
      expect(said).toContain(defined(refusals[name]).message);
      expect(said).toMatch(/The host was not changed\.$/);
      expect(refusedTraces.get(name)).toBe("");
      expect(inState[name]).not.toBe("healthy");
    });

    test("(behind-nat) is refused for a source and a port that it does not see, and the message names those that it sees", () => {
      expect(saidBy("wrong-source-behind-nat", refused.stdout)).toContain(
        `You came from ${gateway.ipv4}, which allowFrom does not cover (10.77.0.1 fd77::1): add it`,
      );
      expect(saidBy("wrong-port-behind-nat", refused.stdout)).toContain(
        "No sshd listens on port 2224 here, the only port that would stay open: set sshPort to the port",
      );
    });

    test("(xtables-lock-legacy) is locked once the lock of iptables is free", async () => {
      expect(saidBy("xtables-lock-legacy", retried.stdout)).toMatch(/The host is locked\.$/);
      expect(await statusOf(lab.host("xtables-lock-legacy"))).toMatchObject({ state: "locked", rules: "matches" });
    });

    test("is updated in place, and opened again", async () => {
      const hosts = entries();
      for (const name of Object.keys(hosts)) {
        hosts[name] = { ...defined(hosts[name]), exceptions: [PolicyException.ping()] };
      }
      await deployment.apply({ hosts });
      for (const name of names) {
        expect({ name, ...(await statusOf(lab.host(name))) }).toMatchObject({ name, code: 0, state: "locked" });
      }
      await deployment.destroy();
      for (const name of [...names, "behind-nat"]) {
        expect({ name, left: await traces(lab.host(name)) }).toEqual({ name, left: "" });
      }
    }, 120_000);

    // What a watchdog needs: the session that started it ends, on a terminal, and with it all that belongs to it.
    test.each(["no-setsid", "no-setsid-busybox", "clock-jumps", "read-only-usr"])(
      "(%s) rolls back automatically if its session dies and nobody confirms",
      async (name) => {
        const host = lab.host(name);
        const { script } = lockScript(host, undefined, { CONFIRM_WITHIN: 4, ATTEMPT: `watched-${name}` });
        await host.exec("cat >/var/tmp/lock.sh", { input: script });
        await host.ssh("sh /var/tmp/lock.sh", { options: ["RequestTTY=force"], check: false });
        expect(await statusOf(host)).toMatchObject({ state: "pending", rules: "matches" });
        expect(watchdogs(host)).toHaveLength(1);
        await eventually("it is open again", () => isAtRest(host));
        expect(await ownRules(host)).toBe("");
        expect(await statusOf(host)).toMatchObject({ state: "open", rules: "none" });
        await host.exec(`rm -rf ${STATE}`);
      },
    );
  },
  { needs: "terraform" },
);

describeLab("a kernel without IPv6", () => {
  let lab: Lab;
  beforeAll(async () => {
    // The address family cannot be taken out of a running kernel, so the program is shown another /proc/net.
    const provision = "mkdir /opt/net && ln -s /proc/net/tcp /proc/net/udp /proc/net/ip_tables_names /opt/net/";
    lab = await Lab.create({
      hosts: (["nftables", "iptables-nft", "iptables-legacy"] as const).map((firewall) => ({
        name: firewall,
        firewall,
        provision,
        without:
          firewall === "nftables"
            ? []
            : iptablesCommands
                .filter((command) => command.startsWith("ip6"))
                .concat(newCommands.filter((command) => command.startsWith("ip6"))),
      })),
    });
  });
  afterAll(() => lab?.destroy());

  test.each(["nftables", "iptables-nft", "iptables-legacy"])("needs no ip6tables (%s)", async (name) => {
    const program = await HostProgram.on(lab.host(name));
    const text = hostProgram().replaceAll("/proc/net/", "/opt/net/");
    expect(text).not.toBe(hostProgram());
    const settings = await program.lockForGood({ PROGRAM: text });
    expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    expect(await program.lock(lockSettings({ PROGRAM: text }))).toMatchObject({ code: 0 });
    expect(settings.PROGRAM).toBe(text);
    expect(await program.run("unlock")).toMatchObject({ code: 0 });
    expect(await ownRules(lab.host(name))).toBe("");
  });
});

async function holdXtables(host: Host): Promise<ReturnType<Host["spawn"]>> {
  const holder = host.spawn(["flock", "/run/xtables.lock", "sleep", "600"]);
  await eventually(`the lock is held in ${host.name}`, () => host.processes().includes("sleep 600"));
  return holder;
}

/** Rules of ours, and all in the state folder but the log. */
async function traces(host: Host): Promise<string> {
  const { stdout } = await host.exec(`ls -A ${STATE} 2>/dev/null | grep -v '^log$'`, { check: false });
  return `${stdout}${await ownRules(host)}`;
}

/** A machine that passes ports of its own on to the SSH ports of hosts, which see its address. */
async function natGateway(lab: Lab): Promise<Peer> {
  const gateway = await lab.peer();
  await gateway.exec(
    `echo 1 >/proc/sys/net/ipv4/ip_forward
     nft 'table ip nat {
       chain in {
         type nat hook prerouting priority -100;
         tcp dport 2222 dnat to ${lab.host("behind-nat").ipv4}:22;
         tcp dport { 2223, 2224 } dnat to ${lab.host("refused-behind-nat").ipv4}:22;
       }
       chain out { type nat hook postrouting priority 100; masquerade; }
     }'`,
  );
  return gateway;
}

function natEntry(lab: Lab, gateway: Peer, port: 2222 | 2223 | 2224): HostProps {
  const host = lab.host(port === 2222 ? "behind-nat" : "refused-behind-nat");
  return hostEntry(lab, host, { address: gateway.ipv4, connection: { port } });
}

async function ownRules(host: Host): Promise<string> {
  return (await host.rules())
    .split("\n")
    .filter((line) => /ssh_only|SSH_/i.test(line))
    .join("\n");
}
