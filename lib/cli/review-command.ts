/** `review`: what a plan does to hosts, for whoever approves it. */
import { dirname, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { PROGRAM_LOCALS } from "../contract/names";
import { hostProgramVersion, launcher } from "../host/program";
import { closest } from "../input/names";
import { readFileOrStandardInput } from "../input/standard-input";
import { shown } from "../output/text";
import { isStack, runTerraform } from "../state/source";
import { DANGERS, type DangerKind } from "../review/dangers";
import { REVIEW_FORMATS } from "../review/formats";
import { readPlan } from "../review/plan";
import { type Review, reviewPlan } from "../review/review";
import { attempt, keptReport, placeOf, readable } from "./documents";
import { CommandError, endWith1OnWrongUsage } from "./errors";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";

interface ReviewOptions extends FormatOptions {
  readonly failOn: readonly DangerKind[];
  readonly name?: string;
  readonly report?: string;
}

const SHOWN_BY = `
Of a plan file, terraform show -json is run, in its directory or else in this one, with the program that the directory
belongs to: terraform, or tofu. TERRAFORM_BINARY_NAME names another one.
`;

const KINDS = Object.keys(DANGERS) as DangerKind[];

const HELP = `${SHOWN_BY}
Kinds of danger, for --fail-on:
${KINDS.map((kind) => `  ${kind.padEnd(16)}${DANGERS[kind].title}`).join("\n")}

Exit codes:
  0  the plan has none of the dangers that --fail-on names
  2  it has at least one, and lists it
  1  the plan could not be read, or the command line is wrong; nothing was reviewed

Examples:
  $ ssh-only-firewall review plan.tfplan
  $ ssh-only-firewall review plan.json
  $ terraform show -json plan.tfplan | ssh-only-firewall review -
  $ ssh-only-firewall review plan.json --fail-on opened,left-locked,cut-off > comment.md
  $ ssh-only-firewall review plan.json --json --fail-on none | jq .verdict
  $ ssh-only-firewall report --json > report.json; ssh-only-firewall review plan.tfplan --report report.json
`;

export function addReview(program: Command): void {
  const command = program
    .command("review")
    .summary("show what a Terraform plan does to hosts, as a comment for its reviewer")
    .description("Read a plan of Terraform or OpenTofu, and show what its reviewer must know.")
    .argument("<PLAN>", "a plan file, what terraform show -json prints of it, or - for that on standard input")
    .addOption(
      new Option(
        "--fail-on <KINDS>",
        "the dangers that end it with exit code 2: any, none, or kinds separated by commas",
      )
        .default(KINDS, "any")
        .argParser(kindsOf),
    )
    .addOption(
      new Option(
        "--name <NAME>",
        "a name to distinguish the plans of one pull request, in the title and in the hidden marker",
      ).argParser(nameOf),
    )
    .option(
      "--report <FILE>",
      "what report --json printed: list hosts as in-use that are closed or given up, and are used or unknown by it",
    );
  addFormatOptions(command, REVIEW_FORMATS).addHelpText("after", HELP).action(review);
  endWith1OnWrongUsage(command, "Nothing was reviewed.");
}

function review(file: string, options: ReviewOptions): void {
  const { failOn, name } = options;
  const found = reviewed(file, options.report);
  const named = name === undefined ? {} : { name };
  const toPrint = { review: found, ...named, knownProgram: hostProgramVersion() };
  process.stdout.write(formatIn(REVIEW_FORMATS, options).print(toPrint));
  const dangers = found.dangers.filter(({ kind }) => failOn.includes(kind));
  if (dangers.length > 0) {
    const kinds = dangers.map(({ kind, findings }) => `${kind} (${findings.length})`);
    throw new CommandError(`Dangerous, and listed: ${kinds.join(", ")}.`, 2);
  }
}

function reviewed(file: string, report: string | undefined): Review {
  if (file === "-" && report === "-") {
    throw new CommandError("Only one of the plan and the report can be read from standard input.", 1);
  }
  const launchers = [launcher(), `\${local.${PROGRAM_LOCALS.launcher}}`];
  const uploads = { launchers, version: hostProgramVersion() };
  const usage = report === undefined ? {} : { usage: keptReport(report) };
  const place = placeOf(file);
  return readable(place, () => reviewPlan(readPlan(read(file, place)), { uploads, ...usage }));
}

function read(file: string, place: string): Uint8Array {
  const content = attempt(place, () => readFileOrStandardInput(file), PLAN_REMEDY);
  if (content === undefined) {
    throw new CommandError(
      "standard input is a terminal; pipe in a plan: terraform show -json PLANFILE | ssh-only-firewall review -",
      1,
    );
  }
  return file !== "-" && isPlanFile(content) ? shownPlan(file) : content;
}

const PLAN_REMEDY = "give the file that terraform show -json was written to, or - for standard input";

/** What only Terraform or OpenTofu can read: a ZIP archive, or a document that OpenTofu has encrypted. */
const isPlanFile = (content: Buffer): boolean =>
  content.subarray(0, 2).toString("latin1") === "PK" ||
  /^\s*\{.*"encrypted_data"/s.test(content.toString("latin1", 0, 4096));

/** Where it was planned: with the plan, or here. */
function shownPlan(file: string): Buffer {
  const folder = dirname(resolve(file));
  return runTerraform(isStack(folder) ? folder : process.cwd(), ["show", "-json", resolve(file)]);
}

function kindsOf(value: string): readonly DangerKind[] {
  if (value === "any" || value === "none") {
    return value === "any" ? KINDS : [];
  }
  const kinds = value.split(",").map((kind) => kind.trim());
  const unknown = kinds.find((kind) => !(KINDS as readonly string[]).includes(kind));
  if (unknown !== undefined) {
    const suggestion = closest(unknown, KINDS);
    const help = suggestion === undefined ? `known: any, none, ${KINDS.join(", ")}.` : `did you mean ${suggestion}?`;
    throw new InvalidArgumentError(`${shown(unknown)} is not a kind of danger; ${help}`);
  }
  return kinds as DangerKind[];
}

/** It stands in an HTML comment. */
function nameOf(value: string): string {
  if (!/^[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*$/.test(value) || value.length > 100) {
    throw new InvalidArgumentError(
      "It must be letters and digits, with single dots, dashes and underscores between them.",
    );
  }
  return value;
}
