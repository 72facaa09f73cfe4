/** Whether labs can run on this machine, and if not, why. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Commands a lab uses, and the Debian package each comes from (setup.sh installs them). */
const commands: Record<string, string> = {
  ip: "iproute2",
  nft: "nftables",
  "iptables-legacy": "iptables",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  sshd: "openssh-server",
  sudo: "sudo",
  nmap: "nmap",
  busybox: "busybox",
  unshare: "util-linux",
  nsenter: "util-linux",
};

let answer: { readonly reason: string | undefined } | undefined;

/** Why no lab can run here, as a sentence for people; undefined when it can. */
export function whyNoLab(): string | undefined {
  answer ??= { reason: findReason() };
  return answer.reason;
}

/** Why Terraform cannot run here; undefined when it can. */
export function whyNoTerraform(): string | undefined {
  return findCommand("terraform") === undefined ? "terraform is not installed" : undefined;
}

/** What setup-go.sh builds, by name. */
const BUILT = { tofu: "1.12.6", conftest: "0.71.1" } as const;
export type Built = keyof typeof BUILT;

/** A program that is on the PATH, or that setup-go.sh has built; undefined where it is not. */
export function findBuilt(name: Built): string | undefined {
  const ownCache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache");
  const cache = process.getuid?.() === 0 ? "/var/cache" : ownCache;
  const built = path.join(cache, "ssh-only-lab", `${name}-${BUILT[name]}`, name);
  return findCommand(name) ?? (fs.existsSync(built) ? built : undefined);
}

/** Why no browser can run here; undefined when one can. */
export function whyNoChromium(): string | undefined {
  return findCommand("chromium") === undefined ? "chromium is not installed (apt-get install chromium)" : undefined;
}

export function findCommand(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

function findReason(): string | undefined {
  if (process.platform !== "linux") {
    return "labs need Linux";
  }
  if (process.getuid?.() !== 0) {
    return "labs need root (run the tests as root, for example in a container started with --privileged)";
  }
  const missing = Object.keys(commands).filter((name) => findCommand(name) === undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((name) => commands[name]))];
    return `labs need ${missing.join(", ")} (apt-get install ${packages.join(" ")}, or: npm run setup)`;
  }
  const disk = fs.statSync("/").dev;
  const elsewhere = ["/usr", "/etc", "/var/lib"].filter((folder) => fs.statSync(folder).dev !== disk);
  if (elsewhere.length > 0) {
    return `lab hosts are copies of /, and ${elsewhere.join(", ")} is on another file system`;
  }
  const trial = spawnSync("unshare", ["--mount", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]);
  return trial.status === 0 ? undefined : `root may not make namespaces here: ${String(trial.stderr).trim()}`;
}
