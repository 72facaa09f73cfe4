/** Where a stack's state is, in Terraform's own settings and as part of the stack. */
import { resolve } from "node:path";
import {
  CloudBackend,
  type CloudBackendConfig,
  NamedCloudWorkspace,
  TaggedCloudWorkspaces,
  TerraformBackend,
} from "cdktf";
import type { TerraformRemoteState } from "cdktf";
import type { Construct } from "constructs";
import { settingsOfStack } from "./state-settings";
import type { FleetPart } from "./stacks";

/** The block `terraform` of a configuration with that state. */
export function stateConfiguration({ name, state }: FleetPart): Record<string, unknown> {
  if (state?.kind === "cloud") {
    return { cloud: settingsOfStack(state, name) };
  }
  // cdktf's own default.
  const { kind, settings } = state ?? { kind: "local", settings: { path: "terraform.{stack}.tfstate" } };
  const filled = settingsOfStack({ kind, settings }, name);
  // Terraform runs in a folder that is made anew; the user's paths begin where the fleet file's app runs.
  const path = typeof filled.path === "string" ? { path: resolve(filled.path) } : {};
  return { backend: { [kind]: kind === "local" ? { ...filled, ...path } : filled } };
}

export function addBackend(scope: Construct, part: FleetPart): void {
  const { cloud, backend } = stateConfiguration(part) as {
    readonly cloud?: { readonly organization: string; readonly hostname?: string; readonly workspaces: Workspaces };
    readonly backend?: Record<string, Record<string, unknown>>;
  };
  if (cloud !== undefined) {
    new CloudBackend(scope, { ...cloud, workspaces: workspacesOf(cloud.workspaces) });
  }
  for (const [kind, settings] of Object.entries(backend ?? {})) {
    new Backend(scope, kind, settings);
  }
}

interface Workspaces {
  readonly name?: string;
  readonly tags?: string[];
  readonly project?: string;
}

function workspacesOf({ name, tags, project }: Workspaces): CloudBackendConfig["workspaces"] {
  return name === undefined ? new TaggedCloudWorkspaces(tags ?? [], project) : new NamedCloudWorkspace(name, project);
}

/** cdktf's own classes know neither all backends nor all settings, and rename the keys of maps. */
class Backend extends TerraformBackend {
  public constructor(
    scope: Construct,
    kind: string,
    private readonly settings: Record<string, unknown>,
  ) {
    super(scope, "backend", kind);
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return this.settings;
  }

  public override getRemoteStateDataSource(): TerraformRemoteState {
    throw new Error("No stack of a fleet refers to another.");
  }
}
