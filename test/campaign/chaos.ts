/**
 * npm run chaos -- [--rounds 20] [--seed 1] [--backend nftables] [--script FILE]: random sequences on a host of the lab
 * (test/program/support/chaos.ts). What breaks an invariant is shrunk, and printed as a script. Exits with 1 then.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { type HostFirewall, Lab } from "../lab/lab";
import { HostProgram } from "../program/support/host-program";
import { type Action, parsed, printed, sequences, Turmoil } from "../program/support/chaos";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    backend: { type: "string", default: "nftables" },
    script: { type: "string" },
  },
});

/** Each sequence has a host of its own, so that none inherits what another has broken. */
async function onNewHost(actions: readonly Action[]): Promise<void> {
  const lab = await Lab.create({
    hosts: [{ name: "host", firewall: options.backend as HostFirewall, listeners: true }],
  });
  try {
    const host = lab.host("host");
    await new Turmoil(host, await HostProgram.on(host), lab.controller).run(actions);
  } finally {
    await lab.destroy();
  }
}

async function main(): Promise<number> {
  if (options.script !== undefined) {
    await onNewHost(parsed(readFileSync(options.script, "utf8")));
    return 0;
  }
  const rounds = Number(options.rounds);
  const property = fc.asyncProperty(sequences, onNewHost);
  const found = await fc.check(property, { numRuns: rounds, seed: Number(options.seed), endOnFailure: false });
  const row = `| ${found.numRuns} | ${options.backend} | ${options.seed} | ${found.failed ? 1 : 0} |\n`;
  appendFileSync(join(__dirname, "CHAOS.md"), row);
  process.stdout.write(`${found.numRuns} sequences, seed ${found.seed}: ${found.failed ? "one broke" : "all right"}\n`);
  if (found.failed && found.counterexample !== null) {
    process.stdout.write(
      `${String(found.errorInstance)}\n\nRepeat it with --script:\n${printed(found.counterexample[0])}\n`,
    );
  }
  return found.failed ? 1 : 0;
}

void main().then((code) => {
  process.exitCode = code;
});
