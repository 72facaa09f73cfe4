import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostProgramVersion } from "../../lib/host/program";
import { bytesOf, change, planOf, PROGRAM } from "../review/support/plans";
import { type Ended, emptyFolder, program, run } from "./support/run";

const folder = emptyFolder();
const review = (...args: string[]): Ended => run(program("ssh-only-firewall", "review", ...args), folder);
const write = (name: string, plan: unknown, version = hostProgramVersion()): void =>
  writeFileSync(join(folder, name), bytesOf(plan).toString().replaceAll(PROGRAM, version));

write("safe.json", planOf([{ key: "web-1" }]));
write("older.json", planOf([{ key: "web-1" }]), "ba9876543210");
write("unpinned.json", planOf([{ key: "web-1", hostKey: "", after: ["0.0.0.0/0"] }]));
write("other.json", {
  format_version: "1.0",
  complete: true,
  resource_changes: [change("x", "y", ["create"], null, {})],
});
const REPORTED = { host: "web-1", firewall: "fleet", address: "192.0.2.10", verdict: "used", reasons: ["a client"] };
write("report.json", { version: 2, at: new Date().toISOString(), verdicts: {}, hosts: [REPORTED] });
write("state.json", { format_version: "1.0", values: {} });

describe("review", () => {
  test("writes Markdown of a plan, and ends with 0 where nothing is dangerous", () => {
    const ended = review("safe.json");
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(
      /^<!-- ssh-only-firewall:review -->\n\n### SSH-only firewall\n\n\*\*Nothing dangerous\. /,
    );
    expect(ended.stdout).toContain(", the one of this version");
    // eslint-disable-next-line no-control-regex
    expect(ended.stdout).not.toMatch(/\u001b/);
  });

  test.each([
    ["a plan file", "PK\u0003\u0004"],
    ["an encrypted one", '{"meta":{},"encrypted_data":"x"}'],
  ])("has %s shown where it was planned, by the program that is named", (_, content) => {
    const stack = join(folder, "stack");
    mkdirSync(join(stack, ".terraform"), { recursive: true });
    writeFileSync(join(stack, "plan.tfplan"), content);
    const tofu = join(folder, "my-tofu");
    writeFileSync(tofu, `#!/bin/sh\necho "$@" >'${folder}/args'; cat '${folder}/safe.json'\n`, { mode: 0o755 });
    const reviewing = program("ssh-only-firewall", "review", "stack/plan.tfplan");
    expect(run(reviewing, folder, { TERRAFORM_BINARY_NAME: tofu })).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(folder, "args"), "utf8")).toBe(
      `-chdir=${stack} show -json ${stack}/plan.tfplan -no-color\n`,
    );

    writeFileSync(tofu, "#!/bin/sh\necho 'Error: no' >&2; exit 1\n");
    expect(run(reviewing, folder, { TERRAFORM_BINARY_NAME: tofu })).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/my-tofu show -json .* failed: Error: no; run .*my-tofu init there/),
    });
  });

  test("ends with 2 where another host program is uploaded than that of this version", () => {
    const ended = review("older.json");
    expect(ended).toMatchObject({ code: 2, stderr: "Dangerous, and listed: unclear (1).\n" });
    expect(ended.stdout).toContain("`ba9876543210`, **not** the one of this version");
  });

  test("ends with 2 where something is, and reports in a log what", () => {
    const ended = review("unpinned.json");
    expect(ended).toMatchObject({ code: 2, stderr: "Dangerous, and listed: open-to-world (1), host-key (1).\n" });
    expect(ended.stdout).toContain("#### Hosts with a port that is open to the world: 1");
  });

  test.each([
    ["none", 0],
    ["any", 2],
    ["host-key", 2],
    ["opened,cut-off", 0],
    ["opened,open-to-world", 2],
    [" host-key , opened", 2],
  ])("with --fail-on %s ends with %d, and lists all the same", (kinds, code) => {
    const ended = review("unpinned.json", "--fail-on", kinds);
    expect(ended.code).toBe(code);
    expect(ended.stdout).toBe(review("unpinned.json").stdout);
  });

  test.each([
    ["a reader of standard error that is gone", "2> >(exec true)", 2, ""],
    [
      "a reader of standard output that is gone",
      "> >(exec true)",
      2,
      "Dangerous, and listed: open-to-world (1), host-key (1).\n",
    ],
    ["no room for standard error", "2> /dev/full", 2, ""],
    [
      "no room for standard output",
      "> /dev/full",
      1,
      /^standard output: ENOSPC.*\n(Dangerous.*\n)?$|^Dangerous.*\nstandard output: ENOSPC.*\n$/,
    ],
  ])("with %s ends as it would, or says in one line that it cannot be written", (_what, to, code, stderr) => {
    const command = program("ssh-only-firewall", "review", "unpinned.json").map((word) => `'${word}'`);
    // The reader has ended before anything is written: Node takes longer to start.
    const ended = run(["bash", "-c", `${command.join(" ")} ${to}`], folder);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(stderr === "" ? /^$/ : stderr);
  });

  test("reads a pipe, writes into one, and names the plan", () => {
    const command = program("ssh-only-firewall", "review", "-", "--name", "prod.eu")
      .map((word) => `'${word}'`)
      .join(" ");
    const script = `set -o pipefail; (sleep 0.2; cat safe.json) | ${command} | head -n 3`;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "<!-- ssh-only-firewall:review:prod.eu -->\n\n### SSH-only firewall: `prod.eu`\n",
      stderr: "",
    });
  });

  test("with --json gives machines the same", () => {
    const ended = review("unpinned.json", "--json");
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      version: 1,
      dangerous: true,
      dangers: [
        { kind: "open-to-world", findings: [{ host: "web-1", detail: "TCP port 22 from anywhere (IPv4)" }] },
        { kind: "host-key", findings: [{ host: "web-1" }] },
      ],
      hosts: [
        { name: "web-1", key: "web-1", outcome: "first", locks: true, address: "192.0.2.10", addressBefore: null },
      ],
      rulesetChanges: [
        { hosts: ["web-1"], diff: expect.stringMatching(/^--- \/dev\/null\n\+\+\+ nftables\n@@ -0,0 /) },
      ],
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      lockedAfter: 1,
      otherResources: {},
    });
  });

  test("with --report ends with 2 where a host is used that is closed, and names its use", () => {
    const ended = review("safe.json", "--report", "report.json");
    expect(ended).toMatchObject({ code: 2, stderr: "Dangerous, and listed: in-use (1).\n" });
    expect(ended.stdout).toContain("| `web-1` | It is closed now; used: `a client` |");
    expect(review("safe.json", "--report", "report.json", "--format", "github").stdout).toMatch(
      /^::error title=[^\n]*in-use::.*web-1: it is closed now; used: a client\n/m,
    );
  });

  test("of a plan without hosts of a firewall reports that", () => {
    const { code, stdout } = review("other.json");
    expect(code).toBe(0);
    expect(stdout).toContain("**Nothing to do. No host is in this plan.**");
    expect(stdout).toContain("1 other resource is changed by this plan and not described here: 1 `create`.");
  });
});

describe("review refuses, with exit code 1 and nothing on standard output,", () => {
  test.each([
    [
      "a file that is not there",
      ["no.json"],
      /^no\.json: ENOENT.*; give the file that terraform show -json was written to, or - for standard input\n$/,
    ],
    [
      "a state",
      ["state.json"],
      /^state\.json: is a state, not a plan; give what `terraform show -json PLANFILE` prints\n$/,
    ],
    ["an empty pipe", ["-"], /^standard input: is empty; give what/],
    [
      "a report that is a plan",
      ["safe.json", "--report", "safe.json"],
      /^safe\.json: is not a report; give what `ssh-only-firewall report --json` prints\n$/,
    ],
    [
      "a report that is not there",
      ["safe.json", "--report", "no.json"],
      /^no\.json: ENOENT.*; give the file that report --json was written to\n$/,
    ],
    [
      "plan and report in one pipe",
      ["-", "--report", "-"],
      /^Only one of the plan and the report can be read from standard input\.\n$/,
    ],
    [
      "an unknown kind of danger",
      ["safe.json", "--fail-on", "opend"],
      /^error: .*'opend' is invalid\. "opend" is not a kind of danger; did you mean opened\?\n[^]*\nNothing was reviewed\.\n$/,
    ],
    [
      "a name that could end the marker",
      ["safe.json", "--name", "a-->"],
      /^error: .*It must be letters and digits.*\n[^]*\nNothing was reviewed\.\n$/,
    ],
    ["no plan at all", [], /^error: missing required argument 'PLAN'\n[^]*\nNothing was reviewed\.\n$/],
    [
      "an option that does not exist",
      ["safe.json", "--fail-one", "x"],
      /^error: unknown option '--fail-one'\n[^]*\nNothing was reviewed\.\n$/,
    ],
  ])("%s", (_what, args, message) => {
    expect(review(...args)).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
  });
});
