/**
 * npm run mutate -- [--count 20] [--seed 1] [--tests verbs,killed,again]: deletes one random statement of the host program at a
 * time, in a copy of this folder, and runs tests of the program level under one shell until the first failure. Prints the
 * statements whose loss no test has noticed.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as fc from "fast-check";

const ROOT = join(__dirname, "../..");
const { values: options } = parseArgs({
  options: {
    count: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    tests: { type: "string", default: "verbs,owner,evidence,killed,stranded,again,durable,damaged-program,unlock" },
  },
});

interface Statement {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Lines that are a statement of their own: without them the file is still one that a shell can read. */
function statementsIn(file: string): Statement[] {
  const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
  return lines.flatMap((text, index) => {
    const isBody = /^ {2,}[\w":![{(]/.test(text) && !/[\\{(|&]$|(then|do|else|in)$/.test(text);
    return isBody && isReadable(without(lines, index)) ? [{ file, line: index, text: text.trim() }] : [];
  });
}

const without = (lines: readonly string[], index: number): string => lines.filter((_, at) => at !== index).join("\n");

const isReadable = (text: string): boolean => spawnSync("dash", ["-n"], { input: text }).status === 0;

/** Whether one of the tests fails. */
function isNoticed(folder: string, { file, line }: Statement): boolean {
  const whole = readFileSync(join(ROOT, file), "utf8");
  writeFileSync(join(folder, file), without(whole.split("\n"), line));
  const tests = String(options.tests)
    .split(",")
    .map((name) => `test/program/${name}.test.ts`);
  const jest = ["jest", ...tests, "--selectProjects", "program", "--bail", "--runInBand", "-t", "dash|^(?!.*under )"];
  const { status } = spawnSync("npx", jest, { cwd: folder, stdio: "ignore" });
  writeFileSync(join(folder, file), whole);
  return status !== 0;
}

function main(): void {
  const host = readdirSync(join(ROOT, "lib/host"), { recursive: true, encoding: "utf8" });
  const all = host.filter((name) => name.endsWith(".sh")).flatMap((name) => statementsIn(join("lib/host", name)));
  const chosen = fc.sample(fc.constantFrom(...all), { numRuns: Number(options.count), seed: Number(options.seed) });
  const folder = mkdtempSync(join(tmpdir(), "mutate-"));
  try {
    cpSync(ROOT, folder, { recursive: true, filter: (path) => !/\/(node_modules|\.git|dist|cdktf\.out)$/.test(path) });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const unnoticed = chosen.filter((statement) => {
      const noticed = isNoticed(folder, statement);
      const { file, line, text } = statement;
      process.stdout.write(`${noticed ? "noticed  " : "UNNOTICED"} ${file}:${line + 1}: ${text}\n`);
      return !noticed;
    });
    process.stdout.write(
      `${chosen.length - unnoticed.length} of ${chosen.length} noticed (${all.length} statements)\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main();
