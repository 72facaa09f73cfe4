/**
 * The host program itself on a lab host: without SSH and without Terraform, as root, under each shell that it has to run
 * under. Its settings stand in front as in the script that Terraform uploads.
 */
import { createHash } from "node:crypto";
import { defined } from "../../support/required";
import { hostProgram } from "../../../lib/host/program";
import type { PolicyProps } from "../../../lib/policy/policy";
import { renderRulesets } from "../../../lib/ruleset/backends";
import { shellWord } from "../../../lib/output/shell-word";
import type { Host, HostFirewall, HostOptions, RunResult } from "../../lab/lab";
import { policyOf } from "../../ruleset/support/policies";

export const STATE = "/var/lib/ssh-only-firewall";
/** Where the program lies on a host that it has not been installed on. */
const PROGRAM = "/opt/host-program.sh";

export const firewalls: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];

/** The tools that the program calls; those that busybox has stand in front of the machine's own, as on Alpine. */
const TOOLS =
  "awk cat chmod cp date flock grep head id ip mkdir mv rm sed setsid sha256sum sleep sort sync tail timeout tr wc";

export interface Shell {
  readonly name: string;
  readonly options: Partial<HostOptions>;
  /** Under which firewalls the program is looked at: all under one shell, both backends under each. */
  readonly firewalls: readonly HostFirewall[];
}

/** The shells that the program runs under, each as /bin/sh of its hosts. */
export const shells: readonly Shell[] = [
  { name: "dash", options: { shell: "dash" }, firewalls },
  { name: "bash", options: { shell: "bash" }, firewalls: ["nftables", "iptables-nft"] },
  {
    name: "busybox ash with the tools of busybox",
    firewalls: ["nftables", "iptables-legacy"],
    options: {
      shell: "busybox",
      provision: `for tool in ${TOOLS}; do
  if busybox --list | grep -qx $tool; then ln -s /usr/bin/busybox /usr/local/sbin/$tool; fi
done`,
    },
  },
];

/** Rules of somebody else, which are none of our business. */
export const foreignRules: Readonly<Record<HostFirewall, string>> = {
  nftables: `nft -f - <<'END'
table inet other {
  set blocked { type ipv4_addr; elements = { 192.0.2.66, 192.0.2.67 }; }
  chain input { type filter hook input priority 0; policy accept; ip saddr @blocked drop; tcp dport 8081 counter accept; }
}
END`,
  "iptables-nft": iptablesRules("nft"),
  "iptables-legacy": iptablesRules("legacy"),
};

function iptablesRules(variant: string): string {
  return ["iptables", "ip6tables"]
    .map(
      (family) => `${family}-${variant}-restore -w 20 <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:OTHER - [0:0]
-A INPUT -j OTHER
-A INPUT -p tcp --dport 8082 -m recent --name other --set
-A OTHER -p tcp --dport 8081 -j ACCEPT
COMMIT
END`,
    )
    .join("\n");
}

/** A host with rules of somebody else, for each firewall under one shell. */
export function hostsUnder({ options, firewalls }: Shell): HostOptions[] {
  return firewalls.map((firewall) => ({
    name: firewall,
    firewall,
    ...options,
    provision: `${options.provision ?? ""}\n${foreignRules[firewall]}`,
  }));
}

/** Rulesets that let pass who comes to that port. */
export function rulesetsFor(sshPort = 22, own: PolicyProps = {}): Record<string, string> {
  const texts = renderRulesets(policyOf({ sshPort, allowFrom: ["10.77.0.0/24", "fd77::/64"], ...own }), "auto");
  return { NFTABLES: texts.nftables ?? "", IPTABLES: texts.iptables ?? "", IP6TABLES: texts.ip6tables ?? "" };
}

/**
 * At boot: a state folder with a disk of its own, of 1 MiB. It is in memory; but that is a mount which nobody sees, as a lock for good
 * is refused on what is seen to be.
 */
export const SMALL_DISK = `mkdir -p ${STATE} /small; mount -t tmpfs -o size=1m,mode=0700 none /small
mkdir -m 0700 /small/lower /small/upper /small/work
mount -t overlay -o lowerdir=/small/lower,upperdir=/small/upper,workdir=/small/work overlay ${STATE}; umount -l /small`;

/** Settings of `lock`, by their names without SSH_ONLY_; null takes one out. */
export type Settings = Readonly<Record<string, string | null>>;

let attempts = 0;

/** What Terraform would set, for an attempt of its own. The hash is that of the rulesets, unless it is given. */
export function lockSettings(own: Settings = {}): Record<string, string> {
  const all: Record<string, string | null> = {
    HOST: "web-1",
    OWNER: "owner-1",
    ATTEMPT: `attempt-${++attempts}`,
    ...rulesetsFor(),
    PORT: "22",
    ALLOW_FROM: "10.77.0.0/24 fd77::/64",
    EXCEPTIONS: "",
    LOG_DENIED: "",
    BACKEND: "auto",
    CONFIRM_WITHIN: "120",
    SKIP_PREFLIGHT: "false",
    PERSIST: "false",
    TAKE_OVER: "false",
    // As earlier versions had it: no lock is of the same stack as another.
    STACK: "",
    CONSTRUCT: "",
    WORKSPACE: "",
    PROGRAM_VERSION: "0123456789ab",
    PROGRAM: hostProgram(),
    FROM: "10.77.0.1 40000 10.77.0.10 22",
    LOGIN: "root",
    ...own,
  };
  if (!("RULESET" in own)) {
    const text = `${all.NFTABLES}${all.IPTABLES}${all.IP6TABLES}`;
    all.RULESET = createHash("sha256").update(text).digest("hex");
  }
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** A script with those settings in front of a verb. */
export function inputOf(verb: "lock" | "check", settings: Record<string, string>): string {
  const constants = Object.entries(settings).map(([name, value]) => `SSH_ONLY_${name}=${shellWord(value)}`);
  return `${constants.join("\n")}\n{ exec </dev/null; set -- ${verb}; eval "$SSH_ONLY_PROGRAM"; exit; }\n`;
}

/** What `status --json` says. */
export interface Status {
  readonly state: "open" | "pending" | "locked";
  readonly rules: "none" | "matches" | "drifted" | "damaged" | "unrecorded";
  readonly host: string;
  readonly owner: string;
  readonly ruleset: string;
  readonly backend: string;
  readonly port: string;
  readonly lockedAt: string;
  readonly program: string;
  /** The ports of the listeners that can be reached, in decimal. */
  readonly listened: string;
  readonly stack: string;
  readonly construct: string;
  readonly workspace: string;
  readonly from: string;
  readonly bridged: string;
  readonly problem: string;
}

/** The host program on one lab host. */
export class HostProgram {
  /** Lays the program down, without running it. */
  public static async on(host: Host): Promise<HostProgram> {
    await host.exec(`cat >${PROGRAM}`, { input: hostProgram() });
    return new HostProgram(host);
  }

  private constructor(public readonly host: Host) {}

  /** Runs a verb with its words; a failure is a result like any other. */
  public run(...words: readonly string[]): Promise<RunResult> {
    return this.host.exec(["/bin/sh", PROGRAM, ...words], { check: false });
  }

  /** Runs `lock` as the uploaded script does: settings as constants, then the program. `environment` is shell, of the login. */
  public lock(settings: Record<string, string> = lockSettings(), environment = ""): Promise<RunResult> {
    return this.host.exec(["/bin/sh"], { input: `${environment}\n${inputOf("lock", settings)}`, check: false });
  }

  /** Runs `check`, as `ask-check.sh` does. */
  public check(settings: Record<string, string> = lockSettings()): Promise<RunResult> {
    return this.host.exec(["/bin/sh"], { input: inputOf("check", settings), check: false });
  }

  public confirm(settings: Record<string, string>): Promise<RunResult> {
    return this.run("confirm", defined(settings.OWNER), defined(settings.ATTEMPT), defined(settings.RULESET));
  }

  /** Locks and confirms; both have to succeed. */
  public async lockForGood(own: Settings = {}): Promise<Record<string, string>> {
    const settings = lockSettings(own);
    for (const result of [await this.lock(settings), await this.confirm(settings)]) {
      if (result.code !== 0) {
        throw new Error(`exit code ${result.code}\n${result.stdout}${result.stderr}`);
      }
    }
    return settings;
  }

  public async status(): Promise<Status & { readonly code: number }> {
    const { code, stdout } = await this.run("status", "--json");
    return { code, ...(JSON.parse(stdout) as Status) };
  }

  /** A file of the state folder without its last line break; undefined where there is none. */
  public async stateFile(name: string): Promise<string | undefined> {
    const { code, stdout } = await this.host.exec(["cat", `${STATE}/${name}`], { check: false });
    return code === 0 ? stdout.trimEnd() : undefined;
  }

  /** The state folder, rules and init scripts as one text; what is in the log, the notes of sessions and the lock file does not count. */
  public async traces(): Promise<string> {
    const { stdout } = await this.host.exec(
      `find ${STATE} -type f ! -name log ! -path '*/baseline/sessions' -exec sha256sum {} + 2>/dev/null | sort
       find /etc/init.d /etc/systemd /run /tmp /root -xdev -type f ! -path '*/.ssh/*' ! -path '/run/ssh-only-firewall.*' | sort`,
      { check: false },
    );
    return `${stdout}${await this.host.rules()}`;
  }

  /** Files that a verb writes beside another and renames; none may stay. */
  public async temporaryFiles(): Promise<string[]> {
    const { stdout } = await this.host.exec(`find ${STATE} /run /tmp /root /etc -xdev -name '*.tmp' -o -name probe`, {
      check: false,
    });
    return stdout.split("\n").filter((line) => line !== "");
  }

  public watchdogs(): string[] {
    return watchdogs(this.host);
  }

  /** Opens the host, whatever state it is in. */
  public async reset(): Promise<void> {
    await this.host.exec(["/bin/sh", PROGRAM, "unlock"]);
    await this.host.exec(["rm", "-rf", STATE]);
  }
}

/** Command lines of the watchdogs that run on a host. */
export function watchdogs(host: Host): string[] {
  return host.processes().filter((line) => / watchdog \S+ \d+$/.test(line));
}

/** What the guard does every five seconds, three times. */
const LOOKS = hostProgram().replace(
  /\nmain "\$@"\nexit\n*$/,
  "\nset +e\nverb=guard overdue=0 failing=''\nfor look in 1 2 3; do guard_once; done\nexit 0\n",
);

export async function guardLooks(program: HostProgram): Promise<void> {
  await program.host.exec(["/bin/sh"], { input: LOOKS });
}
