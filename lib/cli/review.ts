/** `review`: what a plan does to hosts, for whoever approves it. */
import { readFileSync, readSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { hostProgramVersion, launcher, LAUNCHER_LOCAL } from "../host/program";
import { closest } from "../input/keys";
import { DANGERS, type DangerKind } from "../review/dangers";
import { PlanError } from "../review/json";
import { toMarkdown, verdictOf } from "../review/markdown";
import { readPlan } from "../review/plan";
import { reviewJson, reviewPlan } from "../review/review";
import { CommandError } from "./errors";
import { messages } from "./messages";

interface ReviewOptions {
  readonly json?: boolean;
  readonly failOn: readonly DangerKind[];
  readonly name?: string;
}

const KINDS = Object.keys(DANGERS) as DangerKind[];

const HELP = `
Kinds of danger, for --fail-on:
${KINDS.map((kind) => `  ${kind.padEnd(16)}${DANGERS[kind]}`).join("\n")}

Exit codes:
  0  nothing that --fail-on names is in the plan
  2  something is, and it is listed
  1  the plan could not be read, or the command line could not; nothing was reviewed

Examples:
  $ ssh-only-firewall review plan.json
  $ terraform show -json plan.tfplan | ssh-only-firewall review -
  $ ssh-only-firewall review plan.json --fail-on opened,left-locked,cut-off > comment.md
  $ ssh-only-firewall review plan.json --json --fail-on none | jq .verdict
`;

export function addReview(program: Command): void {
  const command = program
    .command("review")
    .summary("say what a Terraform plan does to hosts, as a comment for its reviewer")
    .description("Reads what terraform show -json prints of a plan, and writes what a reviewer must know, as Markdown.")
    .argument("<PLAN>", "a file, or - for standard input")
    .addOption(
      new Option("--fail-on <KINDS>", "which dangers end it with exit code 2: any, none, or kinds with commas between")
        .default(KINDS, "any")
        .argParser(kindsOf),
    )
    .addOption(
      new Option(
        "--name <NAME>",
        "tells the plans of one pull request apart, in the title and in the hidden marker",
      ).argParser(nameOf),
    )
    .option("--json", "for machines, instead of Markdown")
    .addHelpText("after", HELP)
    .action(review);
  // Exit code 2 is a verdict here, and a gate must not take a mistyped option for one.
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandError(messages.notReviewed(), 1);
  });
}

function review(file: string, { json, failOn, name }: ReviewOptions): void {
  const found = reviewed(file);
  const text =
    json === true
      ? `${JSON.stringify(reviewJson(found, verdictOf(found)), undefined, 2)}\n`
      : toMarkdown(found, { name, knownProgram: hostProgramVersion() });
  process.stdout.write(text);
  const dangers = found.dangers.filter(({ kind }) => failOn.includes(kind));
  if (dangers.length > 0) {
    throw new CommandError(messages.dangerous(dangers.map(({ kind, findings }) => `${kind} (${findings.length})`)), 2);
  }
}

function reviewed(file: string): ReturnType<typeof reviewPlan> {
  const place = file === "-" ? "standard input" : file;
  try {
    const launchers = [launcher(), `\${local.${LAUNCHER_LOCAL}}`];
    return reviewPlan(readPlan(read(file)), { uploads: { launchers, version: hostProgramVersion() } });
  } catch (error) {
    if (error instanceof PlanError) {
      throw new CommandError(`${place}: ${error.message}`, 1);
    }
    throw error;
  }
}

function read(file: string): Uint8Array {
  if (file === "-" && process.stdin.isTTY) {
    throw new CommandError(messages.nothingPiped(), 1);
  }
  try {
    return file === "-" ? standardInput() : readFileSync(file);
  } catch (error) {
    throw new CommandError(messages.cannotRead(file === "-" ? "standard input" : file, (error as Error).message), 1);
  }
}

/** readFileSync(0) fails where the other end does not block and has nothing to say yet. */
function standardInput(): Uint8Array {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(1 << 16);
  for (;;) {
    try {
      const length = readSync(0, chunk);
      if (length === 0) {
        return Buffer.concat(chunks);
      }
      chunks.push(Buffer.from(chunk.subarray(0, length)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") {
        return Buffer.concat(chunks);
      }
      if (code !== "EAGAIN") {
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function kindsOf(value: string): readonly DangerKind[] {
  if (value === "any" || value === "none") {
    return value === "any" ? KINDS : [];
  }
  const kinds = value.split(",").map((kind) => kind.trim());
  const unknown = kinds.find((kind) => !(KINDS as readonly string[]).includes(kind));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(messages.unknownKind(unknown, closest(unknown, KINDS), KINDS));
  }
  return kinds as DangerKind[];
}

/** It stands in an HTML comment. */
function nameOf(value: string): string {
  if (!/^[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*$/.test(value) || value.length > 100) {
    throw new InvalidArgumentError(messages.badName());
  }
  return value;
}
