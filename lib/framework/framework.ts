/**
 * The framework, and the only file that names it. The build makes a second package entry of this source, in which cdktf
 * reads cdktn (`build/cdktn.ts`).
 */
export {
  Annotations,
  App,
  Aspects,
  CloudBackend,
  NamedCloudWorkspace,
  TaggedCloudWorkspaces,
  TerraformBackend,
  TerraformDataSource,
  TerraformElement,
  TerraformLocal,
  TerraformOutput,
  TerraformProvider,
  TerraformResource,
  TerraformStack,
  Token,
  Tokenization,
} from "cdktf";
export type {
  CloudBackendConfig,
  IResolvable,
  IResolveContext,
  ITerraformDependable,
  RemoteExecProvisioner,
  SSHProvisionerConnection,
  TerraformRemoteState,
} from "cdktf";

/** The package that this entry is made for. */
export const FRAMEWORK: "cdktf" | "cdktn" = "cdktf";
