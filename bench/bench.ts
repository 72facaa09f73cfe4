/**
 * npm run bench: how long the host program takes on a host, beside a plain SSH login to the same host in the same run.
 * Only the ratios mean anything on another machine. Writes bench/RESULTS.md.
 */
import { createHash, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { hostProgram, hostProgramVersion } from "../lib/host/program";
import { parsePolicy } from "../lib/policy/policy";
import { Problems } from "../lib/policy/problems";
import { renderRulesets } from "../lib/ruleset/rulesets";
import { shellWord } from "../lib/terraform/escape";
import { type Host, type HostFirewall, Lab } from "../test/lab/lab";

const RUNS = 21;
const FIREWALLS: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];

async function main(): Promise<void> {
  const lab = await Lab.create({ hosts: FIREWALLS.map((firewall) => ({ name: firewall, firewall })) });
  try {
    const rows: string[] = [];
    for (const host of lab.hosts) {
      rows.push(await measure(host));
      console.log(rows.at(-1));
    }
    writeFileSync(join(__dirname, "RESULTS.md"), report(rows));
  } finally {
    await lab.destroy();
  }
}

async function measure(host: Host): Promise<string> {
  const times = { login: [] as number[], lock: [] as number[], confirm: [] as number[], unlock: [] as number[] };
  for (let run = 0; run < RUNS; run++) {
    times.login.push(await timed(() => host.ssh("true").then(() => undefined)));
    const attempt = randomUUID();
    const { script, ruleset } = lockScript(host, attempt);
    await host.exec("cat >/tmp/lock.sh", { input: script });
    times.lock.push(await timedInside(host, "sh /tmp/lock.sh"));
    const program = "sh /var/lib/ssh-only-firewall/host.sh";
    times.confirm.push(await timedInside(host, `${program} confirm bench ${attempt} ${ruleset}`));
    times.unlock.push(await timedInside(host, `${program} unlock bench`));
  }
  const login = median(times.login);
  const cell = (milliseconds: number): string => `${milliseconds.toFixed(0)} ms (${(milliseconds / login).toFixed(2)})`;
  const verbs = [times.lock, times.confirm, times.unlock].map((list) => cell(median(list)));
  return `| ${host.name} | ${[`${login.toFixed(0)} ms (1)`, ...verbs].join(" | ")} |`;
}

/** As long as the command takes on the host, without what it takes to get there. */
async function timedInside(host: Host, command: string): Promise<number> {
  const { stdout } = await host.exec(`begin=$(date +%s%N); ${command} >&2; echo $(($(date +%s%N) - begin))`);
  return Number(stdout) / 1e6;
}

async function timed(action: () => Promise<void>): Promise<number> {
  const begin = process.hrtime.bigint();
  await action();
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function lockScript(host: Host, attempt: string): { script: string; ruleset: string } {
  const policy = parsePolicy({ allowFrom: ["10.77.0.0/24", "fd77::/64"] }, new Problems());
  if (policy === undefined) {
    throw new Error("The policy of the benchmark is wrong.");
  }
  const { nftables = "", iptables = "", ip6tables = "" } = renderRulesets(policy, "auto");
  const ruleset = createHash("sha256")
    .update(nftables + iptables + ip6tables)
    .digest("hex");
  const settings = {
    HOST: host.name,
    OWNER: "bench",
    ATTEMPT: attempt,
    RULESET: ruleset,
    NFTABLES: nftables,
    IPTABLES: iptables,
    IP6TABLES: ip6tables,
    PORT: 22,
    ALLOW_FROM: policy.sources.join(" "),
    EXCEPTIONS: "",
    BACKEND: "auto",
    CONFIRM_WITHIN: 120,
    SKIP_PREFLIGHT: false,
    TAKE_OVER: false,
    PROGRAM_VERSION: hostProgramVersion(),
    PROGRAM: hostProgram(),
    FROM: `10.77.0.1 50000 ${host.ipv4} 22`,
    LOGIN: "root",
  };
  const constants = Object.entries(settings).map(([name, value]) => `SSH_ONLY_${name}=${shellWord(String(value))}`);
  return { script: [...constants, "set -- lock", 'eval "$SSH_ONLY_PROGRAM"', ""].join("\n"), ruleset };
}

function report(rows: readonly string[]): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  return [
    "# Benchmark results",
    "",
    `Medians of ${RUNS} runs on lab hosts; in brackets as a multiple of a plain SSH login to the same host. The verbs are`,
    "measured on the host, without SSH.",
    "",
    `Machine: ${machine}, Node ${process.version}.`,
    "",
    "| firewall | `ssh HOST true` | lock | confirm | unlock |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

void main();
