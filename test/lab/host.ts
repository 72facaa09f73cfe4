/** A throw-away host of a lab: its options, its life, and ways to get into it. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { items } from "../support/required";
import { eventually, type WaitOptions } from "../support/eventually";
import { Place, machine, type Command, type RunOptions, type RunResult, type SpawnOptions } from "./run";
import type { Family, Target } from "./scan";
import { systemRoot, type SystemOptions } from "./systemd-root";

/** What the sets of our own table have learnt, which changes with every packet. */
const LEARNT = /(\tset denied_\w+ \{\n(?:\t\t(?!elements)[^\n]*\n)*)\t\telements = \{[^}]*\}\n/g;

export type HostFirewall = "nftables" | "iptables-nft" | "iptables-legacy";

export interface HostOptions {
  /** Host name, and the name by which ssh in the controller knows it. */
  readonly name: string;
  /** Who logs in over ssh. Another user than root is made, with password-less sudo. @default "root" */
  readonly user?: string;
  /** Whether `user` may use sudo. @default true */
  readonly sudo?: boolean;
  /** The tools it has. For the iptables ones there is no `nft`, and `iptables` is of that kind. @default "nftables" */
  readonly firewall?: HostFirewall | undefined;
  /** What /bin/sh is; it is the login shell too. @default "dash" */
  readonly shell?: "dash" | "busybox" | "bash" | undefined;
  /** Nothing in /tmp can be executed. @default false */
  readonly noexecTmp?: boolean;
  /** Port or ports of sshd. `ssh` and Terraform use the first. @default 22 */
  readonly sshPort?: number | readonly number[];
  /** Every login waits this long before its command runs. @default 0 */
  readonly slowLoginSeconds?: number;
  /** Every login prints lines there first, also one that is not interactive. @default - silent */
  readonly chattyLogin?: "stderr" | "stdout";
  /** Start TCP listeners and UDP echoes (see `listenerPorts`). @default false */
  readonly listeners?: boolean;
  /** Names of commands that the host does not have. @default - it has what the machine has */
  readonly without?: readonly string[];
  /** Shell text, run as root once, before sshd starts for the first time. @default - nothing */
  readonly provision?: string | undefined;
  /** Shell text, run as root before every start of sshd: what would be the host's boot. @default - nothing */
  readonly boot?: string;
  /**
   * Boots a Debian of its own with this init system; see systemd-root.ts. `shell`, `noexecTmp` and login options do
   * nothing then, and `provision` runs before the first boot. @default - a copy of this machine, and no init system
   */
  readonly system?: SystemOptions;
}

export interface SshOptions extends RunOptions {
  /** @default 4 */
  readonly family?: Family;
  /** @default - the host's first */
  readonly port?: number | undefined;
  /** Who logs in. @default - the host's user */
  readonly user?: string;
  /** Further options of ssh, each as after `-o`: "ServerAliveInterval=2". */
  readonly options?: readonly string[];
}

/** What hosts with `listeners` listen on besides ssh. */
export const listenerPorts = { tcp: [80, 3306, 8080], udp: [53535] };

/** What a host needs of its lab. */
export interface Site {
  readonly folder: string;
  readonly controller: Place;
  /** The words that take a command into the controller. */
  enterController(): readonly string[];
}

const path_ = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export class Host implements Target {
  public readonly name: string;
  public readonly user: string;
  public readonly firewall: HostFirewall;
  /** The port that Terraform and ssh use. */
  public readonly sshPort: number;
  public readonly sshPorts: readonly number[];
  public readonly ipv4: string;
  public readonly ipv6: string;
  /** What its sshd and its start said. */
  public readonly logPath: string;
  /** As root inside the host, not over ssh: it works however the host's firewall is set. */
  public readonly inside: Place;

  /** Its first process; where it has an init system, what that is. */
  private pid: number | undefined;
  /** The one with which everything in it ends. */
  private firstPid: number | undefined;
  private process: ChildProcess | undefined;

  public constructor(
    private readonly site: Site,
    public readonly options: HostOptions,
    private readonly number: number,
  ) {
    this.name = options.name;
    this.user = options.user ?? "root";
    this.firewall = options.firewall ?? "nftables";
    this.sshPorts = typeof options.sshPort === "object" ? options.sshPort : [options.sshPort ?? 22];
    [this.sshPort] = items(this.sshPorts, 1);
    this.ipv4 = `10.77.0.${number}`;
    this.ipv6 = `fd77::${number}`;
    this.logPath = path.join(site.folder, "logs", this.name);
    this.inside = new Place(
      `host ${this.name}`,
      () => [...nsenter(this.initPid), "--mount", "--uts", "--net", "--pid", "--root", "--wd"],
      () => ({ PATH: path_, HOME: "/root", USER: "root", LANG: "C.UTF-8" }),
    );
  }

  /** "ssh-ed25519 AAAA…", as Terraform's `host_key` wants it. */
  public get hostKey(): string {
    const [type, key] = fs.readFileSync(`${this.keyPath}.pub`, "utf8").split(" ");
    return `${type} ${key}`;
  }

  public get isRunning(): boolean {
    return this.pid !== undefined;
  }

  /** Runs a command as root inside the host, not over ssh. */
  public exec(command: Command, options?: RunOptions): Promise<RunResult> {
    return this.inside.exec(command, options);
  }

  /** As `exec`, but returns at once. */
  public spawn(command: Command, options?: SpawnOptions): ChildProcess {
    return this.inside.spawn(command, options);
  }

  /** Runs a shell command over a fresh ssh login from the controller; the host key is checked. */
  public ssh(command: string, options: SshOptions = {}): Promise<RunResult> {
    return this.site.controller.exec(this.sshCommand(command, options), options);
  }

  /** As `ssh`, but returns at once. Killing the returned process drops the connection as a crash would. */
  public sshSpawn(command: string, options: SshOptions & SpawnOptions = {}): ChildProcess {
    return this.site.controller.spawn(this.sshCommand(command, options), options);
  }

  /**
   * Every rule of every firewall in the host as one text, for comparing byte for byte: without counters, and without what
   * our own sets have learnt.
   * Reading loads nothing: tables of iptables-legacy are read only where the host already has some.
   */
  public async rules(): Promise<string> {
    const legacy = (["ip", "ip6"] as const).filter((kind) => this.read(`net/${kind}_tables_names`).trim() !== "");
    const commands = [
      "nft --stateless list ruleset",
      ...legacy.map((kind) => `${kind}tables-legacy-save | sed -e '/^#/d' -e 's/ \\[[0-9]*:[0-9]*\\]$//'`),
    ];
    const inNetwork = [...nsenter(this.initPid), "--net", "/bin/sh", "-euc", commands.join("\n")];
    const { stdout } = await machine.exec(inNetwork, { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
    return stdout.replace(LEARNT, "$1");
  }

  /** Command lines of the processes inside the host, apart from its first process. */
  public processes(): string[] {
    const inside = path.join("/proc", String(this.initPid), "root", "proc");
    return fs
      .readdirSync(inside)
      .filter((entry) => /^\d+$/.test(entry) && entry !== "1")
      .map((pid) => readIfThere(`${inside}/${pid}/cmdline`).split("\0").join(" ").trim())
      .filter((line) => line !== "" && line !== "sleep infinity");
  }

  public log(): string {
    return readIfThere(this.logPath);
  }

  /** Shuts it down by its own init system. */
  public async shutdown(): Promise<void> {
    const child = this.process;
    if (this.options.system === undefined || child === undefined) {
      throw new Error(`lab host ${this.name} has no init system, or is stopped`);
    }
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    // A host that is told to go down while it still comes up may take minutes.
    await this.untilBooted();
    await this.exec("poweroff", { check: false });
    await gone;
    await this.stop();
  }

  /** Pulls the plug: everything in the host is killed, and its address answers no more. Its disk is kept. */
  public async stop(): Promise<void> {
    const { firstPid: pid, process: child } = this;
    if (pid === undefined || child === undefined) {
      return;
    }
    this.pid = undefined;
    this.firstPid = undefined;
    this.process = undefined;
    // First of all: a network namespace that goes away loses its firewall before its links.
    await this.site.controller.exec(["ip", "link", "del", this.port], { check: false });
    child.ref();
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(pid, "SIGKILL");
      await gone;
    }
  }

  /** Boots the host; /tmp and /run are empty, everything else is as it was. */
  public async start(): Promise<void> {
    if (this.isRunning) {
      return;
    }
    const options = this.options;
    if (!fs.existsSync(this.keyPath)) {
      await machine.exec(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", this.name, "-f", this.keyPath]);
    }
    const firstProcess = path.join(__dirname, "host.sh");
    const unshare = [
      "unshare",
      "--mount",
      "--net",
      "--uts",
      "--pid",
      "--fork",
      "--kill-child",
      "/bin/sh",
      firstProcess,
    ];
    const launch = new Place(
      `start of ${this.name}`,
      () => this.site.enterController(),
      () => ({
        PATH: path_,
        LANG: "C.UTF-8",
        LAB_FOLDER: this.site.folder,
        HOST_NAME: this.name,
        HOST_NUMBER: String(this.number),
        HOST_USER: this.user,
        HOST_SUDO: options.sudo === false ? "no" : "yes",
        HOST_SHELL: options.shell ?? "dash",
        HOST_LOGIN: loginText(options),
        HOST_FIREWALL: this.firewall,
        HOST_WITHOUT: (options.without ?? []).join(" "),
        HOST_TMP: options.noexecTmp ? "noexec" : "exec",
        HOST_SSH_PORTS: this.sshPorts.join(" "),
        HOST_PROVISION: options.provision ?? "",
        HOST_BOOT: options.boot ?? "",
        HOST_SYSTEM: options.system === undefined ? "" : systemRoot(options.system),
        HOST_NETWORK: options.system?.network ?? "ifupdown",
      }),
    );
    const log = fs.openSync(this.logPath, "a");
    const child = launch.spawn(unshare, { stdio: ["ignore", "pipe", log] });
    fs.closeSync(log);
    try {
      const pid = Number(await firstLine(child, "pid "));
      const ended = new AbortController();
      child.once("exit", () => ended.abort(new Error("its first process ended")));
      await eventually("sshd listens", () => this.sshPorts.every((port) => listens(pid, port)), {
        seconds: options.system === undefined ? 60 : 180,
        signal: ended.signal,
      });
      this.pid = options.system === undefined ? pid : onlyChild(onlyChild(pid));
      this.firstPid = pid;
      this.process = child;
      if (options.listeners) {
        await this.startListeners();
      }
    } catch (error) {
      child.kill("SIGKILL");
      throw new Error(`lab host ${this.name} did not start: ${(error as Error).message}\n${this.log()}`, {
        cause: error,
      });
    }
    letGo(child);
  }

  /** Stops and starts it. @param how a power cut, or (with an init system) a clean shutdown */
  public async reboot(how: "power cut" | "clean" = "power cut"): Promise<void> {
    await (how === "clean" ? this.shutdown() : this.stop());
    await this.start();
  }

  /** Waits until systemd has started everything; without systemd there is nothing to ask. */
  public async untilBooted(options?: WaitOptions): Promise<void> {
    const booted = async (): Promise<boolean> => {
      const { stdout } = await this.exec("systemctl is-system-running || :", { check: false });
      return !/^(initializing|starting)/.test(stdout);
    };
    await eventually(`${this.name} has booted`, booted, options);
  }

  private sshCommand(command: string, options: SshOptions): string[] {
    const own = [
      ...(options.family === 6 ? [`HostName=${this.ipv6}`] : []),
      ...(options.port === undefined ? [] : [`Port=${options.port}`]),
      ...(options.user === undefined ? [] : [`User=${options.user}`]),
      ...(options.options ?? []),
    ];
    const config = path.join(this.site.folder, "ssh_config");
    return ["ssh", "-F", config, ...own.flatMap((option) => ["-o", option]), this.name, command];
  }

  /** The listeners are Node programs. They run in the host's network, but see the machine's files: Node is there. */
  private async startListeners(): Promise<void> {
    const { tcp, udp } = listenerPorts;
    const program = path.join(__dirname, "listeners.mjs");
    const ports = [...tcp.map(String), ...udp.map((port) => `${port}/udp`)];
    const place = [...nsenter(this.initPid), "--net", "--pid"];
    const child = machine.spawn([...place, process.execPath, program, ...ports], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await firstLine(child, "ready");
    letGo(child);
  }

  /** Its first process, as this machine counts. */
  public get initPid(): number {
    if (this.pid === undefined) {
      throw new Error(`lab host ${this.name} is stopped`);
    }
    return this.pid;
  }

  private get keyPath(): string {
    return path.join(this.site.folder, "host-keys", this.name);
  }

  /** Name of its port on the controller's bridge. */
  public get port(): string {
    return `h${this.number}`;
  }

  private read(file: string): string {
    return readIfThere(`/proc/${this.initPid}/${file}`);
  }
}

export function nsenter(pid: number): string[] {
  return ["nsenter", "--target", String(pid)];
}

/** Waits for the first line a process prints, which must begin with `prefix`, and returns the rest of it. */
export function firstLine(child: ChildProcess, prefix: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) {
        if (text.startsWith(prefix)) {
          resolve(text.slice(prefix.length, end));
        } else {
          reject(new Error(`it said: ${text.slice(0, end)}`));
        }
      }
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`it ended with ${signal ?? code}`)));
  });
}

/** Lets Node end while the process still runs. */
export function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    (stream as { unref?: () => void } | null)?.unref?.();
  }
}

function loginText(options: HostOptions): string {
  const lines: string[] = [];
  if (options.chattyLogin !== undefined) {
    const to = options.chattyLogin === "stderr" ? ">&2" : "";
    lines.push(`echo "Welcome to ${options.name}." ${to}`, `echo "Unauthorised use is prohibited." ${to}`);
  }
  if (options.slowLoginSeconds) {
    lines.push(`sleep ${options.slowLoginSeconds}`);
  }
  return lines.join("\n");
}

function onlyChild(pid: number): number {
  return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

/**
 * Whether a socket listens on the TCP port in the network namespace of the process. sshd opens its IPv6 socket last, and
 * one that systemd opens takes IPv4 too.
 */
function listens(pid: number, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const onThisPort = (line: string): boolean => {
    const [, address = "", , state] = line.trim().split(/\s+/);
    return address.endsWith(local) && state === "0A";
  };
  return readIfThere(`/proc/${pid}/net/tcp6`).split("\n").some(onThisPort);
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
