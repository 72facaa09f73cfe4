/** The command, with `terraform` and `ssh` that are scripts. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { LEFT_ALONE } from "../../lib/contract/drift";
import { filed, PROGRAM, RULESET, type Tracked } from "../state/support/states";
import { emptyFolder, type Ended, program } from "./support/run";

const DATA = { tracker: "terraform_data" } as const;
const query = (more = {}): string => JSON.stringify({ lockdowns: "terraform_data.fleet_lockdown", ...more });

describe("drift", () => {
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
