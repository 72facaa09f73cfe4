/** Asks hosts for their keys: as whoever logs in for the first time, but nobody logs in, and nothing is remembered. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastLine, plain } from "../output/text";
import type { Host } from "../state/hosts";
import { DEFAULT_MAX_BYTES, runSsh } from "./process";
import type { ReachSettings, Visit } from "./reach";
import { pinnedKeys, routeTo, unusable } from "./route";
import { Turns } from "./turns";

/** The key of a host, or why there is none. */
export interface FoundKey {
  readonly host: Host;
  /** Type and value: `ssh-ed25519 AAAA…`. */
  readonly key: string | undefined;
  readonly why: string;
}

/** In this order: Terraform and ssh know all of them. */
const ALGORITHMS = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512"];

/** In front of everything else, for ssh takes the first. They are of the host alone: a bastion has to be known, or pinned. */
const first = (file: string, name: string): string[] =>
  [
    "StrictHostKeyChecking=accept-new",
    `UserKnownHostsFile="${file.replace(/%/g, "%%")}"`,
    "GlobalKnownHostsFile=/dev/null",
    `HostKeyAlias=${name}`,
    "HashKnownHosts=no",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "NoHostAuthenticationForLocalhost=no",
    "ControlPath=none",
    "PreferredAuthentications=none",
    `HostKeyAlgorithms=${ALGORITHMS.join(",")}`,
  ].flatMap((option) => ["-o", option]);

export async function askForKeys(
  hosts: readonly Host[],
  settings: ReachSettings,
  { signal, onResult }: Visit<FoundKey>,
): Promise<readonly FoundKey[]> {
  signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), "ssh-only-firewall-pin-"));
  const tidyUp = (): void => rmSync(folder, { recursive: true, force: true });
  signal.addEventListener("abort", tidyUp, { once: true });
  try {
    chmodSync(folder, 0o700);
    const turns = new Turns(settings.concurrency);
    return await Promise.all(
      hosts.map(async (host, index) => {
        const ask = (): Promise<FoundKey> => keyOf(host, settings, join(folder, String(index)), signal);
        const found = await turns.take(host.connection.bastionHost, ask);
        onResult(found);
        return found;
      }),
    );
  } finally {
    signal.removeEventListener("abort", tidyUp);
    tidyUp();
  }
}

async function keyOf(host: Host, settings: ReachSettings, file: string, signal: AbortSignal): Promise<FoundKey> {
  const bad = unusable(host);
  if (bad !== undefined) {
    return { host, key: undefined, why: bad };
  }
  const name = "ssh-only-firewall-pin";
  const connection = Object.fromEntries(Object.entries(host.connection).filter(([property]) => property !== "hostKey"));
  const { args, pins } = routeTo({ ...host, connection }, settings, `${file}-pinned`, name);
  writeFileSync(`${file}-pinned`, pinnedKeys(pins), { mode: 0o600 });
  const { timeoutSeconds } = settings;
  const { stderr, timedOut } = await runSsh([...first(file, name), ...args, "true"], {
    input: "",
    timeoutSeconds,
    maxBytes: DEFAULT_MAX_BYTES,
    signal,
  });
  const written = existsSync(file) ? readFileSync(file, "utf8") : "";
  const key = new RegExp(`^${name} (\\S+ [A-Za-z0-9+/]+=*)\\s*$`, "m").exec(written)?.[1];
  const why = timedOut ? `no answer within ${timeoutSeconds} s` : reasonIn(stderr);
  return { host, key, why: key === undefined ? why : "" };
}

/** What a proxy says comes before the words of the ssh that has lost it. */
function reasonIn(stderr: string): string {
  const isReason = /verification failed|permission denied|refused|timed out|resolve|unreachable|no route/i;
  return plain(stderr.split(/[\r\n]+/).find((line) => isReason.test(line)) ?? lastLine(stderr)) || "ssh gave no reason";
}

/** As ssh-keygen -l prints it. */
export function fingerprintOf(key: string): string {
  const [, value = ""] = key.split(" ");
  const hash = createHash("sha256").update(Buffer.from(value, "base64")).digest("base64");
  return `SHA256:${hash.replace(/=+$/, "")}`;
}
