/** The script that moves hosts, run by the real Terraform on states in files. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { items } from "../../support/required";
import { type Ended, emptyFolder, program, run } from "../../cli/support/run";
import { describeWithBuilt } from "../../support/describe-unless";

const HOSTS = ["a", "b", "c", "d", "e"];
const TOOL = program("ssh-only-firewall").join(" ");
const REAL = `exec ${TOOL} "$@"`;

/** A project whose five hosts are in the state of one stack, and its fleet file of three. */
class Project {
  public readonly folder = emptyFolder();

  /** @param settings of the fleet files, as lines. @param env for the script */
  public constructor(
    settings = "",
    private readonly env: Readonly<Record<string, string>> = {},
  ) {
    const hosts = HOSTS.map((host, index) => `  ${host}: 192.0.2.${index + 1}\n`).join("");
    this.write("one.yaml", `${settings}hosts:\n${hosts}`);
    this.write("three.yaml", `${settings}stacks: 3\nhosts:\n${hosts}`);
    const resource = (name: string) => ({
      mode: "managed",
      type: "terraform_data",
      name,
      provider: 'provider["terraform.io/builtin/terraform"]',
      instances: HOSTS.map((host) => ({
        index_key: host,
        schema_version: 0,
        attributes: { id: `${name} ${host}`, input: null, output: null, triggers_replace: null },
        sensitive_attributes: [],
      })),
    });
    const state = { version: 4, terraform_version: "1.5.0", serial: 3, lineage: "x", outputs: {} };
    const resources = [resource("fleet_hold"), resource("fleet_lockdown")];
    this.write("terraform.fleet.tfstate", JSON.stringify({ ...state, resources, check_results: null }));
    const { code, stdout } = run(
      program("ssh-only-firewall", "stacks", "three.yaml", "--from", "one.yaml"),
      this.folder,
    );
    expect(code).toBe(0);
    this.write("move.sh", stdout);
  }

  public write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** @param tool what stands for our command in the script: a shell text that sees the step and the folder */
  public move(tool = REAL): Ended {
    this.write("tool", `#!/bin/sh\n${tool}\n`);
    chmodSync(join(this.folder, "tool"), 0o755);
    return run(["sh", "move.sh"], this.folder, {
      SSH_ONLY_FIREWALL: join(this.folder, "tool"),
      TF_DATA_DIR: "/nowhere",
      ...this.env,
    });
  }

  /** The instances in each state that is there. */
  public states(): Record<string, string[]> {
    const files = readdirSync(this.folder).filter((file) => file.endsWith(".tfstate"));
    return Object.fromEntries(
      files.map((file) => {
        const { resources } = JSON.parse(readFileSync(join(this.folder, file), "utf8")) as {
          resources: Array<{ instances: Array<{ attributes: { id: string } }> }>;
        };
        const ids = resources.flatMap(({ instances }) => instances.map(({ attributes }) => attributes.id));
        return [file.split(".")[1], ids.sort()];
      }),
    );
  }
}

const ALL = ["fleet_hold", "fleet_lockdown"].flatMap((name) => HOSTS.map((host) => `${name} ${host}`));

function expectMoved(project: Project): void {
  const { fleet, ...others } = project.states();
  expect(fleet).toEqual([]);
  expect(Object.values(others).flat().sort()).toEqual(ALL);
}

test("moves every host once, keeps the previous states, and does nothing when run again", () => {
  const project = new Project();
  const moved = project.move();
  expect(moved).toMatchObject({ code: 0, stderr: "" });
  expect(moved.stdout).toMatch(/^5 of 5 hosts found\.$/m);
  expectMoved(project);
  const [kept] = items(
    readdirSync(project.folder).filter((name) => name.startsWith("moved-hosts.")),
    1,
  );
  const before = JSON.parse(readFileSync(join(project.folder, kept, "fleet/arrive.tfstate"), "utf8")) as {
    serial: number;
  };
  expect(before.serial).toBe(3);
  const states = project.states();
  expect(project.move()).toMatchObject({ code: 0, stderr: "" });
  expect(project.states()).toEqual(states);
});

test.each([
  ["before anything is written", `[ "$2" = arrive ] && exit 9; ${REAL}`],
  ["between the two steps", `[ "$2" = leave ] && exit 9; ${REAL}`],
])("that is cut off %s has lost no host, and the next run ends it", (_when, tool) => {
  const project = new Project();
  expect(project.move(tool).code).toBe(9);
  expect(project.states().fleet).toEqual(ALL);
  expect(project.move().code).toBe(0);
  expectMoved(project);
});

test("writes over nothing that was applied meanwhile", () => {
  const project = new Project();
  // Somebody applies the old stack after its state was read for the last time.
  const apply = `sed -i 's/"serial": *[0-9]*/"serial": 9/' terraform.fleet.tfstate`;
  const { code, stderr } = project.move(`${TOOL} "$@" && { [ "$2" = arrive ] || ${apply}; }`);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/serial/);
  expect(project.states().fleet).toEqual(ALL);
  expect(project.move().code).toBe(0);
  expectMoved(project);
});

test("fails where no host is in any state, as in another folder", () => {
  const project = new Project();
  project.write("terraform.fleet.tfstate", "");
  const { code, stdout, stderr } = project.move();
  expect({ code, moved: stdout.includes("Moved") }).toEqual({ code: 1, moved: false });
  expect(stderr).toMatch(
    /no host that is to move is in the states of fleet, fleet-[01], .* run the script where the fleet's/,
  );
});

test("reports which of the hosts are in no state", () => {
  const project = new Project();
  const state = readFileSync(join(project.folder, "terraform.fleet.tfstate"), "utf8");
  project.write("terraform.fleet.tfstate", state.replaceAll('"index_key":"b"', '"index_key":"z"'));
  const { code, stdout } = project.move();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^4 of 5 hosts found\.\nIn no state: b\. If they were deployed before, /m);
});

test("is one that does nothing where no host changes its stack", () => {
  const project = new Project();
  const { stdout } = run(program("ssh-only-firewall", "stacks", "one.yaml", "--from", "one.yaml"), project.folder);
  expect(stdout).toBe("#!/bin/sh\n# No host changes its stack: there is nothing to move.\n");
});

test.each([
  ["only that is installed", ["tofu"], ""],
  ["a stack was initialized by it", ["terraform", "tofu"], '# This file is maintained automatically by "tofu init".'],
])("moves hosts with tofu where %s", (_, installed, lock) => {
  const project = new Project();
  const utilities = ["sh", "cut", "grep", "mkdir", "mktemp", "touch"].map((name) => [
    name,
    `exec /usr/bin/${name} "$@"`,
  ]);
  const engines = installed.map((name) => [name, `echo ran >'${project.folder}/${name}.ran'`]);
  mkdirSync(join(project.folder, "bin"));
  for (const [name = "", text] of [...utilities, ...engines]) {
    writeFileSync(join(project.folder, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  mkdirSync(join(project.folder, "cdktf.out/stacks/one"), { recursive: true });
  project.write("cdktf.out/stacks/one/.terraform.lock.hcl", lock);
  const ended = run(["/bin/sh", "move.sh"], project.folder, {
    SSH_ONLY_FIREWALL: "true",
    TERRAFORM_BINARY_NAME: "",
    PATH: join(project.folder, "bin"),
  });
  expect(ended).toMatchObject({ code: 0 });
  expect(readdirSync(project.folder).filter((file) => file.endsWith(".ran"))).toEqual(["tofu.ran"]);
});

const SETTINGS = {
  method: { aes_gcm: { main: { keys: "${key_provider.pbkdf2.main}" } } },
  state: { method: "method.aes_gcm.main" },
};
const KEY = { key_provider: { pbkdf2: { main: { passphrase: "the passphrase of a test" } } } };
const NO_KEY = { key_provider: { pbkdf2: { main: {} } } };

describeWithBuilt("tofu", "states that OpenTofu encrypts", (tofu) => {
  test.each([
    ["by the fleet file, with the key of the environment", { ...NO_KEY, ...SETTINGS }, KEY],
    ["by the environment alone", undefined, { ...KEY, ...SETTINGS }],
  ])(
    "are moved encrypted, and the copies are said not to be: %s",
    (_, block, variable) => {
      const settings = block === undefined ? "" : `terraform: ${JSON.stringify({ encryption: block })}\n`;
      const PATH = `${dirname(tofu)}:${process.env.PATH}`;
      const env = { TF_ENCRYPTION: JSON.stringify(variable), TERRAFORM_BINARY_NAME: "", PATH };
      const project = new Project(settings, env);
      const scratch = emptyFolder();
      const inScratch = (...args: string[]): Ended => run([tofu, ...args], scratch, env);
      const path = (stack: string): string => join(project.folder, `terraform.${stack}.tfstate`);
      const at = (stack: string): void => {
        const encryption = block === undefined ? {} : { encryption: block };
        const terraform = { backend: { local: { path: path(stack) } }, ...encryption };
        writeFileSync(join(scratch, "main.tf.json"), JSON.stringify({ terraform }));
        expect(inScratch("init", "-reconfigure")).toMatchObject({ code: 0 });
      };
      renameSync(path("fleet"), join(scratch, "plain"));
      at("fleet");
      expect(inScratch("state", "push", "plain")).toMatchObject({ code: 0 });
      expect(readFileSync(path("fleet"), "utf8")).toContain('"encrypted_data"');

      const moved = project.move();
      expect(moved).toMatchObject({ code: 0, stderr: "" });
      expect(moved.stdout).toMatch(/^5 of 5 hosts found\.$/m);
      expect(moved.stdout).toMatch(/^These copies are NOT encrypted: remove the directory /m);
      const inStates = ["fleet", "fleet-0", "fleet-1", "fleet-2"]
        .filter((stack) => existsSync(path(stack)))
        .map((stack) => {
          expect(readFileSync(path(stack), "utf8")).toContain('"encrypted_data"');
          at(stack);
          return inScratch("state", "list")
            .stdout.split("\n")
            .filter((line) => line.includes("hold")).length;
        });
      expect(inStates[0]).toBe(0);
      expect(inStates.reduce((sum, count) => sum + count)).toBe(HOSTS.length);
    },
    60_000,
  );
});
