/** What end-to-end tests share: hosts of a lab, locked by the construct through the real Terraform. */
import type { TerraformStack } from "cdktf";
import { defined, withoutUndefined } from "../../support/required";
import {
  type BastionProps,
  type ConnectionProps,
  type HostProps,
  SshOnlyFirewall,
  type SshOnlyFirewallProps,
  type TrackerKind,
} from "../../../lib/index";
import type { Host, Lab, RunResult } from "../../lab/lab";
import { nullProvider, type ProviderChoice, synthStack, Terraform, type SynthesisedStack } from "../../lab/terraform";

/** As for the construct; `hosts` are all of the lab's that run, unless others are given. */
export type DeploymentProps = Omit<SshOnlyFirewallProps, "hosts"> & {
  readonly hosts?: Readonly<Record<string, string | HostProps>>;
};

/** The sources of the controller's own addresses, so that a lab's peers are strangers. */
export const controllerOnly = ["10.77.0.1", "fd77::1"];

/** What tests use that are not about it. SSH_ONLY_LAB_TRACKER chooses another one. */
const USUAL = (process.env.SSH_ONLY_LAB_TRACKER ?? "terraform_data") as TrackerKind;

/** One stack with one firewall, in a folder of its own: what a user's project is. */
export class Deployment {
  private outdir: string | undefined;
  private synthesised: SynthesisedStack | undefined;
  private usualProvider: ProviderChoice | undefined;

  public constructor(private readonly lab: Lab) {}

  /** Synthesises and applies, again into the same state when called again. A failed apply throws. */
  public async apply(props: DeploymentProps = {}): Promise<RunResult> {
    return (await this.prepare(props)).apply();
  }

  /** Only synthesises (and runs `terraform init` the first time), for tests that run Terraform their own way. */
  public async prepare(props: DeploymentProps = {}): Promise<Terraform> {
    const first = this.outdir === undefined;
    const all: SshOnlyFirewallProps = {
      tracker: USUAL,
      allowFrom: controllerOnly,
      hosts: hostEntries(this.lab),
      ...props,
    };
    const build = (stack: TerraformStack): void => {
      this.addTo(stack);
      new SshOnlyFirewall(stack, "firewall", all);
    };
    this.synthesised = synthStack(this.lab, build, { outdir: this.outdir });
    this.outdir = this.synthesised.outdir;
    if (first) {
      this.usualProvider =
        props.tracker === undefined && USUAL === "null_resource" ? await nullProvider(this.lab) : undefined;
      await this.terraform.init();
    }
    return this.terraform;
  }

  /** What the stack has besides the firewall, such as a backend. */
  protected addTo(stack: TerraformStack): void {
    void stack;
  }

  public destroy(): Promise<RunResult> {
    return this.terraform.destroy();
  }

  public get terraform(): Terraform {
    return new Terraform(this.lab, this.stack.folder, this.usualProvider);
  }

  public get stack(): SynthesisedStack {
    if (this.synthesised === undefined) {
      throw new Error("Nothing has been synthesised yet.");
    }
    return this.synthesised;
  }
}

/** Locks the lab's hosts, with `terraform_data` and the controller as the only source unless `props` say otherwise. */
export async function lock(lab: Lab, props: DeploymentProps = {}): Promise<Deployment> {
  const deployment = new Deployment(lab);
  await deployment.apply(props);
  return deployment;
}

/** The hosts as a user would write them for the construct. */
export function hostEntries(lab: Lab, hosts = lab.hosts.filter((host) => host.isRunning)): Record<string, HostProps> {
  return Object.fromEntries(hosts.map((host) => [host.name, hostEntry(lab, host)]));
}

/** What goes over the usual entry of a host; undefined takes a property out of it. */
export type EntryOverrides = OrUndefined<Omit<HostProps, "connection">> & {
  readonly connection?: OrUndefined<Omit<ConnectionProps, "bastion">> & {
    readonly bastion?: OrUndefined<BastionProps> | undefined;
  };
};

type OrUndefined<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** One host as a user would write it; `overrides` of the connection go over it. */
export function hostEntry(lab: Lab, host: Host, overrides: EntryOverrides = {}): HostProps {
  const { bastion, ...connection } = {
    user: host.user,
    privateKeyPath: lab.privateKeyPath,
    hostKey: host.hostKey,
    timeoutSeconds: 60,
    ...overrides.connection,
  };
  const { address = host.ipv4, ...others } = overrides;
  return withoutUndefined({
    address,
    sshPort: host.sshPort,
    ...others,
    connection: withoutUndefined({ ...connection, bastion: bastion && bastionOf(bastion) }),
  });
}

function bastionOf(bastion: OrUndefined<BastionProps>): BastionProps {
  return withoutUndefined({ ...bastion, host: defined(bastion.host, "bastion") });
}
