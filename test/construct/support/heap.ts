/** What stays in memory of a fleet that was written, in bytes: of as many hosts as each argument says, as JSON. */
import { TerraformStack, Testing } from "cdktf";
import { SshOnlyFirewall } from "../../../lib/index";

const collect = (globalThis as unknown as { gc: () => void }).gc;
const kept: unknown[] = [];

function used(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function heapOf(count: number): number {
  const before = used();
  const hosts = Array.from({ length: count }, (_, index) => [`web-${index}`, `10.0.${index >> 8}.${index & 255}`]);
  const stack = new TerraformStack(Testing.app(), "fleet");
  new SshOnlyFirewall(stack, "firewall", { shards: 64, hosts: Object.fromEntries(hosts) as Record<string, string> });
  kept.push(stack, Testing.synth(stack, true));
  return used() - before;
}

// What is made once, however many hosts there are.
heapOf(1);
process.stdout.write(JSON.stringify(process.argv.slice(2).map((count) => heapOf(Number(count)))));
