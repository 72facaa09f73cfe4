/** Which program is asked for a state, with programs that only are there. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programFor } from "../../lib/state/program";
import { StateError } from "../../lib/state/state-error";
import { pullState } from "../../lib/state/source";

const root = mkdtempSync(join(tmpdir(), "program-"));
const own = { PATH: process.env.PATH, TERRAFORM_BINARY_NAME: process.env.TERRAFORM_BINARY_NAME };

afterEach(() => {
  process.env.PATH = own.PATH;
  delete process.env.TERRAFORM_BINARY_NAME;
});
afterAll(() => {
  rmSync(root, { recursive: true });
  Object.assign(process.env, own.TERRAFORM_BINARY_NAME === undefined ? {} : own);
});

/** Programs that fail with a message, and nothing else on the PATH. */
function install(message: string, ...programs: readonly string[]): void {
  const folder = mkdtempSync(join(root, "bin-"));
  for (const program of programs) {
    writeFileSync(join(folder, program), `#!/bin/sh\necho 'Error: ${message}' >&2\nexit 1\n`);
    chmodSync(join(folder, program), 0o755);
  }
  process.env.PATH = folder;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(root, "stack-"));
  Object.entries(files).forEach(([name, text]) => writeFileSync(join(folder, name), text));
  return folder;
}

const failure = (folder: string): string => {
  try {
    pullState(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(StateError);
    return (error as Error).message;
  }
  return "";
};

const LOCKED_BY = (program: string): Record<string, string> => ({
  ".terraform.lock.hcl": `# This file is maintained automatically by "${program} init".\n`,
});

describe("the program that is asked for a state", () => {
  test.each([
    [["terraform", "tofu"], "terraform"],
    [["terraform"], "terraform"],
    [["tofu"], "tofu"],
    [[], "terraform"],
  ])("is, where %j are installed and nothing tells whose the directory is, %s", (installed, program) => {
    install("", ...installed);
    expect(programFor(folderWith({}))).toBe(program);
  });

  test.each([
    ["the lock file of tofu", LOCKED_BY("tofu"), "tofu"],
    ["the lock file of terraform", LOCKED_BY("terraform"), "terraform"],
    ["an encrypted state", { "terraform.tfstate": '{"encrypted_data":"x"}' }, "tofu"],
    [
      "an encrypted state where cdktf keeps it",
      { "cdk.tf.json": '{"terraform": {"backend": {"local": {"path": "kept"}}}}', kept: '{"encrypted_data":"x"}' },
      "tofu",
    ],
    ["a state with providers of its registry", { "terraform.tfstate": "registry.opentofu.org/hashicorp/null" }, "tofu"],
    ["a file that only tofu reads", { "main.tofu": "" }, "tofu"],
    ["the block encryption", { "cdk.tf.json": '{"terraform": {"encryption": {}}}' }, "tofu"],
    ["a resource that is called like it", { "cdk.tf.json": '{"locals": {"encryption": {}}}' }, "terraform"],
  ])("is, of a directory with %s, the one that it belongs to", (_, files: Record<string, string>, program) => {
    install("", "terraform", "tofu");
    expect(programFor(folderWith(files))).toBe(program);
  });

  test("is tofu where the environment has a key for its states, and nothing shows whose the directory is", () => {
    install("", "terraform", "tofu");
    process.env.TF_ENCRYPTION = "{}";
    const found = [{}, LOCKED_BY("terraform")].map((files) => programFor(folderWith(files)));
    delete process.env.TF_ENCRYPTION;
    expect(found).toEqual(["tofu", "terraform"]);
  });

  test("is tofu in a directory of terraform where that alone is installed", () => {
    install("", "tofu");
    expect(programFor(folderWith(LOCKED_BY("terraform")))).toBe("tofu");
  });

  test.each([
    ["my-tofu", "my-tofu"],
    ["", "tofu"],
  ])("is the one in TERRAFORM_BINARY_NAME before all others: %j means %s", (named, program) => {
    install("", "terraform", "tofu");
    process.env.TERRAFORM_BINARY_NAME = named;
    expect(programFor(folderWith(LOCKED_BY("tofu")))).toBe(program);
  });

  test("is a directory that is missing no reason to fail", () => {
    mkdirSync(join(root, "gone"));
    rmSync(join(root, "gone"), { recursive: true });
    expect(programFor(join(root, "gone"))).toMatch(/^(terraform|tofu)$/);
  });
});

describe("what is said when it fails", () => {
  test("names the program that ran, also in the remedy", () => {
    install("Required plugins are not installed", "tofu");
    expect(failure(folderWith({}))).toMatch(/: tofu state pull failed: Error: Required .*; run tofu init there/);
  });

  test("is not to run init with the wrong program", () => {
    install("Required plugins are not installed", "terraform", "tofu");
    process.env.TERRAFORM_BINARY_NAME = "terraform";
    const message = failure(folderWith(LOCKED_BY("tofu")));
    expect(message).toMatch(/initialized by tofu: install that, or set TERRAFORM_BINARY_NAME to it$/);
    expect(message).not.toMatch(/terraform init/);
  });

  test.each([
    ['No argument or block type is named "encryption".', /only OpenTofu can read: install tofu, and set/],
    ['The state file does not have a "version" attribute', /only OpenTofu can read/],
    ["Failed to decrypt the state", /give it the key that the state is encrypted with: TF_ENCRYPTION, or/],
  ])("tells what to do about encryption: %s", (output, message) => {
    install(output, "terraform");
    expect(failure(folderWith({}))).toMatch(message);
  });
});
