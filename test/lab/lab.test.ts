import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { defined, items } from "../support/required";
import { eventually } from "../support/eventually";
import { describeLab } from "./describe-lab";
import { Lab, listenerPorts, machine, type Host } from "./lab";

/** A rule that can be told apart from any other. */
const mark = "lab_test_mark";
const addMark = `nft add table inet ${mark}`;

describeLab("hosts of a lab", () => {
  let lab: Lab;
  let web: Host;
  let ops: Host;

  beforeAll(async () => {
    lab = await Lab.create({
      hosts: [
        { name: "web-1", listeners: true },
        { name: "ops-1", user: "ops" },
        { name: "guest-1", user: "guest", sudo: false },
      ],
    });
    web = lab.host("web-1");
    ops = lab.host("ops-1");
  });
  afterAll(() => lab?.destroy());

  test.each([4, 6] as const)("let root in over IPv%i", async (family) => {
    const { stdout } = await web.ssh('echo "$(id -un) $(hostname) ${SSH_CONNECTION%% *}"', { family });
    expect(stdout).toBe(`root web-1 ${family === 4 ? "10.77.0.1" : "fd77::1"}\n`);
  });

  test.each([4, 6] as const)("let another user in over IPv%i, who may use sudo", async (family) => {
    expect((await ops.ssh("id -un; sudo -n id -un", { family })).stdout).toBe("ops\nroot\n");
  });

  test("refuse sudo to a user made without it", async () => {
    const { code, stderr } = await lab.host("guest-1").ssh("sudo -n id", { check: false });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("a password is required") });
  });

  test("reject a login without the lab's key", async () => {
    const { code, stderr } = await web.ssh("id", { options: ["IdentityFile=none"], user: "nobody", check: false });
    expect({ code, stderr }).toEqual({ code: 255, stderr: expect.stringContaining("Permission denied") });
  });

  test("have host keys that ssh checks", async () => {
    expect(web.hostKey).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+$/);
    const elsewhere = path.join(lab.folder, "tmp", "wrong-known-hosts");
    fs.writeFileSync(elsewhere, `${web.ipv4} ${ops.hostKey}\n`);
    const { code, stderr } = await web.ssh("id", { options: [`UserKnownHostsFile=${elsewhere}`], check: false });
    expect({ code, stderr }).toEqual({ code: 255, stderr: expect.stringContaining("Host key verification failed") });
  });

  test("are known by name to plain ssh in the controller", async () => {
    expect((await lab.controller.exec(["ssh", "ops-1", "id -un"])).stdout).toBe("ops\n");
  });

  test.each(["/etc", "/var/lib", "/run", "/tmp", "/root", "/usr/local/bin"])(
    "have a %s of their own",
    async (folder) => {
      const file = path.join(folder, mark);
      await web.exec(`echo mine >${file}`);
      expect((await ops.exec(`cat ${file}`, { check: false })).code).toBe(1);
      expect(fs.existsSync(file)).toBe(false);
      expect((await lab.controller.exec(`cat ${file}`, { check: false })).code).toBe(1);
      expect((await web.ssh(`cat ${file}`)).stdout).toBe("mine\n");
    },
  );

  test("start without anything that an earlier firewall left on the machine", async () => {
    expect((await web.exec("ls /var/lib/ssh-only-firewall", { check: false })).code).toBe(2);
  });

  test("see neither the machine's disks nor its home folders, and may not change its kernel", async () => {
    expect((await web.exec("ls /dev")).stdout.split("\n")).toEqual(expect.not.arrayContaining(["vda", "sda", "mem"]));
    expect((await web.exec("ls -A /root /home")).stdout).not.toContain(".bashrc");
    const { code, stderr } = await web.exec("echo 1 >/proc/sys/kernel/panic", { check: false });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("Read-only file system") });
  });

  test("have a network stack of their own to set", async () => {
    await web.exec("echo 1 >/proc/sys/net/ipv4/conf/all/log_martians");
    expect((await web.exec("cat /proc/sys/net/ipv4/conf/all/log_martians")).stdout).toBe("1\n");
    expect((await ops.exec("cat /proc/sys/net/ipv4/conf/all/log_martians")).stdout).toBe("0\n");
  });

  test("keep their rules to themselves", async () => {
    await web.exec(addMark);
    expect(await web.rules()).toContain(mark);
    expect(await ops.rules()).toBe("");
    expect((await lab.controller.exec("nft list ruleset")).stdout).toBe("");
    expect((await machine.exec(["nft", "list", "tables"], { env: sbin })).stdout).not.toContain(mark);
    await web.exec(`nft delete table inet ${mark}`);
    expect(await web.rules()).toBe("");
  });

  test("list the same rules whatever packets have passed", async () => {
    await web.exec(`${addMark} '{ chain in { type filter hook input priority 0; counter; }; }'`);
    const before = await web.rules();
    await web.ssh("true");
    expect(await web.rules()).toBe(before);
    await web.exec(`nft delete table inet ${mark}`);
  });

  test("run the commands given over ssh, and no others", async () => {
    expect(web.processes().filter((line) => line.startsWith("sleep"))).toEqual([]);
    const session = web.sshSpawn("exec sleep 1000");
    await eventually("the command runs", () => expect(web.processes()).toContain("sleep 1000"));
    session.kill("SIGKILL");
    await new Promise((resolve) => session.once("exit", resolve));
    await web.exec("pkill -fx 'sleep 1000'");
    await eventually("the command has ended", () => expect(web.processes()).not.toContain("sleep 1000"));
  });

  test("leave no zombies of processes started in the background", async () => {
    await web.ssh("setsid sh -c 'sleep 0.1' >/dev/null 2>&1 </dev/null & exit 0");
    await eventually("the process in the background has ended and was reaped", async () => {
      const { stdout } = await web.exec("cat /proc/[0-9]*/stat");
      expect(stdout.split("\n").filter((line) => / Z /.test(line))).toEqual([]);
      expect(web.processes().filter((line) => line.startsWith("sleep"))).toEqual([]);
    });
  });

  test("have a log of their sshd", () => {
    expect(web.log()).toContain("Accepted publickey for root from 10.77.0.1");
  });

  test.each([4, 6] as const)("answer every TCP port over IPv%i", async (family) => {
    const { open, closed, filteredCount } = await lab.scanTcp(web, { family });
    expect(open).toEqual([22, ...listenerPorts.tcp]);
    expect(closed).toHaveLength(65535 - open.length);
    expect(filteredCount).toBe(0);
  });

  test.each([4, 6] as const)("answer no TCP port over IPv%i that a firewall hides", async (family) => {
    await ops.exec(`${addMark} '{ chain in { type filter hook input priority 0; tcp dport != 22 drop; }; }'`);
    expect(await lab.scanTcp(ops, { family })).toEqual({ open: [22], closed: [], filteredCount: 65534 });
    await ops.exec(`nft delete table inet ${mark}`);
  });

  test.each([4, 6] as const)("answer UDP over IPv%i", async (family) => {
    const scan = await lab.scanUdp(web, { family, ports: "53533-53537" });
    expect(scan).toEqual({ open: [53535], closed: [53533, 53534, 53536, 53537], unanswered: [] });
  });

  test.each([4, 6] as const)("answer a scan over IPv%i as their firewall drops and rejects", async (family) => {
    await ops.exec(`${addMark} '{ chain in { type filter hook input priority 0;
      tcp dport 8000-8009 drop; tcp dport 8010 reject; tcp dport 8011 reject with tcp reset; udp dport 8000 drop; }; }'`);
    const scan = await lab.scanTcp(ops, { family, ports: "22,7999-8012" });
    expect(scan).toEqual({ open: [22], closed: [7999, 8011, 8012], filteredCount: 11 });
    const udp = await lab.scanUdp(ops, { family, ports: "8000,8001" });
    expect(udp).toEqual({ open: [], closed: [8001], unanswered: [8000] });
    await ops.exec(`nft delete table inet ${mark}`);
  });

  test("can be reached by a peer with an address of its own", async () => {
    const peer = await lab.peer();
    expect([await lab.ping(web, 4, peer), await lab.ping(web, 6, peer)]).toEqual([true, true]);
    await web.exec(`${addMark} '{ chain in { type filter hook input priority 0; ip saddr ${peer.ipv4} drop; }; }'`);
    expect([await lab.ping(web, 4, peer), await lab.ping(web, 4)]).toEqual([false, true]);
    const scan = await lab.scanTcp(web, { ports: "22,80", from: peer });
    expect(scan).toEqual({ open: [], closed: [], filteredCount: 2 });
    await web.exec(`nft delete table inet ${mark}`);
  });

  test("forward to a machine behind them, until a firewall forbids it", async () => {
    const behind = await lab.behind(ops);
    const passes = async (): Promise<boolean[]> => [
      await lab.ping(behind, 4),
      await lab.ping(behind, 6),
      await lab.ping(lab.controllerAddresses, 4, behind),
    ];
    expect(await passes()).toEqual([true, true, true]);
    await ops.exec(`${addMark} '{ chain forwarded { type filter hook forward priority 0; policy drop; }; }'`);
    expect(await passes()).toEqual([false, false, false]);
    expect(await lab.ping(ops, 4, behind)).toBe(true);
    await ops.exec(`nft delete table inet ${mark}`);
  });

  test("are unreachable while stopped, and come back with their disk, without /tmp, /run and rules", async () => {
    await ops.exec(`touch /etc/${mark} /tmp/${mark} /run/${mark} && ${addMark}`);
    await ops.stop();
    expect(await lab.ping(ops)).toBe(false);
    expect((await ops.ssh("true", { check: false, options: ["ConnectTimeout=1"] })).code).toBe(255);
    expect(() => ops.processes()).toThrow("lab host ops-1 is stopped");
    await ops.start();
    const { stdout } = await ops.ssh(`ls /etc/${mark} /tmp/${mark} /run/${mark} 2>/dev/null; id -un`, { check: false });
    expect(stdout).toBe(`/etc/${mark}\nops\n`);
    expect(await ops.rules()).toBe("");
  });
});

describeLab("options of a lab host", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({
      hosts: [
        { name: "nft" },
        { name: "ipt-nft", firewall: "iptables-nft", shell: "bash" },
        { name: "ipt-legacy", firewall: "iptables-legacy", shell: "busybox" },
        { name: "ports", sshPort: [2222, 22], noexecTmp: true, without: ["scp", "setsid"] },
        { name: "slow", slowLoginSeconds: 1, chattyLogin: "stderr" },
        { name: "chatty", user: "ops", chattyLogin: "stdout" },
        { name: "made", provision: "echo once >>/etc/provisioned", boot: "echo boot >>/etc/booted" },
      ],
    });
  });
  afterAll(() => lab?.destroy());

  test.each([
    ["nft", "(nf_tables)"],
    ["ipt-nft", "(nf_tables)"],
    ["ipt-legacy", "(legacy)"],
  ])("give %s the iptables of its kind", async (name, kind) => {
    for (const program of ["iptables", "ip6tables", "iptables-save", "iptables-restore", "ip6tables-restore"]) {
      expect((await lab.host(name).exec(`${program} --version`)).stdout).toContain(kind);
    }
  });

  test("remove nft from hosts with iptables", async () => {
    for (const name of ["ipt-nft", "ipt-legacy"]) {
      expect((await lab.host(name).exec("command -v nft", { check: false })).code).not.toBe(0);
    }
    expect((await lab.host("nft").exec("command -v nft")).stdout).toBe("/usr/sbin/nft\n");
  });

  test("let rules of both kinds be read where nft is removed", async () => {
    const rule = "-A INPUT -p tcp --dport 4711 -j DROP";
    for (const name of ["ipt-nft", "ipt-legacy"]) {
      const host = lab.host(name);
      expect(await host.rules()).toBe("");
      await host.exec(`iptables ${rule}; ip6tables ${rule}`);
      expect(await host.rules()).toContain("4711");
    }
    expect(await lab.host("ipt-legacy").rules()).toBe(
      `*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 4711 -j DROP\nCOMMIT\n`.repeat(
        2,
      ),
    );
    expect(await lab.host("nft").rules()).toBe("");
  });

  test.each([
    ["nft", "dash"],
    ["ipt-nft", "bash"],
    ["ipt-legacy", "busybox"],
  ])("give %s the shell %s", async (name, shell) => {
    expect((await lab.host(name).ssh("readlink /proc/$$/exe; true")).stdout).toBe(`/usr/bin/${shell}\n`);
  });

  test("make sshd listen on the given ports", async () => {
    const host = lab.host("ports");
    expect((await lab.scanTcp(host, { ports: "1-3000" })).open).toEqual([22, 2222]);
    expect((await host.ssh('echo "${SSH_CONNECTION##* }"')).stdout).toBe("2222\n");
    expect((await host.ssh('echo "${SSH_CONNECTION##* }"', { port: 22, family: 6 })).stdout).toBe("22\n");
  });

  test("forbid programs in /tmp, and nowhere else", async () => {
    const host = lab.host("ports");
    const run = (file: string): string => `printf '#!/bin/sh\\necho ran\\n' >${file}; chmod 755 ${file}; ${file}`;
    expect((await host.ssh(run("/tmp/x"), { check: false })).code).toBe(126);
    expect((await host.ssh(run("./x"))).stdout).toBe("ran\n");
    expect((await lab.host("nft").ssh(run("/tmp/x"))).stdout).toBe("ran\n");
  });

  test("remove the named commands", async () => {
    for (const command of ["scp", "setsid"]) {
      expect((await lab.host("ports").ssh(`command -v ${command}`, { check: false })).code).not.toBe(0);
      expect((await lab.host("nft").ssh(`command -v ${command}`)).stdout).toBe(`/usr/bin/${command}\n`);
    }
  });

  test("make logins slow, and print on the given stream", async () => {
    const start = Date.now();
    const slow = await lab.host("slow").ssh("echo done");
    expect(Date.now() - start).toBeGreaterThan(1000);
    expect(slow).toMatchObject({ stdout: "done\n", stderr: expect.stringContaining("Welcome to slow.") });
    const chatty = await lab.host("chatty").ssh("echo done");
    expect(chatty).toMatchObject({ stdout: expect.stringMatching(/^Welcome to chatty\.\n.*\ndone\n$/), stderr: "" });
  });

  test("run provision once, and boot at every start", async () => {
    const host = lab.host("made");
    await host.reboot();
    expect((await host.exec("cat /etc/provisioned /etc/booted")).stdout).toBe("once\nboot\nboot\n");
  });

  test("report why a host does not start", async () => {
    const broken = lab.addHosts([{ name: "broken", provision: "echo the disk is on fire >&2; false" }]);
    await expect(broken).rejects.toThrow(/lab host broken did not start: .*\n[^]*the disk is on fire/);
  });
});

describeLab("a lab", () => {
  test("does not see another lab that runs at the same time with the same addresses", async () => {
    const labs = await Promise.all([1, 2].map((n) => Lab.create({ hosts: [{ name: `only-${n}` }] })));
    try {
      const [one, two] = items(labs, 2);
      expect(defined(one.hosts[0]).ipv4).toBe(defined(two.hosts[0]).ipv4);
      const names = await Promise.all(labs.map((lab) => defined(lab.hosts[0]).ssh("hostname")));
      expect(names.map(({ stdout }) => stdout)).toEqual(["only-1\n", "only-2\n"]);
      await defined(one.hosts[0]).exec(addMark);
      expect(await defined(two.hosts[0]).rules()).toBe("");
      await one.destroy();
      expect((await defined(two.hosts[0]).ssh("hostname")).stdout).toBe("only-2\n");
    } finally {
      await Promise.all(labs.map((lab) => lab.destroy()));
    }
  });

  test("is gone after destroy, and can be destroyed twice", async () => {
    const lab = await Lab.create({ hosts: [{ name: "a", listeners: true }] });
    const traces = await tracesOf(lab);
    lab.controller.spawn("sleep 1000", { stdio: "ignore" }).unref();
    expect(processesIn(traces.namespaces)).not.toEqual([]);
    await lab.destroy();
    await lab.destroy();
    expect(processesIn(traces.namespaces)).toEqual([]);
    expect(fs.existsSync(traces.folder)).toBe(false);
    await expect(lab.controller.exec("true")).rejects.toThrow("destroyed");
  });

  test.each(["SIGKILL", "SIGINT"] as const)("leaves nothing behind when its maker ends by %s", async (signal) => {
    const program = `
      const { Lab } = require(${JSON.stringify(path.join(__dirname, "lab.ts"))});
      Lab.create({ hosts: [{ name: "a", listeners: true }, { name: "b" }] }).then(async (lab) => {
        await lab.hosts[0].ssh("setsid sleep 1000 >/dev/null 2>&1 </dev/null &");
        lab.hosts[1].sshSpawn("sleep 1000");
        lab.controller.spawn("setsid sleep 1000");
        (await lab.peer()).place.spawn("sleep 1000");
        const pids = lab.hosts.map((host) => host.initPid);
        console.log(JSON.stringify({ folder: lab.folder, supervisor: Number(lab.enterController()[2]), pids }));
        setInterval(() => {}, 1000);
      });`;
    const maker = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = await new Promise<Buffer>((resolve) => maker.stdout.once("data", resolve));
    const { folder, supervisor, pids } = JSON.parse(said.toString()) as {
      folder: string;
      supervisor: number;
      pids: number[];
    };
    const namespaces = [supervisor, ...pids].flatMap(namespacesOf);
    expect(processesIn(namespaces).length).toBeGreaterThan(10);
    expect(fs.existsSync(folder)).toBe(true);

    const gone = new Promise((resolve) => maker.once("exit", resolve));
    maker.kill(signal);
    await gone;
    await eventually("processes and folder of the lab are gone", () => {
      expect(processesIn(namespaces)).toEqual([]);
      expect(fs.existsSync(folder)).toBe(false);
    });
    expect(fs.readFileSync("/proc/mounts", "utf8")).not.toContain(path.basename(folder));
    const processes = (await machine.exec(["ps", "-eo", "args"])).stdout.split("\n");
    expect(processes.filter((line) => line.includes(path.basename(folder)))).toEqual([]);
  });

  test("removes the folder of a lab whose maker and supervisor were both killed", async () => {
    const left = fs.mkdtempSync(path.join(os.tmpdir(), "ssh-only-lab-left-"));
    // A process number that no process has.
    fs.writeFileSync(path.join(left, "owner"), `${fs.readlinkSync("/proc/self/ns/pid")} 99999999 1`);
    await (await Lab.create()).destroy();
    expect(fs.existsSync(left)).toBe(false);
  });

  test("leaves the machine's own addresses, routes, rules and names as they were", async () => {
    const look = (): Promise<{ stdout: string }> =>
      machine.exec("ip -o link; ip -o addr; ip route; ip -6 route; nft -s list ruleset; hostname; cat /etc/hosts", {
        env: sbin,
      });
    const before = await look();
    const lab = await Lab.create({ hosts: [{ name: "a" }] });
    const during = await look();
    await lab.destroy();
    expect(during.stdout).toBe(before.stdout);
    expect((await look()).stdout).toBe(before.stdout);
  });

  test("kills a command that takes too long, and reports it", async () => {
    const lab = await Lab.create();
    try {
      const result = await lab.controller.exec("sleep 1000 & sleep 1000", { timeoutSeconds: 0.3, check: false });
      expect(result).toMatchObject({ code: 124, stderr: expect.stringContaining("longer than 0.3 s") });
      expect((await lab.controller.exec("ps -eo args")).stdout).not.toContain("sleep 1000");
    } finally {
      await lab.destroy();
    }
  });

  test("throws output and exit code of a command that fails unexpectedly", async () => {
    await expect(machine.exec("echo out; echo err >&2; exit 3")).rejects.toThrow(
      /exit code 3 from: echo out[^]*out\nerr/,
    );
  });
});

const sbin = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

async function tracesOf(lab: Lab): Promise<{ folder: string; namespaces: string[] }> {
  const supervisor = Number(lab.enterController()[2]);
  return {
    folder: lab.folder,
    namespaces: [supervisor, ...lab.hosts.map((host) => host.initPid)].flatMap(namespacesOf),
  };
}

function namespacesOf(pid: number): string[] {
  return ["net", "mnt", "pid"].map((kind) => fs.readlinkSync(`/proc/${pid}/ns/${kind}`));
}

/** Processes of this machine that are in one of the namespaces. */
function processesIn(namespaces: readonly string[]): string[] {
  const isIn = (pid: string): boolean =>
    ["net", "mnt", "pid"].some((kind) => {
      try {
        return namespaces.includes(fs.readlinkSync(`/proc/${pid}/ns/${kind}`));
      } catch {
        return false; // It ended just now.
      }
    });
  return fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isIn(entry));
}
