/** How long `status --live` takes for a fleet, beside as many bare ssh logins, as many at a time, in the same run. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "../test/lab/lab";
import { lockScript } from "../test/lab/lock-script";

const PROGRAM = "/var/lib/ssh-only-firewall/host.sh";
const RULESET_OF_SCRIPT = /SSH_ONLY_RULESET='([0-9a-f]+)'/;

export interface StatusBenchOptions {
  readonly hosts: number;
  readonly concurrency: number;
  readonly runs: number;
}

/** The section of RESULTS.md, as lines. */
export async function benchStatus(
  { hosts, concurrency, runs }: StatusBenchOptions = { hosts: 200, concurrency: 20, runs: 3 },
): Promise<string[]> {
  const lab = await Lab.create();
  try {
    const names = Array.from({ length: hosts }, (_, index) => `host-${index}`);
    for (let start = 0; start < hosts; start += 20) {
      const added = await lab.addHosts(names.slice(start, start + 20).map((name) => ({ name })));
      await Promise.all(added.map(lockByHand));
    }
    const file = join(lab.makeFolder("status"), "state.json");
    writeFileSync(file, JSON.stringify(stateOf(lab.hosts)));
    // As users have it: compiling is no part of the command.
    execFileSync("npm", ["run", "--silent", "build"], { cwd: join(__dirname, ".."), stdio: "ignore" });
    const cli = [join(__dirname, "../dist/bin/ssh-only-firewall.js")];
    const options = ["--live", "--json", "--identity", lab.privateKeyPath, "--concurrency", String(concurrency)];
    const bare = `tr ' ' '\\n' | xargs -P ${concurrency} -I{} ssh {} true`;
    const ratios: number[] = [];
    const seconds: string[] = [];
    for (let run = 0; run < runs; run++) {
      const logins = await timed(() => lab.controller.exec(bare, { input: names.join(" "), timeoutSeconds: 600 }));
      const status = await timed(() =>
        lab.controller.exec([process.execPath, ...cli, "status", file, ...options], { timeoutSeconds: 600 }),
      );
      ratios.push(status / logins);
      seconds.push(`${status.toFixed(1)} s and ${logins.toFixed(1)} s`);
    }
    const ratio = ratios.slice().sort((a, b) => a - b)[Math.floor(runs / 2)] as number;
    return [
      `\`status --live\` of ${hosts} locked hosts, ${concurrency} at a time, takes ${ratio.toFixed(2)} times as long as as many`,
      `\`ssh HOST true\` (median of ${runs}; ${seconds.join(", ")}).`,
      "",
    ];
  } finally {
    await lab.destroy();
  }
}

async function lockByHand(host: Host): Promise<void> {
  const lock = lockScript(host);
  await host.exec("cat >/tmp/lock.sh", { input: lock.script });
  await host.exec(`sh /tmp/lock.sh && sh ${PROGRAM} ${lock.confirm}`);
}

/** As terraform output -json prints it, of one output; that all agree makes the command end with 0. */
function stateOf(hosts: readonly Host[]): unknown {
  return Object.fromEntries(
    hosts.map((host) => {
      const lock = lockScript(host);
      const [, ruleset] = RULESET_OF_SCRIPT.exec(lock.script) ?? [];
      return [host.name, { address: host.ipv4, hold: lock.owner, ruleset_sha256: ruleset }];
    }),
  );
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const begin = process.hrtime.bigint();
  await action();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}
