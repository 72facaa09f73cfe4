/** The command itself, with an `ssh` that is a script; real hosts are asked in test/e2e/report.test.ts. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { reportQuestion } from "../../lib/host/program";
import type { UsageReport } from "../../lib/report/usage-report";
import { shellWord } from "../../lib/output/shell-word";
import { type Ended, emptyFolder, program, ROOT, run } from "./support/run";
import { holdAlone } from "../state/support/holds-alone";
import { filed, PROGRAM, RULESET, type Tracked } from "../state/support/states";
import { DENIED, reportText, SS } from "../report/support/reports";

jest.setTimeout(120_000);

const folder = emptyFolder();
mkdirSync(join(folder, "bin"));
const answer = `ssh-only-firewall-status 0 {"state":"locked","rules":"matches","owner":"OWNER","ruleset":"${RULESET}","program":"${PROGRAM}"}
ssh-only-firewall-said
ssh-only-firewall-report
${reportText({ denied: DENIED })}
ssh-only-firewall-end 0
`;
writeFileSync(join(folder, "answer"), answer);
const now = Math.floor(Date.now() / 1000);
const quiet = reportText({
  host: { now, baseline_at: new Date((now - 40 * 86_400) * 1000).toISOString().replace(/\.\d+/, "") },
  sockets: SS,
  sources: "journal 0 2026-01-01T10:00:00+0200 quiet kernel: Linux\n",
});
writeFileSync(join(folder, "quiet"), answer.replace(/(-report\n)[^]*(?=\n\nssh-only-firewall-end)/, `$1${quiet}`));
writeFileSync(
  join(folder, "bin/ssh"),
  `#!/bin/sh
while [ "$1" != -- ]; do shift; done
cat >'${folder}/question'
case $2 in
  taken*) owner=somebody-else ;;
  *) owner=owner-of-$2 ;;
esac
cat() { sed "s/OWNER/$owner/" "$1"; }
case $2 in
  quiet*) sed "s/OWNER/$owner/" '${folder}/quiet' ;;
  gone*) echo 'No route to host' >&2; exit 255 ;;
  flooded) cat '${folder}/answer' | sed '/^== sockets/q'; yes '${"s".repeat(99)}' | head -n 20000; sed -n '/^== logins/,$p' '${folder}/answer' ;;
  endless) cat '${folder}/answer'; yes ;;
  *) cat '${folder}/answer' ;;
esac
`,
);
chmodSync(join(folder, "bin/ssh"), 0o755);
const env = { PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}` };

function stateOf(...addresses: readonly string[]): string {
  const hosts = addresses.map((address): Tracked => ({ key: address, address, memory: { user: "root" } }));
  return JSON.stringify(filed(hosts, { tracker: "terraform_data" }));
}

function stateFile(...addresses: readonly string[]): string {
  const file = join(emptyFolder(), "terraform.tfstate");
  writeFileSync(file, stateOf(...addresses));
  return file;
}

const report = (...args: readonly string[]): Ended => run(program("ssh-only-firewall", "report", ...args), ROOT, env);

test("0 when all were asked; a table without colours; the question is the same for all", () => {
  const { code, stdout, stderr } = report(stateFile("web-1"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^used +web-1 +web-1 +locked +2026-11-20T08:00:00Z +198\.51\.100\.99 tried udp port 161: 1900 packets/m,
  );
  expect(stdout).not.toContain("\u001b");
  expect(readFileSync(join(folder, "question"), "utf8")).toContain(shellWord(reportQuestion()));
});

test("2 when one could not be asked, with the reason", () => {
  const { code, stdout, stderr } = report(stateFile("gone", "web-1"), "--json");
  expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({
    version: 2,
    asked: 1,
    notAsked: 1,
    hosts: [
      { host: "gone", asked: false, verdict: "unknown", summary: "It could not be asked: No route to host." },
      { host: "web-1" },
    ],
  });
});

test("2 when all that the state has is the hold of a host, which is asked", () => {
  const file = join(emptyFolder(), "terraform.tfstate");
  writeFileSync(file, holdAlone("terraform_data", "filed"));
  const { code, stdout, stderr } = report(file);
  expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
  expect(stdout).toMatch(/^used +web-2 +192\.0\.2\.11 +locked[^]* the state has its hold but no lockdown: /m);
  expect(stdout).toMatch(/\n {4}terraform state rm 'terraform_data\.fleet_hold\["web-2"\]'\n$/);
});

test("1 when none could be asked, and the reasons all the same", () => {
  const { code, stdout, stderr } = report(stateFile("gone-1", "gone-2"));
  expect(code).toBe(1);
  expect(stdout.match(/No route to host/g)).toHaveLength(2);
  expect(stderr).toMatch(/^No host gave a report, .*; the report gives the reasons\.\n$/);
});

test("2 when one has another owner than the state says, in the verdict too", () => {
  const { code, stdout, stderr } = report(stateFile("taken", "web-1"), "--json");
  expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({
    asked: 2,
    disagree: 1,
    hosts: [
      {
        condition: "locked-by-someone-else",
        agrees: false,
        summary: expect.stringMatching(
          /^It does not match the state: it is locked-by-someone-else \(owned by somebody-else\)\. 3 peers were denied, /,
        ),
      },
      { condition: "locked", agrees: true, summary: expect.stringMatching(/^3 peers were denied, /) },
    ],
  });
  for (const form of [[], ["--html"]]) {
    const shown = report(stateFile("taken"), ...form);
    expect(shown.code).toBe(2);
    expect(shown.stdout).toMatch(
      /not match the state[^]*1 not matching the state|1 not matching the state[^]*not match the state/,
    );
  }
});

test("a host may have much to say, but not without end", () => {
  const { code, stdout } = report(stateFile("endless", "flooded"), "--json");
  expect(code).toBe(2);
  const [endless, flooded] = (JSON.parse(stdout) as UsageReport).hosts;
  expect(endless).toMatchObject({ asked: false });
  expect(flooded).toMatchObject({ asked: true, denied: { length: 5 }, baseline: { other: { length: 20_000 } } });
});

test.each([
  [["quiet"], "30d", 0],
  [["quiet"], "41d", 3],
  [["quiet", "gone"], "30d", 3],
  [["quiet", "gone", "web-1"], "30d", 2],
  [["gone"], "30d", 1],
] as const)("--unused-for: %j for %s is exit code %i", (hosts, duration, code) => {
  expect(report(stateFile(...hosts), "--unused-for", duration).code).toBe(code);
});

test("--host asks one host alone; --only shows some; --explain names the rules", () => {
  const file = stateFile("quiet", "web-1");
  const { code, stdout } = report(file, "--host", "quiet", "--explain", "--unused-for", "30d");
  expect({ code, found: /^unused +quiet/m.test(stdout) && !stdout.includes("web-1") }).toEqual({
    code: 0,
    found: true,
  });
  expect(stdout).toContain("What led to the verdict");
  expect(report(file, "--only", "unused").stdout).not.toContain("web-1");
  expect(report(file, "--host", "web-3")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining(`no host "web-3"`),
  });
});

test("works in a pipe, as a page", () => {
  const [command, ...args] = program("ssh-only-firewall", "report", "-", "--html");
  const { status, stdout } = spawnSync(command, args, {
    input: stateOf("web-1"),
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^<!doctype html>[^]*<h2>web-1<\/h2>[^]*<\/html>\n$/);
});

test("prints nothing of the state but names and addresses", () => {
  const state = JSON.parse(stateOf("web-1")) as { outputs: unknown };
  state.outputs = { password: { value: "hunter2", type: "string", sensitive: true } };
  const file = join(emptyFolder(), "terraform.tfstate");
  writeFileSync(file, JSON.stringify(state));
  for (const form of [[], ["--json"], ["--html"]]) {
    const { stdout, stderr } = report(file, ...form);
    expect(stdout + stderr).toContain("web-1");
    expect(stdout + stderr).not.toMatch(/hunter2|owner-of/);
  }
});

test.each([
  [["nowhere"], /^nowhere: ENOENT.*; name a file that you may read, a directory, or - /],
  [["--json", "--html"], /^error: option '--html' cannot be used with option '--json'[^]*Nothing was read\.\n$/],
  [["--timeout", "0"], /^error: .* It must be a whole number from 1 to 3600\./],
  [["--identity", "nowhere"], /^error: .* "nowhere" does not exist; name a file that does\./],
  [["--unused-for", "30"], /^error: .* It must be a number with its unit: 30d, /],
  [["--only", "free"], /^error: .* It must be verdicts, separated by commas: used, unknown, ssh-only, unused\./],
  [["--ignore", "web"], /^error: .* "web" is no address, range or port\./],
  [["--threshold", "ports=1"], /^error: .* with a name of: scan-ports, /],
  [["--live"], /^error: unknown option '--live'/],
])("%j is exit code 1, with the remedy, and nothing on standard output", (args, message) => {
  expect(run(program("ssh-only-firewall", "report", ...args), emptyFolder(), env)).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(message),
  });
});

test("--save writes the report as JSON, and --since shows what has changed since that", () => {
  const kept = join(emptyFolder(), "report.json");
  const first = report(stateFile("web-1"), "--save", kept);
  expect(first.code).toBe(0);
  const saved = JSON.parse(readFileSync(kept, "utf8")) as UsageReport;
  expect(saved.hosts.map(({ host, verdict }) => [host, verdict])).toEqual([["web-1", "used"]]);

  const next = report(stateFile("quiet-1", "web-1"), "--since", kept, "--save", kept, "--format", "markdown");
  expect(next).toMatchObject({ code: 0, stderr: "" });
  expect(next.stdout).toContain(`#### Changes since ${saved.at}\n\n**Unused for 30 days now: 1**\n`);
  expect(JSON.parse(readFileSync(kept, "utf8"))).toMatchObject({
    changes: { since: saved.at, hosts: [{ change: "unused-for-long", host: "quiet-1" }] },
  });

  // A run that reached nobody does not take the place of what is known.
  expect(report(stateFile("gone"), "--save", kept).code).toBe(1);
  expect((JSON.parse(readFileSync(kept, "utf8")) as UsageReport).asked).toBe(2);
});

test.each([
  ["a file that is no report", ["--since", "package.json"], /^package\.json: is not a report; give what/],
  ["a file that is not there", ["--since", "no.json"], /^no\.json: ENOENT.*; give the file that report --json was/],
  [
    "a page, which does not show it",
    ["--since", "no.json", "--html"],
    /^--since is shown by the formats table, .*html/,
  ],
])("--since does not take %s, and asks no host", (_what, args, message) => {
  writeFileSync(join(folder, "question"), "");
  const ended = report(stateFile("web-1"), ...args);
  expect(ended).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
  expect(readFileSync(join(folder, "question"), "utf8")).toBe("");
});
