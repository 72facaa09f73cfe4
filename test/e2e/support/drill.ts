/** What the tests of locks that go wrong share: how to stop one half-way, and what became of the host and the state. */
import * as fs from "node:fs";
import type { ChildProcess } from "node:child_process";
import type { Host, Lab, Place } from "../../lab/lab";
import { type Terraform, terraformProgram } from "../../lab/terraform";
import { type Status, STATE, watchdogs } from "../../program/support/host-program";

export { firewalls, foreignRules, type Status, STATE, watchdogs } from "../../program/support/host-program";

/** What `status --json` says, and with which exit code; a host without the program is open. */
export async function statusOf(host: Host): Promise<Status & { readonly code: number }> {
  const { code, stdout } = await host.exec(
    `[ -f ${STATE}/host.sh ] || { echo '{"state":"open","rules":"none"}'; exit; }; exec sh ${STATE}/host.sh status --json`,
    { check: false },
  );
  return { ...(JSON.parse(stdout) as Status), code };
}

/** A file of the state folder as it is now, without the cost of a process. */
export function stateFile(host: Host, name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${host.initPid}/root${STATE}/${name}`, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

export const isPending = (host: Host): boolean => stateFile(host, "pending") !== undefined;
export const isLoaded = (host: Host): boolean => (stateFile(host, "log") ?? "").endsWith("The host is pending.");

/** Whether the host has come to rest: nothing pending, and no watchdog. */
export const isAtRest = (host: Host): boolean => !isPending(host) && watchdogs(host).length === 0;

/**
 * For a host's `provision`: logins as root wait while a lock is pending, so that no confirm comes in time. They go on
 * once the lock has ended, or /run/hold-logins is removed.
 */
export const holdLogins = `
cat >/usr/local/bin/held-login <<'END'
#!/bin/sh
while [ -e /run/hold-logins ] && [ -s ${STATE}/pending ]; do sleep 0.1; done
exec /bin/sh "$@"
END
chmod 0755 /usr/local/bin/held-login
sed -i 's|^\\(root:.*:\\)[^:]*$|\\1/usr/local/bin/held-login|' /etc/passwd
: >/run/hold-logins
`;

/** A `terraform apply` that can be ended before it is done. */
export class Apply {
  /** @param args of apply, such as `-destroy` */
  public static start(lab: Lab, terraform: Terraform, ...args: readonly string[]): Apply {
    const command = [terraformProgram(), "apply", "-no-color", "-input=false", "-auto-approve", ...args];
    const child = lab.controller.spawn(command, {
      cwd: terraform.folder,
      env: terraform.environment,
      stdio: "ignore",
    });
    return new Apply(child);
  }

  /** Resolves when it is gone, however it ended. */
  public readonly ended: Promise<void>;

  private constructor(private readonly child: ChildProcess) {
    this.ended = new Promise((resolve) => child.once("close", () => resolve()));
  }

  public async kill(): Promise<void> {
    if (!this.signal("SIGKILL")) {
      throw new Error("Terraform had ended before it was to be killed.");
    }
    await this.ended;
  }

  /** False where it has ended already. */
  public signal(signal: NodeJS.Signals): boolean {
    return this.child.kill(signal);
  }
}

/** Of each host whether the state calls it locked; hosts that the state does not know are left out. */
export async function lockdowns(terraform: Terraform): Promise<Record<string, "healthy" | "tainted">> {
  const state = await terraform.showJson<{
    values?: { root_module?: { resources?: ReadonlyArray<{ name: string; index: string; tainted?: boolean }> } };
  }>();
  const resources = state.values?.root_module?.resources ?? [];
  return Object.fromEntries(
    resources
      .filter(({ name }) => name.endsWith("_lockdown"))
      .map(({ index, tainted }) => [index, tainted ? "tainted" : "healthy"]),
  );
}

/** What a host's provisioners printed, out of all that Terraform printed. */
export function saidBy(name: string, stdout: string): string {
  return stdout
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line.includes(`["${name}"] (remote-exec): `))
    .map((line) => line.replace(/^.*? \(remote-exec\): /, ""))
    .join("\n");
}

/**
 * Rules as `Host.rules()` tells them, without tables that have only base chains that let everything pass: iptables
 * makes those when it is first asked for anything, and has no way to remove them.
 */
export function withoutEmptyTables(rules: string): string {
  const acceptingChain = /^\tchain \w+ \{\n\t\ttype \w+ hook \w+ priority [^;]+; policy accept;\n\t\}\n+/gm;
  return rules
    .replace(acceptingChain, "")
    .replace(/^table \S+ \S+ \{\n\}\n/gm, "")
    .replace(/^\*\w+\n(?::\w+ ACCEPT\n)*COMMIT\n/gm, "");
}

/** Knocks at a port of several hosts all the time; any answer counts, also a refusal. */
export class Knocker {
  public static async start(from: Place, hosts: readonly Host[], port: number): Promise<Knocker> {
    const addresses = hosts.flatMap((host) => [host.ipv4, host.ipv6]);
    const child = from.spawn([process.execPath, "-e", KNOCK, String(port), ...addresses]);
    const knocker = new Knocker(child, hosts);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`The knocker ended with ${code}`)));
    });
    return knocker;
  }

  private said = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly hosts: readonly Host[],
  ) {
    child.stdout?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
  }

  /** The names of the hosts that answered. */
  public async stop(): Promise<string[]> {
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin?.end();
    await gone;
    const lines = this.said.split("\n");
    if (!lines.includes("done")) {
      throw new Error("The knocker did not finish.");
    }
    return this.hosts.filter(({ ipv4, ipv6 }) => lines.includes(ipv4) || lines.includes(ipv6)).map(({ name }) => name);
  }
}

const KNOCK = `
const { connect } = require("node:net");
const [port, ...addresses] = process.argv.slice(1);
const timer = setInterval(() => {
  for (const host of addresses) {
    const socket = connect({ host, port: Number(port) });
    const answered = () => { console.log(host); socket.destroy(); };
    socket.on("connect", answered);
    socket.on("error", (error) => error.code === "ECONNREFUSED" ? answered() : socket.destroy());
    setTimeout(() => socket.destroy(), 800).unref();
  }
}, 100);
console.log("ready");
process.stdin.resume();
process.stdin.on("end", () => {
  clearInterval(timer);
  setTimeout(() => console.log("done"), 1000);
});
`;
