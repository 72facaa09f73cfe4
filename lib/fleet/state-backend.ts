/** Where a stack's state is, in Terraform's own settings and as part of the stack. */
import { resolve } from "node:path";
import {
  CloudBackend,
  type CloudBackendConfig,
  NamedCloudWorkspace,
  TaggedCloudWorkspaces,
  TerraformBackend,
} from "../framework/framework";
import type { TerraformRemoteState, TerraformStack } from "../framework/framework";
import type { Construct } from "constructs";
import { LOCAL_STATE, settingsOfStack } from "./state-settings";
import type { FleetPart } from "./stacks";

/** The block `terraform` of a configuration with that state. */
export function stateConfiguration({ name, state = LOCAL_STATE }: FleetPart): Record<string, unknown> {
  const { kind, settings, encryption } = state;
  const encrypted = encryption === undefined ? {} : { encryption };
  if (kind === "cloud") {
    return { cloud: settingsOfStack(state, name), ...encrypted };
  }
  const filled = settingsOfStack({ kind, settings }, name);
  // Terraform runs in a folder that is made anew; the user's paths begin where the fleet file's app runs.
  const path = typeof filled.path === "string" ? { path: resolve(filled.path) } : {};
  return { backend: { [kind]: kind === "local" ? { ...filled, ...path } : filled }, ...encrypted };
}

export function addBackend(scope: TerraformStack, part: FleetPart): void {
  const { cloud, backend, encryption } = stateConfiguration(part) as {
    readonly encryption?: object;
    readonly cloud?: { readonly organization: string; readonly hostname?: string; readonly workspaces: Workspaces };
    readonly backend?: Record<string, Record<string, unknown>>;
  };
  if (cloud !== undefined) {
    new CloudBackend(scope, { ...cloud, workspaces: workspacesOf(cloud.workspaces) });
  }
  for (const [kind, settings] of Object.entries(backend ?? {})) {
    new Backend(scope, kind, settings);
  }
  if (encryption !== undefined) {
    // No class of cdktf has it.
    scope.addOverride("terraform.encryption", encryption);
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
