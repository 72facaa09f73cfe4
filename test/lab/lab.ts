/**
 * Throw-away hosts on this machine, for the demo and for all tests that need something real.
 *
 * A lab is a network of its own with a controller (where Terraform, ssh and scans run) and hosts (each with
 * its own root, firewall and sshd). All of it lives in private namespaces and goes away with the process
 * that made it, even by SIGKILL, so it cannot touch the machine's own firewall, addresses or sshd, and any
 * number of labs can run at once, all with the same addresses.
 *
 *     const lab = await Lab.create({ hosts: [{ name: "web-1" }, { name: "db-1", firewall: "iptables-legacy" }] });
 *     await lab.host("web-1").ssh("id");
 *     await lab.controller.exec(["terraform", "apply"], { cwd: folder });
 *     await lab.destroy();
 */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { firstLine, Host, letGo, nsenter, type HostOptions, type Site } from "./host";
import { whyNoLab } from "./prerequisites";
import { machine, Place, type Command, type RunOptions, type RunResult } from "./run";
import { scanTcp, scanUdp, type Family, type Target, type TcpScan, type UdpScan } from "./scan";

export { Host, listenerPorts, type HostFirewall, type HostOptions, type SshOptions } from "./host";
export { machine, Place, type Command, type RunOptions, type RunResult, type SpawnOptions } from "./run";
export type { Family, Target, TcpScan, UdpScan } from "./scan";

export interface LabOptions {
  /** They start together. @default - none */
  readonly hosts?: readonly HostOptions[];
}

/** Another address on a network of the lab: a stranger next to the hosts, or a machine behind one. */
export class Peer implements Target {
  constructor(
    public readonly ipv4: string,
    public readonly ipv6: string,
    public readonly place: Place,
  ) {}

  public exec(command: Command, options?: RunOptions): Promise<RunResult> {
    return this.place.exec(command, options);
  }
}

const prefix = "ssh-only-lab-";
const firstNumber = 10;
const lastNumber = 254;

export class Lab implements Site {
  /** Starts a lab and its hosts. */
  public static async create(options: LabOptions = {}): Promise<Lab> {
    const reason = whyNoLab();
    if (reason !== undefined) {
      throw new Error(`The lab cannot run: ${reason}.`);
    }
    const temp = temporaryFolder();
    sweep(temp);
    const lab = new Lab(fs.mkdtempSync(path.join(temp, `${prefix}${process.pid}-`)));
    try {
      await lab.start();
      await lab.addHosts(options.hosts ?? []);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
    return lab;
  }

  public readonly hosts: Host[] = [];
  /** Where Terraform, ssh and scans run: 10.77.0.1 and fd77::1, the gateway of all hosts. */
  public readonly controller: Place;
  public readonly controllerAddresses: Target = { ipv4: "10.77.0.1", ipv6: "fd77::1" };
  /** The key that every host's user can log in with. */
  public readonly privateKeyPath: string;
  /** The hosts' real keys, under their names and addresses. */
  public readonly knownHostsPath: string;
  /** Makes `ssh -F … web-1` work; in the controller it is also what plain `ssh` uses. */
  public readonly sshConfigPath: string;

  private supervisor: ChildProcess | undefined;
  private supervisorPid: number | undefined;
  private nextNumber = firstNumber;
  private readonly endings: (() => void)[] = [];

  private constructor(public readonly folder: string) {
    this.privateKeyPath = path.join(folder, "id_ed25519");
    this.knownHostsPath = path.join(folder, "known_hosts");
    this.sshConfigPath = path.join(folder, "ssh_config");
    this.controller = new Place(
      "controller",
      () => this.enterController(),
      () => this.controllerEnvironment(),
      folder,
    );
  }

  public host(name: string): Host {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) {
      throw new Error(`The lab has no host ${name}; it has ${this.hosts.map((host) => host.name).join(", ")}.`);
    }
    return found;
  }

  /** Starts further hosts. */
  public async addHosts(options: readonly HostOptions[]): Promise<Host[]> {
    const added = options.map((one) => {
      if (this.hosts.some((host) => host.name === one.name)) {
        throw new Error(`The lab has two hosts named ${one.name}.`);
      }
      const host = new Host(this, one, this.takeNumber());
      this.hosts.push(host);
      return host;
    });
    await Promise.all(added.map((host) => host.start()));
    this.writeSshFiles();
    return added;
  }

  /** A folder for a test's own files; it goes away with the lab. */
  public makeFolder(name: string): string {
    return fs.mkdtempSync(path.join(this.folder, "tmp", `${name}-`));
  }

  /** TCP SYN scan. @param options.from where from (default: the controller); ports as nmap takes them */
  public scanTcp(
    target: Target,
    options: { family?: Family; ports?: string; from?: Place | Peer | undefined } = {},
  ): Promise<TcpScan> {
    return scanTcp(this.placeOf(options.from), target, options.family ?? 4, options.ports ?? "1-65535");
  }

  public scanUdp(
    target: Target,
    options: { family?: Family; ports: string; from?: Place | Peer | undefined },
  ): Promise<UdpScan> {
    return scanUdp(this.placeOf(options.from), target, options.family ?? 4, options.ports);
  }

  /** Whether the target answers a ping within a second. */
  public async ping(target: Target, family: Family = 4, from?: Place | Peer): Promise<boolean> {
    const command = [
      "busybox",
      family === 6 ? "ping6" : "ping",
      "-c",
      "1",
      "-W",
      "1",
      family === 6 ? target.ipv6 : target.ipv4,
    ];
    return (await this.placeOf(from).exec(command, { check: false })).code === 0;
  }

  /** Adds a stranger: another address on the hosts' network. */
  public async peer(): Promise<Peer> {
    const number = this.takeNumber();
    const { pid, place } = await this.startPeer(`peer ${number}`);
    const port = `h${number}`;
    await this.controller.exec(
      `ip link add ${port} type veth peer name eth0 address 02:77:00:00:00:${hex(number)} netns ${pid} && ` +
        `ip link set ${port} master br0 up`,
    );
    const peer = new Peer(`10.77.0.${number}`, `fd77::${number}`, place);
    await setUpLink(peer, "eth0", { ipv4: "10.77.0.1", ipv6: "fd77::1" });
    return peer;
  }

  /** Adds a machine behind the host, on a network of its own that only the host forwards to. One a host. */
  public async behind(host: Host): Promise<Peer> {
    const number = this.takeNumber();
    const { pid, place } = await this.startPeer(`behind ${host.name}`);
    const peer = new Peer(`10.78.${number}.2`, `fd78:0:0:${number}::2`, place);
    const gateway = { ipv4: `10.78.${number}.1`, ipv6: `fd78:0:0:${number}::1` };
    const hostPid = await this.pidInController(host.initPid);
    await this.controller.exec(
      `ip link add link0 netns ${hostPid} type veth peer name eth0 netns ${pid} && ` +
        `ip route add 10.78.${number}.0/24 via ${host.ipv4} && ip route add fd78:0:0:${number}::/64 via ${host.ipv6}`,
    );
    await host.exec(
      `ip addr add ${gateway.ipv4}/24 dev link0 && ip addr add ${gateway.ipv6}/64 dev link0 nodad && ip link set link0 up
       echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`,
    );
    await setUpLink(peer, "eth0", gateway);
    return peer;
  }
  /** Does something when the lab is destroyed, before anything else. */
  public onDestroy(ending: () => void): void {
    this.endings.push(ending);
  }

  /** Ends the lab. All that was in it is gone afterwards; a second call does nothing. */
  public async destroy(): Promise<void> {
    this.endings.splice(0).forEach((ending) => ending());
    const supervisor = this.supervisor;
    this.supervisor = undefined;
    this.supervisorPid = undefined;
    if (supervisor !== undefined && supervisor.exitCode === null && supervisor.signalCode === null) {
      supervisor.ref();
      const gone = new Promise((resolve) => supervisor.once("exit", resolve));
      supervisor.stdin?.end();
      await gone;
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** The words that take a command into the controller. */
  public enterController(): readonly string[] {
    if (this.supervisorPid === undefined) {
      throw new Error("The lab is destroyed, or was never started.");
    }
    return [...nsenter(this.supervisorPid), "--mount", "--net", "--pid"];
  }

  private async start(): Promise<void> {
    for (const name of ["outer-proc", "root", "disks", "host-keys", "logs", "home", "tmp"]) {
      fs.mkdirSync(path.join(this.folder, name));
    }
    fs.writeFileSync(path.join(this.folder, ownerFile), owner(process.pid));
    this.writeSshFiles();
    await machine.exec(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", this.privateKeyPath]);

    const errors: Buffer[] = [];
    const supervisor = machine.spawn(["/bin/sh", path.join(__dirname, "supervisor.sh"), this.folder], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    supervisor.stderr?.on("data", (chunk: Buffer) => errors.push(chunk));
    supervisor.stdin?.on("error", () => undefined);
    this.supervisor = supervisor;
    try {
      this.supervisorPid = Number(await firstLine(supervisor, "ready "));
    } catch (error) {
      const said = Buffer.concat(errors).toString();
      throw new Error(`The lab could not be set up: ${(error as Error).message}\n${said}`, { cause: error });
    }
    letGo(supervisor);
  }

  private async startPeer(description: string): Promise<{ pid: number; place: Place }> {
    const unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const sayPid = `read -r pid _ <"${this.folder}/outer-proc/self/stat"; echo "pid $pid"; exec sleep infinity`;
    const child = this.controller.spawn([...unshare, "/bin/sh", "-c", sayPid], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const outerPid = Number(await firstLine(child, "pid "));
    letGo(child);
    const place = new Place(
      description,
      () => [...nsenter(outerPid), "--mount", "--net", "--pid"],
      () => this.controllerEnvironment(),
      this.folder,
    );
    return { pid: this.pidInController(outerPid), place };
  }

  /** The process id, as this machine counts, as the controller counts it. */
  private pidInController(pid: number): number {
    const [, ids = ""] = /^NSpid:\s*(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(ids.split(/\s+/)[1]);
  }

  /** Without what would let the machine's own settings into a test. */
  private controllerEnvironment(): Record<string, string> {
    const own = Object.entries(process.env).filter(([name]) => !/^(TF_|SSH_|SUDO_|XDG_)/.test(name));
    return {
      ...Object.fromEntries(own),
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      HOME: path.join(this.folder, "home"),
      TMPDIR: path.join(this.folder, "tmp"),
    };
  }

  /** Files that the supervisor has bound to places of their own: they are changed, never replaced. */
  private writeSshFiles(): void {
    const port = (address: string, number: number): string => (number === 22 ? address : `[${address}]:${number}`);
    const started = this.hosts.filter((host) => host.isRunning);
    const known = started.flatMap((host) =>
      host.sshPorts.map((number) => {
        const names = [host.name, host.ipv4, host.ipv6].map((name) => port(name, number));
        return `${names.join(",")} ${host.hostKey}`;
      }),
    );
    const blocks = this.hosts.map(
      (host) => `Host ${host.name}\n  HostName ${host.ipv4}\n  Port ${host.sshPort}\n  User ${host.user}\n`,
    );
    const common = [
      "Host *",
      `IdentityFile ${this.privateKeyPath}`,
      "IdentitiesOnly yes",
      "IdentityAgent none",
      `UserKnownHostsFile ${this.knownHostsPath}`,
      "GlobalKnownHostsFile /dev/null",
      "StrictHostKeyChecking yes",
      "BatchMode yes",
      "ConnectTimeout 5",
      // The default key exchange takes as long as the rest of a login.
      "KexAlgorithms curve25519-sha256",
    ];
    const hosts = this.hosts.map((host) => `${host.ipv4} ${host.name}\n${host.ipv6} ${host.name}\n`);
    fs.writeFileSync(this.knownHostsPath, known.map((line) => `${line}\n`).join(""));
    fs.writeFileSync(this.sshConfigPath, `${blocks.join("")}${common.join("\n  ")}\n`);
    fs.writeFileSync(path.join(this.folder, "hosts"), `127.0.0.1 localhost\n::1 localhost\n${hosts.join("")}`);
  }

  private placeOf(from: Place | Peer | undefined): Place {
    return from === undefined ? this.controller : from instanceof Peer ? from.place : from;
  }

  private takeNumber(): number {
    if (this.nextNumber > lastNumber) {
      throw new Error(`A lab has room for ${lastNumber - firstNumber + 1} hosts and peers.`);
    }
    return this.nextNumber++;
  }
}

async function setUpLink(peer: Peer, link: string, gateway: Target): Promise<void> {
  await peer.exec(
    `echo 0 >/proc/sys/net/ipv6/conf/${link}/accept_dad
     ip addr add ${peer.ipv4}/24 dev ${link} && ip addr add ${peer.ipv6}/64 dev ${link} nodad &&
     ip link set lo up && ip link set ${link} up &&
     ip route add default via ${gateway.ipv4} && ip route add default via ${gateway.ipv6}`,
  );
}

function hex(number: number): string {
  return number.toString(16).padStart(2, "0");
}

/** Under /run a lab would cover its own folder. */
function temporaryFolder(): string {
  const folder = fs.realpathSync(os.tmpdir());
  return folder.startsWith("/run/") ? "/tmp" : folder;
}

const ownerFile = "owner";

/** Names a process so that another process with the same number, later or in another container, is told apart. */
function owner(pid: number): string {
  const started = fs
    .readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")[19];
  return `${fs.readlinkSync("/proc/self/ns/pid")} ${pid} ${started}`;
}

/** Removes what labs left behind whose supervisor was killed too, so that nobody tidied up. */
function sweep(temp: string): void {
  for (const name of fs.readdirSync(temp).filter((entry) => entry.startsWith(prefix))) {
    const folder = path.join(temp, name);
    try {
      const [namespace, pid] = fs.readFileSync(path.join(folder, ownerFile), "utf8").split(" ");
      if (namespace === fs.readlinkSync("/proc/self/ns/pid") && !isOwner(folder, Number(pid))) {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    } catch {
      // Another process is making or removing it just now.
    }
  }
}

function isOwner(folder: string, pid: number): boolean {
  try {
    return owner(pid) === fs.readFileSync(path.join(folder, ownerFile), "utf8");
  } catch {
    return false;
  }
}
