/** Which program is asked for a state: Terraform or OpenTofu. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** The variable that cdktf reads, too. Empty means unset. */
const VARIABLE = "TERRAFORM_BINARY_NAME";

const PROGRAMS = { terraform: "terraform", tofu: "tofu" } as const;

export type Engine = keyof typeof PROGRAMS;

/** Settings of OpenTofu for states that it encrypts; Terraform knows no such variable. */
const ENCRYPTION = "TF_ENCRYPTION";

/** The one that is named, that of the directory, or the one that is installed. */
export function programFor(folder: string): string {
  const named = process.env[VARIABLE] ?? "";
  const engine = engineOf(folder) ?? ((process.env[ENCRYPTION] ?? "") === "" ? undefined : PROGRAMS.tofu);
  // OpenTofu can read what Terraform wrote.
  const wanted = engine === "terraform" && !isOnPath(engine) ? undefined : engine;
  return named !== "" ? named : (wanted ?? installed() ?? PROGRAMS.terraform);
}

function installed(): string | undefined {
  return Object.values(PROGRAMS).find(isOnPath);
}

function isOnPath(name: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((one) => one !== "");
  return folders.some((folder) => [name, `${name}.exe`].some((file) => isExecutable(join(folder, file))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whose directory it is, by what only one of them writes: the lock file names the program that wrote it last. Undefined where
 * nothing shows it.
 */
export function engineOf(folder: string): Engine | undefined {
  const lock = /"(terraform|tofu) init"/.exec(textOf(join(folder, ".terraform.lock.hcl")))?.[1] as Engine | undefined;
  return lock ?? (hasMarksOfTofu(folder) ? "tofu" : undefined);
}

/** A state that it has encrypted or that names its registry, its own kind of file, or a block that only it has. */
function hasMarksOfTofu(folder: string): boolean {
  const { encryption, backend } = settingsIn(textOf(join(folder, "cdk.tf.json")));
  const kept = backend?.local?.path;
  const states = ["terraform.tfstate", ...(typeof kept === "string" ? [kept] : [])];
  return (
    encryption !== undefined ||
    states.some((file) => /"encrypted_data"|registry\.opentofu\.org/.test(textOf(resolve(folder, file)))) ||
    filesIn(folder).some((file) => /\.tofu(\.json)?$/.test(file))
  );
}

interface Settings {
  readonly encryption?: unknown;
  /** Where cdktf keeps a state, unless the stack has another backend. */
  readonly backend?: { readonly local?: { readonly path?: unknown } };
}

/** The block `terraform` of a configuration in JSON. */
function settingsIn(configuration: string): Settings {
  try {
    return (JSON.parse(configuration) as { terraform?: Settings }).terraform ?? {};
  } catch {
    return {};
  }
}

function filesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
