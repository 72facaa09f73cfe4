/**
 * npm run bench: what it costs, beside the alternatives, in the same run. Writes bench/RESULTS.md after each part.
 * npm run bench -- PART [PART...] runs only these, and keeps what the file says of the others.
 * Exit code 0: all that must hold does; 2: something does not; 1: not all was measured.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine } from "./measure";
import { exitCodeOf, type Part, type Section } from "./part";
import { PARTS } from "./parts";
import { withSection } from "./results";

const RESULTS = join(__dirname, "RESULTS.md");

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    const known = PARTS.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`);
    process.stderr.write(`There is no part ${unknown.join(", ")}. The parts are:\n${known.join("\n")}\n`);
    return 1;
  }
  const chosen = PARTS.filter((part) => names.length === 0 || names.includes(part.name));
  setUp(chosen);
  const sections: Array<Section | undefined> = [];
  for (const part of chosen) {
    console.log(`${part.name}: ${part.about}`);
    try {
      const section = await part.run();
      const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "";
      const order = PARTS.map(({ name }) => name);
      writeFileSync(RESULTS, withSection(before, machine(), order, part.name, section));
      sections.push(section);
      section.demands.forEach(({ what, measured, holds }) =>
        console.log(`  ${what}: ${measured} (${holds ? "holds" : "does NOT hold"})`),
      );
    } catch (error) {
      console.error(error);
      sections.push(undefined);
    }
  }
  return exitCodeOf(sections);
}

/** The commands that these parts need, and the package as users have it: compiling is no part of what is measured. */
function setUp(parts: readonly Part[]): void {
  const root = join(__dirname, "..");
  const needs = [...new Set(parts.flatMap((part) => part.needs ?? []))];
  for (const command of [
    ["test/lab/setup.sh", ...needs],
    ["npm", "run", "--silent", "build"],
  ] as const) {
    const [program, ...args] = command;
    const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
    if (status !== 0) {
      throw new Error(`${command.join(" ")} failed`);
    }
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
