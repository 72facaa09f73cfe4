/** How long `check` takes for a fleet, beside as many bare ssh logins, as many at a time, in the same run. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Lab } from "../test/lab/lab";
import { medianRatio, timed } from "./measure";
import { atMost, type Part, type Section, shown } from "./part";

const HOSTS = 200;
const CONCURRENCY = 20;
const RUNS = 3;
const CLI = join(__dirname, "../dist/bin/ssh-only-firewall.js");

export const check: Part = {
  name: "check",
  about: `check of ${HOSTS} hosts beside as many ssh logins`,
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create();
  try {
    const names = Array.from({ length: HOSTS }, (_, index) => `host-${index}`);
    for (let start = 0; start < HOSTS; start += 20) {
      await lab.addHosts(names.slice(start, start + 20).map((name) => ({ name })));
    }
    const fleet = join(lab.makeFolder("check"), "fleet.yaml");
    writeFileSync(
      fleet,
      JSON.stringify({
        allowFrom: ["10.77.0.1", "fd77::1"],
        connection: { privateKeyPath: lab.privateKeyPath },
        hosts: Object.fromEntries(lab.hosts.map((host) => [host.name, host.ipv4])),
        // No lab host has an init system.
        persist: false,
      }),
    );
    // That all are ready makes it end with 0.
    const command = [process.execPath, CLI, "check", fleet, "--json", "--concurrency", String(CONCURRENCY)];
    const bare = `tr ' ' '\\n' | xargs -P ${CONCURRENCY} -I{} ssh {} true`;
    const logins: number[] = [];
    const checks: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      logins.push(await timed(() => lab.controller.exec(bare, { input: names.join(" "), timeoutSeconds: 600 })));
      checks.push(await timed(() => lab.controller.exec(command, { timeoutSeconds: 600 })));
    }
    const what = `check of ${HOSTS} hosts takes at most 1.6 times as many bare ssh logins`;
    const seconds = (of: readonly number[]): string => of.map(shown).join(", ");
    return {
      title: "check",
      demands: [atMost(what, medianRatio(checks, logins), 1.6, " times")],
      lines: [
        `${HOSTS} open hosts, ${CONCURRENCY} at a time, in turns: \`check\` ${seconds(checks)} s; \`ssh HOST true\` of each`,
        `${seconds(logins)} s.`,
      ],
    };
  } finally {
    await lab.destroy();
  }
}
