/** What a plan learns of hosts; the program, with `terraform` and `ssh` that are scripts. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { LEFT_ALONE } from "../../lib/contract/drift";
import { driftTriggers, readQuery, trackedHosts } from "../../lib/status/drift-triggers";
import type { Finding } from "../../lib/status/live";
import type { Answer, Answered } from "../../lib/ssh/answer";
import { judge } from "../../lib/status/judge";
import { emptyFolder, type Ended, program } from "../cli/support/run";
import { filed, ownerOf, PROGRAM, RULESET, type Tracked } from "../state/support/states";

const DATA = { tracker: "terraform_data" } as const;
const query = (more = {}): string => JSON.stringify({ lockdowns: "terraform_data.fleet_lockdown", ...more });

describe("the value of a host's trigger", () => {
  const answered = (answer: Partial<Answered> = {}): Answer => ({
    kind: "answered",
    state: "locked",
    rules: "matches",
    owner: ownerOf({ key: "web" }),
    ruleset: RULESET,
    program: PROGRAM,
    lockedAt: "",
    problem: "",
    port: 22,
    listened: [],
    ...answer,
  });
  const open = { state: "open", rules: "none", owner: "", ruleset: "", program: "" } as const;
  const outside = { kind: "skipped", why: "" } as const;

  function valueOf(answer: Answer, host: Partial<Tracked> = {}): Record<string, string> {
    const state = JSON.stringify(filed([{ key: "web", ...host }], DATA));
    const hosts = trackedHosts(state, readQuery(query()));
    const findings = hosts.map((one): Finding => ({ ...judge(one, answer, outside), answer, outside }));
    return driftTriggers(hosts, findings);
  }

  test.each<[string, Answer, Partial<Tracked>, Record<string, string>]>([
    ["locked", answered(), {}, {}],
    ["locked", answered(), { drift: "3 open" }, { web: "3 open" }],
    ["observed", answered({ state: "observed" }), { mode: "observe", drift: "1 open" }, { web: "1 open" }],
    ["open", answered(open), {}, { web: "1 open" }],
    ["open", answered(open), { drift: "1 drifted" }, { web: "2 open" }],
    ["open", answered(open), { drift: "nonsense" }, { web: "1 open" }],
    ["open, and only observed in the state", answered(open), { mode: "observe" }, { web: "1 open" }],
    ["only observed, and locked in the state", answered({ state: "observed" }), {}, { web: "1 open" }],
    ["locked with other rules", answered({ rules: "drifted" }), {}, { web: "1 drifted" }],
    ["locked with another ruleset", answered({ ruleset: "other" }), {}, { web: "1 drifted" }],
    ["locked by another host program", answered({ program: "other" }), {}, { web: "1 drifted" }],
    ["open, with rules of ours", answered({ ...open, rules: "unrecorded" }), {}, { web: "1 drifted" }],
    ["open, and tainted in the state", answered(open), { lockdown: "tainted", drift: "2 open" }, { web: "2 open" }],
    ["open, and of an earlier hold in the state", answered(open), { lockdown: "of another hold" }, {}],
    ["open, and without a lockdown in the state", answered(open), { lockdown: "none" }, {}],
  ])("of one that is %s", (_, answer, host, value) => {
    expect(valueOf(answer, host)).toEqual(value);
  });

  test.each<[string, Answer, RegExp]>([
    [
      "unreachable",
      { kind: "unreachable", why: "No route to host" },
      /is unreachable: No route to host\n {2}Unreachable: restore/,
    ],
    ["unclear", { kind: "unclear", why: "sudo failed" }, /is unclear: sudo failed\n {2}Unclear: fix/],
    ["pending", answered({ state: "pending" }), /is pending: a lock of .*\n {2}Pending: plan again/],
    ["another's", answered({ owner: "they" }), /is locked-by-someone-else: owned by they\n {2}Locked by .* takeOver/],
    ["another's that observes", answered({ owner: "they", state: "observed" }), /\n {2}Locked by someone else: /],
    ["another's that drifted", answered({ owner: "they", rules: "drifted" }), /is locked-by-someone-else: /],
  ])("stays of one that is %s, and it is named with the remedy", (_, answer, notice) => {
    const { web, [LEFT_ALONE]: left } = valueOf(answer, { drift: "1 open" });
    expect(web).toBe("1 open");
    expect(left).toMatch(/^This plan leaves these hosts as they are:\n {2}web \(192\.0\.2\.1\) is /);
    expect(left).toMatch(notice);
  });

  test("is told of twenty hosts that were left alone, and the others are counted", () => {
    const keys = Array.from({ length: 23 }, (_, index) => `web-${index}`);
    const hosts = trackedHosts(
      JSON.stringify(
        filed(
          keys.map((key) => ({ key })),
          DATA,
        ),
      ),
      readQuery(query()),
    );
    const answer = { kind: "unreachable", why: "gone" } as const;
    const left = driftTriggers(
      hosts,
      hosts.map((one) => ({ ...judge(one, answer, outside), answer, outside })),
    )[LEFT_ALONE];
    expect(left?.match(/is unreachable: gone/g)).toHaveLength(20);
    expect(left).toContain("\n  and 3 more\n  Unreachable: ");
  });
});

describe("the program", () => {
  /** A folder in which Terraform runs, and hosts that answer by their addresses: as they are in their names. */
  function project(state: string | undefined) {
    const folder = emptyFolder();
    mkdirSync(join(folder, "bin"));
    const executable = (name: string, text: string): void => {
      writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}`);
      chmodSync(join(folder, "bin", name), 0o755);
    };
    writeFileSync(join(folder, "state"), state ?? "");
    executable("terraform", `echo "$* TF_LOG=$TF_LOG" >'${folder}/terraform-args'\ncat '${folder}/state'\n`);
    const told = (json: string): string => `echo 'ssh-only-firewall-status 0 ${json}'`;
    const locked = `{"state":"locked","rules":"matches","owner":"owner-of-'"$address"'","ruleset":"${RULESET}","program":"${PROGRAM}"}`;
    executable(
      "ssh",
      `while [ "$1" != -- ]; do args="$args $1"; shift; done
address=$2
echo "$args" >'${folder}/asked-'"$address"
case $address in
  gone) echo 'ssh: connect to host gone port 22: No route to host' >&2; exit 255 ;;
  opened) ${told('{"state":"open","rules":"none"}')} ;;
  *) ${told(locked)} ;;
esac
`,
    );
    const run = (input: string, args: readonly string[] = [], env = {}): Ended => {
      const [command, ...words] = program("ssh-only-firewall", "drift", ...args);
      const { status, stdout, stderr } = spawnSync(command, words, {
        cwd: folder,
        input,
        encoding: "utf8",
        env: { ...process.env, PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`, TF_LOG: "trace", ...env },
      });
      return { code: status, stdout, stderr };
    };
    return { folder, executable, run, read: (file: string) => readFileSync(join(folder, file), "utf8") };
  }

  const host = (key: string, more: Partial<Tracked> = {}): Tracked => ({ key, address: key, ...more });

  test("prints what of the hosts of these lockdowns is not as it was, as a JSON object of texts", () => {
    const hosts = [host("gone"), host("locked"), host("opened"), host("tainted", { lockdown: "tainted" })];
    const { run, read } = project(JSON.stringify(filed(hosts, DATA)));
    const { code, stdout, stderr } = run(query());
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      opened: "1 open",
      [LEFT_ALONE]: expect.stringContaining(
        "\n  gone (gone) is unreachable: ssh: connect to host gone port 22: No route",
      ),
    });
    expect(read("terraform-args")).toMatch(/^-chdir=\/\S+ state pull -no-color TF_LOG=\n$/);
    expect(() => read("asked-tainted")).toThrow("ENOENT");
    expect(run(query({ lockdowns: "terraform_data.other_lockdown" }))).toEqual({ code: 0, stdout: "{}\n", stderr: "" });
    expect(JSON.parse(run(query({ lockdowns: "null_resource.x terraform_data.fleet_lockdown" })).stdout)).toMatchObject(
      {
        opened: "1 open",
      },
    );
  });

  test("connects as the configuration says, then as the state remembers, and as its options say before all", () => {
    const { run, read, folder } = project(
      JSON.stringify(filed([host("web", { memory: { user: "remembered", port: "2222" } })], DATA)),
    );
    writeFileSync(join(folder, "key"), "");
    const env = { HOME: folder };
    run(query({ user: "configured", private_key_path: "~/key" }), [], env);
    expect(read("asked-web")).toMatch(`-i ${folder}/key -l configured -p 2222`);
    run(query({ user: "configured" }), ["--user", "wanted", "--ssh-option", "ProxyJump=a"], env);
    expect(read("asked-web")).toMatch(/-o ProxyJump=a .*-l wanted -p 2222/);
  });

  test("prints no host as long as there is no state", () => {
    expect(project(undefined).run(query())).toEqual({ code: 0, stdout: "{}\n", stderr: "" });
  });

  test("fails where the state cannot be read, with place and remedy, and nothing of the state", () => {
    const { executable, folder, run } = project('{ "secret": hunter2 }');
    const failed = (message: RegExp) => ({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
    const remedy = "[^]*Without the state, drift cannot be detected: fix this, or set detectDrift to false\\.";
    const place = folder.replaceAll("/", "\\/");
    expect(run(query())).toEqual(failed(new RegExp(`^${place}: it is not JSON; ${remedy}`)));
    expect(run(query()).stderr).not.toContain("hunter2");
    executable("terraform", "echo 'Error: Backend initialization required' >&2; exit 1\n");
    expect(run(query())).toEqual(
      failed(new RegExp(`^${place}: terraform state pull failed: Error: Backend initialization required; ${remedy}`)),
    );
    expect(run(query(), [], { TERRAFORM_BINARY_NAME: "no-such" })).toEqual(failed(/: no-such is not installed here; /));
    expect(run("{}")).toEqual(
      failed(/^standard input: it is not a query of a firewall with detectDrift; give one such as/),
    );
    expect(run('{"lockdowns": "hunter2')).toEqual(failed(/^standard input: it is not a query/));
  });
});
