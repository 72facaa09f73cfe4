/**
 * Phrases for which the project has a standard term, or which read as if they were turned around: none may stand in a text, a
 * comment or the name of a test. `npm run lint:words` lists where one does, with what to write.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What to write, by what not to write. */
export const PHRASES: ReadonlyArray<readonly [instead: RegExp, use: string]> = [
  [/\b(go|goes|went|going) back by itself\b/, "commit confirmed; automatic rollback"],
  [/\b(go|goes|went|going|put|puts|putting) back\b(?! in time)/, "roll back; restore the previous ruleset"],
  [/\bto what it was\b/, "restores the previous ruleset"],
  [/\bknock(s|ed|ing)?\b/, "probe (ports from outside)"],
  [/\b(tell|tells|told|telling)\b/, "answer, report, show, distinguish"],
  [/\bsuspects\b/, "conflicting rules (of another firewall)"],
  [/\bstrays\b/, "unrecorded rules"],
  [/\bstand_?beside\b/, "other firewalls; rules in another firewall's tables"],
  [/\bis run by nobody\b/, "no effect unless `detectDrift` is true"],
  [/\bmade of names and values\b/, "a YAML mapping"],
  [/\bport is none\b/, "not a valid port"],
  [/(?<!there )\bis none\b/, "is not one; there is none"],
  [/\bstoppable\b|\bheard\b/, "AbortSignal / `signal`, `onResult`"],
  [/\bin the state exactly while\b/, "in Terraform state if and only if it is locked"],
  [/\bof before\b|\bof ours\b/, "previous; our"],
  [/\bwants? (a|an|the|no|it|all)\b|\basks? for\b/, "requires, depends on"],
  [/\bcorners?\b|\broom by room\b/, "module, directory, helper"],
  [/\bfor else\b|[:;,] else (each|it|they|one|a|the)\b/, "otherwise"],
  [/\bto know (those|that|these),/, "subject, verb, object"],
  [/\bstop to\b|\bwhat passes through\b|\bpackets more came\b|\bwith --live really\b/, "subject, verb, object"],
  [/\btells? more\b|\bsays? so\b/, "show more; report it"],
];

const ROOT = join(__dirname, "..");
const TEXTS = ["lib", "bin", "docs", "examples", "CONTRIBUTING.md", "ARCHITECTURE.md", "README.md"];
const READ = /\.(ts|sh|awk|md|yaml|yml|rego|json)$/;
/** The line with the name of a test, or of a group of tests. */
const TITLE = /^\s*(test|it|describe\w*)\b.*["`]|^\s*"[^"]+",$/;

/** @param line without its place */
export const phrasesIn = (line: string): string[] =>
  PHRASES.flatMap(([instead, use]) => {
    const [found] = new RegExp(instead, "i").exec(line) ?? [];
    return found === undefined ? [] : [`"${found}": write ${use}`];
  });

function filesBelow(path: string): string[] {
  return path.includes(".")
    ? [path]
    : readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && READ.test(entry.name))
        .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

/** Every place of a phrase in the repository. */
export function findings(): string[] {
  const within = (file: string, isRead: (line: string) => boolean): string[] =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (isRead(line) ? phrasesIn(line).map((found) => `${file}:${index + 1}: ${found}`) : []));
  return [
    ...TEXTS.flatMap(filesBelow).flatMap((file) => within(file, () => true)),
    ...filesBelow("test")
      .filter((file) => file.endsWith(".test.ts"))
      .flatMap((file) => within(file, (line) => TITLE.test(line))),
  ];
}

if (require.main === module) {
  const found = findings();
  process.stdout.write(found.map((line) => `${line}\n`).join(""));
  process.exitCode = found.length === 0 ? 0 : 1;
}
