/**
 * npm run bench: how long the host program takes on a host, beside a plain SSH login to the same host in the same run.
 * Only the ratios mean anything on another machine. Writes bench/RESULTS.md.
 */
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { type Host, type HostFirewall, Lab } from "../test/lab/lab";
import { lockScript } from "../test/lab/lock-script";
import { benchStatus } from "./status";

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
    writeFileSync(join(__dirname, "RESULTS.md"), [report(rows), ...(await benchStatus())].join("\n"));
  } finally {
    await lab.destroy();
  }
}

async function measure(host: Host): Promise<string> {
  const times = { login: [] as number[], lock: [] as number[], confirm: [] as number[], unlock: [] as number[] };
  for (let run = 0; run < RUNS; run++) {
    times.login.push(await timed(() => host.ssh("true").then(() => undefined)));
    const lock = lockScript(host);
    await host.exec("cat >/tmp/lock.sh", { input: lock.script });
    times.lock.push(await timedInside(host, "sh /tmp/lock.sh"));
    const program = "sh /var/lib/ssh-only-firewall/host.sh";
    times.confirm.push(await timedInside(host, `${program} ${lock.confirm}`));
    times.unlock.push(await timedInside(host, `${program} unlock ${lock.owner}`));
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
