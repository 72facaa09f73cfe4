/** Synthesises as cdktf does, and reads what Terraform would get. */
import { App, type TerraformResource, TerraformStack, Testing } from "cdktf";
import { type Construct } from "constructs";
import { defined, items } from "../../support/required";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../../../lib/index";

export interface Provisioner {
  readonly inline: readonly string[];
  readonly connection: Readonly<Record<string, unknown>>;
  readonly when?: string;
  readonly on_failure?: string;
}

/** One of the resources of a firewall, as it stands in the configuration. */
export interface Block {
  readonly for_each: string;
  readonly triggers?: Readonly<Record<string, unknown>>;
  readonly triggers_replace?: Readonly<Record<string, unknown>>;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly provisioner?: ReadonlyArray<{ readonly "remote-exec": Provisioner }>;
  readonly lifecycle?: Readonly<Record<string, unknown>>;
  readonly depends_on?: readonly string[];
}

export type Entry = Readonly<Record<string, unknown>>;

export interface Configuration {
  readonly locals: Readonly<Record<string, Readonly<Record<string, Entry>> | string>>;
  readonly provider?: Readonly<Record<string, readonly unknown[]>>;
  readonly resource: Readonly<Record<string, Readonly<Record<string, Block>>>>;
  readonly output?: Readonly<Record<string, { readonly value: unknown }>>;
}

export function stackOf(build: (stack: TerraformStack) => unknown, scope: Construct = Testing.app()): TerraformStack {
  const stack = new TerraformStack(scope, "fleet");
  build(stack);
  return stack;
}

export function textOf(stack: TerraformStack): string {
  return Testing.synth(stack, true);
}

export function configurationOf(stack: TerraformStack): Configuration {
  return JSON.parse(textOf(stack)) as Configuration;
}

/** The configuration of a stack with one firewall in it. */
export function synth(props: SshOnlyFirewallProps): Configuration {
  return configurationOf(stackOf((stack) => new SshOnlyFirewall(stack, "firewall", props)));
}

/** The parts of the one firewall in `synth`. */
export function partsOf(configuration: Configuration, type: "null_resource" | "terraform_data" = "null_resource") {
  const block = (part: string): Block => defined(defined(configuration.resource[type])[`firewall_${part}`]);
  const entries = (name: string): Readonly<Record<string, Entry>> =>
    configuration.locals[`firewall_${name}`] as Readonly<Record<string, Entry>>;
  const provisioners = (part: string): Provisioner[] =>
    (block(part).provisioner ?? []).map((one) => one["remote-exec"]);
  const [lock, confirm] = items(provisioners("lockdown"), 2);
  const [unlock, confirmUnlock] = provisioners("hold");
  return {
    hosts: entries("hosts"),
    rulesets: entries("rulesets"),
    ruleset: block("ruleset"),
    hold: block("hold"),
    lockdown: block("lockdown"),
    lock,
    confirm,
    unlock,
    confirmUnlock,
  };
}

/** The value of a setting in a script, as it stands there. */
export function settingOf(provisioner: Provisioner, name: string): string | undefined {
  return new RegExp(`^SSH_ONLY_${name}=(.*)$`, "m").exec(provisioner.inline.join("\n"))?.[1];
}

/** What is wrong with the properties, as the synth tells it. */
export function synthErrorOf(build: (stack: TerraformStack) => unknown): string {
  try {
    textOf(stackOf(build));
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

/** The warnings that a synth leaves at the firewall. */
export function warningsOf(firewall: SshOnlyFirewall): string[] {
  return firewall.node.metadata.filter(({ type }) => type === "@cdktf/warn").map(({ data }) => data as string);
}

/** An attribute of another resource, unknown until Terraform has made it. */
export function attributeOf(resource: TerraformResource, name = "id"): string {
  return resource.getStringAttribute(name);
}

/** An app that writes its files, as `cdktf synth` does. */
export function writingApp(outdir: string, options: { skipValidation?: boolean } = {}): App {
  return new App({ outdir, ...options });
}

export const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxh";
export const OTHER_HOST_KEY = HOST_KEY.replace("Gxh", "Hxh");
