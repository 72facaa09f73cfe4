/**
 * Plans made by the real Terraform, without a host: what runs on hosts is taken out of the configuration for the applies
 * that make a state, and is there again for the plan.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { App, TerraformStack } from "cdktf";
import { shardSuffix } from "../../../lib/contract/names";
import { SEAL_GROUPS, shardOf } from "../../../lib/terraform/layout";
import { startNullProvider } from "../../lab/null-provider";
import type { StandIn } from "../../lab/provider";

const run = promisify(execFile);

type Json = Record<string, unknown>;

/** A configuration, as Terraform reads it. */
export interface Configuration extends Json {
  resource?: Record<string, Record<string, Json>>;
}

export interface Planned {
  /** What `terraform show -json` prints of it. */
  readonly json: string;
  /** What Terraform shows people. */
  readonly text: string;
}

interface StateResource extends Json {
  readonly name: string;
  readonly instances: Json[];
}

/** The one seal of the one host, as a large fleet has it, for the hosts of each group. */
function withSealsTogether(resources: readonly StateResource[]): StateResource[] {
  const isSeal = ({ name }: StateResource): boolean => /_seal_host_[0-9a-f]{12}$/.test(name);
  const lockdowns = resources.find(({ name }) => name.endsWith("_lockdown"))?.instances ?? [];
  return resources.flatMap((resource) => {
    const [instance] = resource.instances;
    if (!isSeal(resource) || instance === undefined) {
      return [resource];
    }
    const attributes = instance.attributes as { input: { value: { planned_at: string } } };
    const at = attributes.input.value.planned_at;
    const idsOf = new Map<number, string[]>();
    for (const { index_key, attributes: own } of lockdowns) {
      const group = shardOf(String(index_key), SEAL_GROUPS);
      idsOf.set(group, [...(idsOf.get(group) ?? []), (own as { id: string }).id]);
    }
    return [...idsOf].map(([group, ids]) => {
      const type = ["object", { planned_at: "string", lockdowns: ["tuple", ids.map(() => "string")] }];
      const kept = { value: { planned_at: at, lockdowns: ids }, type };
      const triggers_replace = { value: { sealed_plan: at }, type: ["object", { sealed_plan: "string" }] };
      return {
        ...resource,
        name: resource.name.replace(/_host_[0-9a-f]{12}$/, shardSuffix(group, SEAL_GROUPS)),
        instances: [
          { ...instance, index_key: at, attributes: { ...attributes, input: kept, output: kept, triggers_replace } },
        ],
      };
    });
  });
}

export class Project {
  private readonly folder = mkdtempSync(join(tmpdir(), "planned-"));
  private provider: StandIn | undefined;

  /** @param program terraform, or where tofu is */
  public constructor(private readonly program = "terraform") {}

  /** For configurations with `null_resource`. */
  public async withNullProvider(): Promise<this> {
    this.provider = await startNullProvider(this.folder);
    return this;
  }

  /** What the construct makes of a stack, to be edited before it is given to the other methods. */
  public configuration(build: (stack: TerraformStack) => void): Configuration {
    const outdir = mkdtempSync(join(this.folder, "out-"));
    const app = new App({ outdir });
    const stack = new TerraformStack(app, "fleet");
    build(stack);
    app.synth();
    const written = JSON.parse(readFileSync(join(outdir, "stacks/fleet/cdk.tf.json"), "utf8")) as Configuration;
    // The state is beside the configuration, Terraform's own default.
    delete (written.terraform as Json).backend;
    return written;
  }

  /** Makes the state as if all of it had been deployed. */
  public async apply(configuration: Configuration, ...args: readonly string[]): Promise<void> {
    await this.write(withoutProvisioners(configuration));
    await this.terraform("apply", "-auto-approve", ...args);
  }

  /** Multiplies the one host in the state: an apply of hundreds takes a minute, for each resource writes the state. */
  public multiply(key: string, address: string, others: ReadonlyArray<readonly [key: string, address: string]>): void {
    const file = join(this.folder, "terraform.tfstate");
    const state = JSON.parse(readFileSync(file, "utf8")) as { resources: StateResource[] };
    for (const resource of state.resources.filter(({ name }) => !/_host_[0-9a-f]{12}$/.test(name))) {
      const [one] = resource.instances.filter((instance) => instance.index_key === key);
      const text = JSON.stringify(one ?? null).replaceAll(JSON.stringify(address), '"ADDRESS"');
      resource.instances.push(
        ...(one === undefined ? [] : others).map(([other, elsewhere], index): Json => {
          const made = text.replaceAll('"ADDRESS"', JSON.stringify(elsewhere));
          const withIds = made.replace(
            /(-[0-9a-f]{4}-[0-9a-f]{8})[0-9a-f]{4}"/g,
            `$1${String(index).padStart(4, "0")}"`,
          );
          return { ...(JSON.parse(withIds) as Json), index_key: other };
        }),
      );
    }
    writeFileSync(file, JSON.stringify({ ...state, resources: withSealsTogether(state.resources) }));
  }

  public async plan(configuration: Configuration, ...args: readonly string[]): Promise<Planned> {
    await this.write(configuration);
    // A plan that fails is written all the same.
    const text = await this.terraform("plan", "-out=plan.tfplan", ...args).catch(
      (error: { stdout: string }) => error.stdout,
    );
    return { json: await this.terraform("show", "-json", "plan.tfplan"), text };
  }

  /** `terraform state …`, `taint`, and the like. */
  public async terraform(command: string, ...args: readonly string[]): Promise<string> {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("TF_"));
    const env = {
      ...Object.fromEntries(own),
      CHECKPOINT_DISABLE: "1",
      TF_CLI_CONFIG_FILE: "/dev/null",
      ...this.provider?.env,
    };
    const noColor = ["show", "state"].includes(command) ? [] : ["-no-color"];
    const { stdout } = await run(this.program, [command, ...noColor, ...args], {
      cwd: this.folder,
      env,
      maxBuffer: 1 << 28,
    });
    return stdout;
  }

  /** For a module, or whatever else the configuration names. */
  public async write(configuration: Configuration, file = "main.tf.json"): Promise<void> {
    writeFileSync(join(this.folder, file), JSON.stringify(configuration));
    await this.terraform("init", "-input=false");
  }

  public path(name: string): string {
    return join(this.folder, name);
  }

  public remove(): void {
    this.provider?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function withoutProvisioners(configuration: Configuration): Configuration {
  const copy = structuredClone(configuration);
  for (const resources of Object.values(copy.resource ?? {})) {
    Object.values(resources).forEach((one) => delete one.provisioner);
  }
  return copy;
}
