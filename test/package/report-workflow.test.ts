/** The examples that ask every week whether hosts are used: what they keep, when they open an issue, and what they take for no report. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { emptyFolder, program, ROOT } from "../cli/support/run";
import { DENIED, reportText } from "../report/support/reports";
import { filed, PROGRAM, RULESET } from "../state/support/states";
import { runStep } from "./support/run-step";

jest.setTimeout(120_000);

interface Step {
  readonly name?: string;
  readonly run?: string;
}
interface Gitlab {
  readonly [job: string]: {
    readonly script: string[];
    readonly rules: ReadonlyArray<Readonly<Record<string, string>>>;
  };
}
const read = <T>(file: string): T => parse(readFileSync(join(ROOT, "examples", file), "utf8")) as T;
const { steps } = read<{ jobs: { report: { steps: Step[] } } }>("report.yml").jobs.report;
const step = (name: string): string => steps.find((one) => one.name === name)?.run ?? "exit 99";
const gitlab = read<Gitlab>("gitlab.yml");

const answer = `ssh-only-firewall-status 0 {"state":"locked","rules":"matches","owner":"owner-of-web-1","ruleset":"${RULESET}","program":"${PROGRAM}"}
ssh-only-firewall-said
ssh-only-firewall-report
${reportText({ denied: DENIED })}
ssh-only-firewall-end 0
`;
const command = program("ssh-only-firewall").map((word) => `'${word}'`);

/** With a host that answers, or does not. */
const programs = (ssh = `cat <<'END'\n${answer}END`): Record<string, string> => ({
  ssh: `cat > question\n${ssh}`,
  npx: `[ "$1 $2 $3" = "--no -- ssh-only-firewall" ] || exit 0\nshift 3; ${command.join(" ")} "$@"`,
  gh: `printf '%s\\n' "$*" >> calls`,
  curl: `printf '%s\\n' "$*" >> calls`,
  npm: "true",
  terraform: "true",
  "ssh-agent": "true",
  "ssh-add": "cat > /dev/null",
});

const WAYS = [
  {
    name: "GitHub",
    script: `${step("report")}\n${step("issue")}\ncp report.json previous/report.json`,
    kept: "previous/report.json",
    call: "issue create --repo a/b --title Use of old servers: 1 changes --body-file report.md\n",
  },
  {
    name: "GitLab",
    script: gitlab.report?.script.join("\n") ?? "exit 99",
    kept: "previous.json",
    call: "--data-urlencode title=Use of old servers: 1 changes --data-urlencode description@report.md api/projects/7/issues\n",
  },
];

describe.each(WAYS)("of $name, the weekly report", ({ script, kept, call }) => {
  const folder = emptyFolder();
  const state = join(folder, "terraform.tfstate");
  mkdirSync(join(folder, "previous"));
  writeFileSync(
    state,
    JSON.stringify(
      filed([{ key: "web-1", address: "web-1", memory: { user: "root" } }], { tracker: "terraform_data" }),
    ),
  );
  const env = { STACK: state, SSH_KEY: "x", REPORT_TOKEN: "y", CI_API_V4_URL: "api", CI_PROJECT_ID: "7" };
  const run = (ssh?: string) => runStep(script, programs(ssh), env, folder);

  test("opens an issue when all is news, none when nothing has changed, and keeps what was known where nobody answers", () => {
    writeFileSync(join(folder, kept), '{"version":2,"verdicts":{},"hosts":[]}');
    const first = run();
    expect([first.status, first.read("calls").endsWith(call)]).toEqual([0, true]);
    expect(first.read("report.md")).toContain("**Used now: 1**");
    const known = first.read(kept);

    writeFileSync(join(folder, "calls"), "");
    const second = run();
    expect([second.status, second.read("calls")]).toEqual([0, ""]);
    expect(second.read("report.md")).toMatch(/#### Changes since 2.*\n\nNone\.\n/);
    expect(second.read(kept)).not.toBe(known);

    const third = run("echo no route >&2; exit 255");
    expect([third.status, third.read("calls"), third.read(kept)]).toEqual([1, "", second.read(kept)]);
  });
});

test.each([
  ["the last run that succeeded", "1234", "mkdir -p previous; echo old > previous/report.json", "old\n"],
  ["nothing, where there was none", "", "exit 1", '{"version":2,"verdicts":{},"hosts":[]}\n'],
  ["nothing, where it has expired", "1234", "exit 1", '{"version":2,"verdicts":{},"hosts":[]}\n'],
])("of GitHub, it is compared with %s", (_what, run, download, expected) => {
  const gh = `case "$1 $2" in "run list") echo '${run}' ;; "run download") [ "$3" = 1234 ] && { ${download}; } ;; esac`;
  const { status, read } = runStep(step("previous"), { gh }, { GITHUB_WORKFLOW: "old-servers-report" });
  expect([status, read("previous/report.json")]).toEqual([0, expected]);
});

test("of GitLab, a schedule reports, and neither plans nor applies", () => {
  const schedule = '$CI_PIPELINE_SOURCE == "schedule"';
  expect(gitlab.report?.rules).toEqual([{ if: schedule }]);
  expect(gitlab.plan?.rules).toEqual([{ if: schedule.replace("==", "!=") }]);
  expect(gitlab.apply?.rules[0]).toEqual({ if: schedule, when: "never" });
});
