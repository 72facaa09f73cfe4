/** Lab hosts that boot a Debian of their own, with systemd, sysvinit or OpenRC: their roots, and groups of tests for them. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { describeUnless } from "../support/describe-unless";
import { findCommand, whyNoLab, whyNoTerraform } from "./prerequisites";

export type InitSystem = "systemd" | "sysvinit" | "openrc";

export interface SystemOptions {
  /** What /sbin/init is. @default "systemd" */
  readonly init?: InitSystem;
  /** Debian packages that it has besides. @default - none */
  readonly packages?: readonly string[];
  /** The release of Debian. @default "bookworm" */
  readonly release?: string;
  /** Who brings its interface up. networkd only with systemd. @default "ifupdown" */
  readonly network?: "ifupdown" | "networkd";
}

/** Outside the repository: they are the same for every checkout, and take minutes to build. */
const cache = "/var/cache/ssh-only-lab";

const initPackages: Record<InitSystem, readonly string[]> = {
  systemd: ["systemd", "systemd-sysv", "libpam-systemd"],
  sysvinit: ["sysvinit-core"],
  openrc: ["openrc", "sysvinit-core"],
};

/** Commands, and the Debian package each comes from. */
const commands: Record<string, string> = {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  dnsmasq: "dnsmasq-base",
  radvd: "radvd",
};
const always = ["debootstrap", "systemd-nspawn"];

/** The folder of the root; the first to ask for it builds it. */
export function systemRoot(options: SystemOptions): string {
  const answer = build(options);
  if (answer.status !== 0) {
    throw new Error(answer.stderr);
  }
  return answer.stdout.trim();
}

/**
 * As jest's `describe`, for tests with hosts that boot such roots, through Terraform. Where they cannot be had, the tests
 * are listed as not run, with the reason; with CI=true that is a failure.
 * @param needs further commands that the tests use
 */
export function describeBooted(
  name: string,
  systems: readonly SystemOptions[],
  tests: () => void,
  needs: ReadonlyArray<"dnsmasq" | "radvd"> = [],
): void {
  const reason = whyNoLab() ?? whyNoTerraform() ?? whyNoSystem(systems, needs);
  describeUnless(reason, name, tests);
}

function whyNoSystem(systems: readonly SystemOptions[], needs: readonly string[]): string | undefined {
  const missing = [...always, ...needs].filter((command) => findCommand(command) === undefined);
  if (missing.length > 0) {
    return `booted hosts need ${missing.join(", ")} (apt-get install ${missing.map((one) => commands[one]).join(" ")})`;
  }
  for (const options of systems) {
    const { status, stderr } = build(options);
    if (status !== 0) {
      return stderr.trim().split("\n").at(-1)?.replace(/\.$/, "");
    }
  }
  return undefined;
}

/** Synchronous, because Jest wants to know at once which tests there are. */
function build(options: SystemOptions): { status: number | null; stdout: string; stderr: string } {
  const packages = [...initPackages[options.init ?? "systemd"], ...(options.packages ?? [])];
  const argv = [path.join(__dirname, "nspawn-root.sh"), cache, options.release ?? "bookworm", ...packages];
  return spawnSync("/bin/sh", argv, { encoding: "utf8" });
}
