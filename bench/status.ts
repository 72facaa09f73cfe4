/** How long `status --live` takes for a fleet, beside as many bare ssh logins, as many at a time, in the same run. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "../test/lab/lab";
import { lockScript } from "../test/e2e/support/lock-script";
import { lockByHand } from "./by-hand";
import { medianRatio, timed } from "./measure";
import { atMost, type Part, type Section, shown } from "./part";

const HOSTS = 200;
const CONCURRENCY = 20;
const RUNS = 3;
const CLI = join(__dirname, "../dist/bin/ssh-only-firewall.js");
const RULESET_OF_SCRIPT = /SSH_ONLY_RULESET='([0-9a-f]+)'/;

export const status: Part = {
  name: "status",
  about: `status --live of ${HOSTS} hosts beside as many ssh logins`,
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create();
  try {
    const names = Array.from({ length: HOSTS }, (_, index) => `host-${index}`);
    for (let start = 0; start < HOSTS; start += 20) {
      const added = await lab.addHosts(names.slice(start, start + 20).map((name) => ({ name })));
      await Promise.all(added.map((host) => lockByHand(host)));
    }
    const file = join(lab.makeFolder("status"), "state.json");
    writeFileSync(file, JSON.stringify(stateOf(lab.hosts)));
    const options = ["--live", "--json", "--identity", lab.privateKeyPath, "--concurrency", String(CONCURRENCY)];
    const command = [process.execPath, CLI, "status", file, ...options];
    const bare = `tr ' ' '\\n' | xargs -P ${CONCURRENCY} -I{} ssh {} true`;
    const logins: number[] = [];
    const statuses: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      logins.push(await timed(() => lab.controller.exec(bare, { input: names.join(" "), timeoutSeconds: 600 })));
      statuses.push(await timed(() => lab.controller.exec(command, { timeoutSeconds: 600 })));
    }
    const what = `status --live of ${HOSTS} hosts takes at most 1.5 times as many bare ssh logins`;
    const seconds = (of: readonly number[]): string => of.map(shown).join(", ");
    return {
      title: "status --live",
      demands: [atMost(what, medianRatio(statuses, logins), 1.5, " times")],
      lines: [
        `${HOSTS} locked hosts, ${CONCURRENCY} at a time, in turns: \`status --live\` ${seconds(statuses)} s; \`ssh HOST true\` of`,
        `each ${seconds(logins)} s.`,
      ],
    };
  } finally {
    await lab.destroy();
  }
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
