/** The command itself. Where hosts are asked, `ssh` is a script here; real ones are asked in test/e2e/status.test.ts. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import * as fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { hostsIn } from "../../lib/state/hosts";
import { toJunit } from "../../lib/status/junit";
import { type StatusReport, statusReport } from "../../lib/status/status-report";
import { NO_COLOURS } from "../../lib/output/colours";
import { readState } from "../../lib/state/state";
import { toTable } from "../../lib/status/table";
import { eventually } from "../support/eventually";
import { type Ended, emptyFolder, program, ROOT, run } from "./support/run";
import { bytesOf, planOf, rulesetOf } from "../review/support/plans";
import { HOLDS_ALONE, holdAlone } from "../state/support/holds-alone";
import { filed, outputs, ownerOf, PROGRAM, RULESET, shown, type Tracked } from "../state/support/states";

jest.setTimeout(120_000);

const DATA = { tracker: "terraform_data" } as const;
const status = (args: readonly string[], cwd: string, env = {}): Ended =>
  run(program("ssh-only-firewall", "status", ...args), cwd, env);

function stateFile(hosts: readonly Tracked[]): string {
  const file = join(emptyFolder(), "terraform.tfstate");
  writeFileSync(file, JSON.stringify(filed(hosts, DATA)));
  return file;
}

function executable(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

/** Something of this machine listens there while it is probed. */
const OPEN_PORT = 39_421;

/** An ssh that answers for a locked host; `hung` never answers, and `refused` does not let in. */
function fakeSsh(): { readonly folder: string; readonly env: Record<string, string> } {
  const folder = emptyFolder();
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "tmp"));
  const json = `{"state":"locked","rules":"matches","owner":"owner-of-'"$address"'","ruleset":"${RULESET}","program":"${PROGRAM}","port":"22","listened":"${OPEN_PORT}"}`;
  executable(
    join(folder, "bin/ssh"),
    `#!/bin/sh
for word; do
  case $word in UserKnownHostsFile=*) pinned=$(echo "$word" | cut -d'"' -f2); esac
done
[ -z "$pinned" ] || stat -c %a "$pinned" "\${pinned%/*}" >'${folder}/modes'
log=$2
while [ "$1" != -- ]; do shift; done
address=$2
case $address in forwarded) echo 'Authenticated to gateway ([127.0.0.1]:2201).' >"$log" ;; esac
: >'${folder}/asked-'"$address"
case $address in
  hung) sleep 1000 ;;
  refused) exit 255 ;;
  slow*) sleep "0.$(($$ % 10))" ;;
esac
echo 'ssh-only-firewall-status 0 ${json}'
`,
  );
  return {
    folder,
    env: { PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`, TMPDIR: join(folder, "tmp") },
  };
}

describe("a state alone", () => {
  test("is a table, and 0 when all are locked in it", () => {
    const file = stateFile([
      { key: "db", address: "192.0.2.2" },
      { key: "web-1", address: "192.0.2.1" },
    ]);
    expect(status([file], ROOT)).toEqual({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(
        new RegExp(
          [
            "^HOST   ADDRESS    STATE   RULESET       OWNER",
            `db     192.0.2.2  locked  ${RULESET.slice(0, 12)}  owner-of-db`,
            `web-1  192.0.2.1  locked  ${RULESET.slice(0, 12)}  owner-of-web-1`,
            "",
            "2 hosts: 2 locked. The hosts were not asked \\(--live\\).",
            "Fingerprint of the state: [0-9a-f]{64}\n$",
          ].join("\n"),
        ),
      ),
    });
  });

  test.each(HOLDS_ALONE)(
    "is 2 when all that it has is the hold of one, as %s, with the command that takes it out",
    (tracker) => {
      const file = join(emptyFolder(), "terraform.tfstate");
      writeFileSync(file, holdAlone(tracker, "filed"));
      const { code, stdout, stderr } = status([file], ROOT);
      expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
      expect(stdout).toMatch(
        /^web-2 +192\.0\.2\.11 +unfinished .* it may be locked; the state has its hold but no lockdown: .*not finished$/m,
      );
      expect(stdout).toMatch(
        new RegExp(
          `\n\nWhat to do about web-2:\n  Deploy again; .*\\.\n  If the host .*\\.\n  It .*:\n    terraform state rm '${tracker}\\.fleet_hold\\["web-2"\\]'\n$`,
        ),
      );
      const [host] = (JSON.parse(status([file, "--json"], ROOT).stdout) as StatusReport).hosts;
      expect(host).toMatchObject({ state: "unfinished", agrees: false, remedy: { text: expect.any(String) } });
    },
  );

  test("names the program of the directory in the command that takes a host out", () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, "cdk.tf.json"), "{}");
    writeFileSync(join(folder, ".terraform.lock.hcl"), '# This file is maintained automatically by "tofu init".\n');
    writeFileSync(join(folder, "state.json"), holdAlone("terraform_data", "shown"));
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/tofu"), `#!/bin/sh\ncat '${folder}/state.json'\n`, { mode: 0o755 });
    const PATH = `${join(folder, "bin")}${delimiter}${process.env.PATH}`;
    const { code, stdout } = run(program("ssh-only-firewall", "status"), folder, { PATH });
    expect(code).toBe(2);
    expect(stdout).toContain(`\n    tofu state rm 'terraform_data.fleet_hold["web-2"]'\n`);
  });

  test("is 2 when one of them was not finished", () => {
    const { code, stdout, stderr } = status([stateFile([{ key: "a" }, { key: "b", lockdown: "tainted" }])], ROOT);
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(stdout).toMatch(/^b .* unfinished .* its lockdown is tainted: the last lock failed$/m);
    expect(stdout).toContain("2 hosts: 1 locked, 1 unfinished.");
  });

  test.each([
    ["show -json", shown([{ key: "web" }], { tracker: "null_resource" })],
    ["output -json", outputs([{ key: "web" }])],
  ])("comes through a pipe, as %s", (_, state) => {
    const [command, ...args] = program("ssh-only-firewall", "status", "-", "--json");
    const { status: code, stdout } = spawnSync(command, args, { input: JSON.stringify(state), encoding: "utf8" });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as StatusReport).hosts).toMatchObject([
      { host: "web", state: "locked", condition: null },
    ]);
  });

  test("prints nothing of other resources and of outputs, in no form", () => {
    const secret = "hunter2";
    const state = shown([{ key: "web", memory: { host_key: secret } }], DATA) as {
      values: { outputs: unknown; root_module: { resources: unknown[] } };
    };
    state.values.outputs = {
      password: { sensitive: true, type: "string", value: secret },
      plain: { sensitive: false, type: "string", value: secret },
    };
    state.values.root_module.resources.push({
      address: `random_password.${secret}`,
      mode: "managed",
      type: "random_password",
      name: secret,
      values: { id: secret, result: secret },
    });
    const file = join(emptyFolder(), "state.json");
    writeFileSync(file, JSON.stringify(state));
    for (const form of [[], ["--json"], ["--junit"]]) {
      const { code, stdout, stderr } = status([file, ...form], ROOT);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("web");
      expect(stdout).not.toContain(secret);
    }
  });

  test("has the fingerprint that review has of the plan that led to it", () => {
    const hosts = ["web-1", "web-2"].map((key, index) => ({ key, address: `192.0.2.${index + 1}` }));
    const allowed = ["192.0.2.0/24"];
    const folder = emptyFolder();
    writeFileSync(join(folder, "plan.json"), bytesOf(planOf(hosts.map((host) => ({ ...host, after: allowed })))));
    const { hash } = rulesetOf(allowed);
    writeFileSync(join(folder, "state.json"), JSON.stringify(shown(hosts, DATA)).replaceAll(RULESET, hash));
    const review = run(program("ssh-only-firewall", "review", "plan.json", "--json", "--fail-on", "none"), folder, {});
    const { fingerprint } = JSON.parse(review.stdout) as { fingerprint: string };
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    const { stdout } = status(["state.json"], folder);
    expect(stdout).toContain(`Fingerprint of the state: ${fingerprint}\n`);
  });

  test("comes of Terraform in the only stack of a cdktf project", () => {
    const project = emptyFolder();
    const stack = join(project, "cdktf.out/stacks/fleet");
    mkdirSync(stack, { recursive: true });
    writeFileSync(join(stack, "cdk.tf.json"), "{}");
    writeFileSync(join(project, "state.json"), JSON.stringify(shown([{ key: "web" }], DATA)));
    const terraform = join(project, "my-terraform");
    executable(terraform, `#!/bin/sh\necho "$@" >'${project}/args'; cat '${project}/state.json'\n`);
    const env = { TERRAFORM_BINARY_NAME: terraform };
    expect(status([], project, env).stdout).toMatch(/^web /m);
    expect(readFileSync(join(project, "args"), "utf8")).toBe("-chdir=cdktf.out/stacks/fleet show -json -no-color\n");

    executable(terraform, "#!/bin/sh\necho 'Error: Required plugins are not installed' >&2; exit 1\n");
    expect(status([], project, env)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /fleet: .*my-terraform show -json failed: Error: Required plugins .*; run .*my-terraform init/,
      ),
    });
    expect(status([], project, { TERRAFORM_BINARY_NAME: "no-such-terraform" }).stderr).toMatch(
      /no-such-terraform is not installed here; install it, set TERRAFORM_BINARY_NAME, or /,
    );
    mkdirSync(join(project, "cdktf.out/stacks/other"));
    writeFileSync(join(project, "cdktf.out/stacks/other/cdk.tf.json"), "{}");
    expect(status([], project, env).stderr).toMatch(/there are several stacks; name one: .*fleet, .*other\n$/);
  });

  test("is refused where Terraform has left a state that it could not write, until that is written", () => {
    const stack = emptyFolder();
    writeFileSync(join(stack, "cdk.tf.json"), "{}");
    writeFileSync(join(stack, "show.json"), JSON.stringify(shown([{ key: "web" }], DATA)));
    const left = (serial: number, lineage: string): string => JSON.stringify({ version: 4, serial, lineage });
    const terraform = join(stack, "terraform");
    executable(terraform, `#!/bin/sh\ncd '${stack}'; case $* in *pull*) cat pulled ;; *) cat show.json ;; esac\n`);
    const env = { TERRAFORM_BINARY_NAME: terraform };
    const asked = (errored: string, pulled: string): Ended => {
      writeFileSync(join(stack, "errored.tfstate"), errored);
      writeFileSync(join(stack, "pulled"), pulled);
      return status([stack], stack, env);
    };
    const refused = {
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /: a run could not write its state, which is in errored\.tfstate: .*; run \S*terraform state push errored\.tfstate there/,
      ),
    };
    expect(asked(left(7, "a"), left(5, "a"))).toMatchObject(refused);
    expect(asked(left(1, "a"), "")).toMatchObject(refused);
    expect(asked(left(7, "a"), left(7, "a"))).toMatchObject({ code: 0 });
    expect(asked(left(7, "of an earlier fleet"), left(1, "a"))).toMatchObject({ code: 0 });
  });

  const folder = emptyFolder();
  test.each([
    [["nowhere"], /^nowhere: ENOENT.*; name a file that you may read, a directory, or - /],
    [["."], /^\.: there is no stack in it; name the directory of a stack \(cdktf\.out/],
    [[stateFile([])], /terraform\.tfstate: it has no host of a firewall: none is locked by it, .* Nothing was checked/],
    [["--json", "--junit"], /^error: option '--junit' cannot be used with option '--json'/],
    [["--concurrency", "0", "--live"], /^error: .*'0' is invalid\. It must be a whole number from 1 to 1000\./],
    [["--probe-ports", "80,http", "--live"], /^error: .* It must be ports from 1 to 65535, separated by commas\./],
    [["--also", "-oProxyCommand=id", "--live"], /^error: .* It must be an address or name: \[USER@\]ADDRESS/],
    [["--identity", "nowhere", "--live"], /^error: .* "nowhere" does not exist; name a file that does\./],
    [["--user", "ops", "--no-probe"], /^--user, --no-probe: has no effect without --live; /],
    [["--liv"], /^error: unknown option '--liv'/],
  ])("%j is no verdict: exit code 1, with the remedy", (args, message) => {
    expect(status(args, folder)).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
  });
});

describe("hosts that are asked", () => {
  test("are in the order of the state, in whichever they answer", () => {
    const { env } = fakeSsh();
    const keys = Array.from({ length: 150 }, (_, index) => `slow-${String(index).padStart(3, "0")}`);
    const file = stateFile(keys.map((key) => ({ key, address: key, owner: ownerOf({ key }) })));
    const { code, stdout, stderr } = status([file, "--live", "--no-probe", "--json", "--concurrency", "40"], ROOT, env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { hosts, fingerprint } = JSON.parse(stdout) as StatusReport;
    expect(hosts.map(({ host }) => host)).toEqual(keys);
    expect(fingerprint.live).toBe(fingerprint.state);
  });

  test("have a fingerprint of those that answered, named so", () => {
    const { env } = fakeSsh();
    const file = stateFile(
      ["web-1", "web-2", "refused"].map((key) => ({ key, address: key, owner: ownerOf({ key }) })),
    );
    const { stdout } = status([file, "--live", "--no-probe"], ROOT, env);
    expect(stdout).toMatch(/^Fingerprint of the 2 of 3 hosts that answered: [0-9a-f]{64}$/m);
  });

  test("are a thousand in one run, each with its own row", () => {
    const { folder, env } = fakeSsh();
    const keys = Array.from({ length: 1000 }, (_, index) => `web-${String(index).padStart(4, "0")}`);
    const file = stateFile(keys.map((key) => ({ key, address: key })));
    const { code, stdout, stderr } = status([file, "--live", "--no-probe", "--json", "--concurrency", "40"], ROOT, env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { hosts, counts, fingerprint } = JSON.parse(stdout) as StatusReport;
    expect(hosts.map(({ host, onHost }) => [host, onHost?.owner])).toEqual(keys.map((key) => [key, `owner-of-${key}`]));
    expect(counts).toEqual({ locked: 1000 });
    expect(fingerprint.live).toBe(fingerprint.state);
    expect(readdirSync(folder).filter((name) => name.startsWith("asked-"))).toHaveLength(1000);
  });

  test("are not probed behind a forwarded port: whatever answers there is the gateway", async () => {
    const { env } = fakeSsh();
    const gateway = createServer().listen(OPEN_PORT, "127.0.0.1");
    await once(gateway, "listening");
    const file = stateFile([{ key: "forwarded", address: "forwarded", memory: { port: "2201" } }]);
    const { code, stdout } = status([file, "--live", "--json"], ROOT, env);
    gateway.close();
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as StatusReport).hosts).toMatchObject([
      { condition: "locked", agrees: true, outside: "not tried: through a forwarded port" },
    ]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("hold up no other when they hang, and leave nothing behind on %s", async (signal, exitCode) => {
    const { folder, env } = fakeSsh();
    const memory = { host_key: "ssh-ed25519 AAAA" };
    const file = stateFile(["hung", "web-1", "web-2"].map((key) => ({ key, address: key, memory })));
    const tsx = ["--import", require.resolve("tsx"), join(ROOT, "bin/ssh-only-firewall.ts")];
    const args = [...tsx, "status", file, "--live", "--no-probe", "--concurrency", "1", "--timeout", "1000"];
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env, TSX_TSCONFIG_PATH: join(ROOT, "tsconfig.json") },
    });
    let printed = "";
    child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const gone = new Promise((resolve) => child.once("exit", resolve));
    await eventually("every host is asked", () =>
      ["hung", "web-1", "web-2"].every((key) => existsSync(join(folder, `asked-${key}`))),
    );
    const kept = (): string[] => readdirSync(join(folder, "tmp")).filter((one) => one.startsWith("ssh-only-firewall-"));
    expect(kept()).toHaveLength(1);
    expect(readFileSync(join(folder, "modes"), "utf8")).toBe("600\n700\n");
    child.kill(signal);
    expect(await gone).toBe(exitCode);
    expect(kept()).toEqual([]);
    expect(printed).toBe("Stopped: not all hosts were asked, and no process or key was left behind.\n");
    expect(spawnSync("pgrep", ["-f", join(folder, "bin/ssh")], { encoding: "utf8" }).stdout).toBe("");
  });

  test("are shown with colours and a line of progress on a terminal only", () => {
    const { env } = fakeSsh();
    const file = stateFile([{ key: "web", address: "web" }]);
    const command = program("ssh-only-firewall", "status", file, "--live", "--no-probe").map((word) => `'${word}'`);
    const shownTo = (more: Record<string, string>): string =>
      run(["script", "-qec", command.join(" "), "/dev/null"], ROOT, { ...env, TERM: "xterm", ...more }).stdout;
    expect(shownTo({})).toMatch(/0 of 1 host asked[^]*1 of 1 host asked/);
    expect(shownTo({})).toContain("\u001b[32mlocked\u001b[39m");
    expect(shownTo({ NO_COLOR: "1" })).not.toContain("\u001b[3");
    expect(status([file, "--live", "--no-probe"], ROOT, { ...env, FORCE_COLOR: "1", CI: "1" }).stdout).not.toContain(
      "\u001b",
    );
  });

  test("of a fleet file should be locked, also when the state does not have them", () => {
    const { folder, env } = fakeSsh();
    const fleet = join(folder, "fleet.yaml");
    writeFileSync(fleet, "allowFrom: [192.0.2.0/24]\nhosts:\n  web: web\n  new: 192.0.2.9\n");
    const file = stateFile([{ key: "web", address: "web" }]);
    const { code, stdout } = status([file, "--fleet", fleet, "--json"], ROOT, env);
    expect(code).toBe(2);
    expect((JSON.parse(stdout) as StatusReport).hosts).toMatchObject([
      { host: "web", state: "locked", agrees: true },
      { host: "new", state: "not in it", agrees: false, details: ["in the fleet file but not in the state"] },
    ]);
  });
});

describe("reports", () => {
  const reportFor = (hosts: readonly Tracked[]): StatusReport =>
    statusReport(hostsIn(readState(JSON.stringify(filed(hosts, DATA)))), undefined);

  test("as JUnit have a failure for each host that is not as it should be", () => {
    const xml = toJunit(reportFor([{ key: "a" }, { key: "b", lockdown: "tainted" }]));
    expect(xml.replace(/Deploy again; [^<]* as it is:/, "DEPLOY")).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" errors="0">
  <testsuite name="ssh-only-firewall status" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="fleet" name="a (192.0.2.1)"/>
    <testcase classname="fleet" name="b (192.0.2.1)">
      <failure type="unfinished" message="unfinished: it may be locked: its lockdown is tainted: the last lock failed">DEPLOY terraform state rm &apos;terraform_data.fleet_hold[&quot;b&quot;]&apos; &apos;terraform_data.fleet_lockdown[&quot;b&quot;]&apos;</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
    );
  });

  test("are well-formed and on their lines, whatever a state has for names", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\u001b[2J", "a\nb", '"<&>]]>', "\u202e", "\0"),
    );
    fc.assert(
      fc.property(text, text, (key, address) => {
        const report = reportFor([{ key, address: address || "x", lockdown: "tainted" }]);
        const xml = toJunit(report);
        expect(XMLValidator.validate(xml)).toBe(true);
        expect(new XMLParser().parse(xml)).toHaveProperty("testsuites.testsuite.testcase.failure");
        const table = toTable(report, NO_COLOURS);
        expect(table).not.toMatch(/[^\n\P{C}]/u);
        expect(table.split("\n").filter((line) => line.includes("unfinished"))).toHaveLength(2);
      }),
    );
  });
});
