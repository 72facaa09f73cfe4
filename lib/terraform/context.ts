/** What the resources of a firewall have in common: their names, their locals, and the hosts that they are written for. */
import { relative, resolve } from "node:path";
import { App, TerraformLocal, type TerraformResource, TerraformStack } from "../framework/framework";
import type { Construct } from "constructs";
import { CONNECTION } from "../contract/connection";
import { nameIn, type Part, SEAL_PARTS, SEAL_TYPE } from "../contract/names";
import { REMEMBERED_SETTINGS } from "../contract/settings";
import { HOLD_ROLE, KEYS_CHECKED, PLANNED_AT } from "../contract/triggers";
import type { FirewallSettings } from "../policy/firewall";
import type { Host } from "../policy/host";
import { Configuration } from "./configuration";
import { quoted } from "./escape";
import { Later } from "./later";
import { type TrackedProps, type Tracker, trackerOf } from "./tracker";

export interface FirewallResourcesProps extends FirewallSettings {
  /** The hosts, sorted by key; called again when more were added. */
  readonly hosts: () => readonly Host[];
  /** Throws if the configuration must not be written. */
  readonly assertSound: () => void;
}

/** All names that the memory of a resource may have. */
const MEMORY_NAMES = [
  ...[...Object.values(CONNECTION), ...REMEMBERED_SETTINGS, HOLD_ROLE].map(({ name }) => name),
  PLANNED_AT,
  KEYS_CHECKED,
];

export class Context {
  public readonly tracker: Tracker;
  private current: Configuration | undefined;

  public constructor(
    public readonly scope: Construct,
    public readonly props: FirewallResourcesProps,
  ) {
    this.tracker = trackerOf(props.tracker, MEMORY_NAMES);
  }

  /** Of the hosts that there are now. */
  public get configuration(): Configuration {
    const hosts = this.props.hosts();
    if (this.current?.hosts !== hosts) {
      this.current = new Configuration(hosts, this.props.shared, this.props.layout.shards);
    }
    return this.current;
  }

  /**
   * The folder in which the app runs, as a template: it is found from the folder of the stack, in which Terraform runs, so that the
   * configuration is the same in every checkout.
   */
  public get appFolder(): string {
    const stack = resolve(App.of(this.scope).outdir, "stacks", TerraformStack.of(this.scope).node.id);
    const way = relative(stack, resolve("."));
    return /^\.\.([/]\.\.)*$/.test(way) ? `\${path.root}/${way}` : quoted(resolve(".")).slice(1, -1);
  }

  /** Readable names, unique because the construct's own logical id is. */
  public name(part: string, suffix = ""): string {
    return nameIn(TerraformStack.of(this.scope).getLogicalId(this.scope.node), part, suffix);
  }

  /** The address of a resource in Terraform. */
  public address(part: Part, suffix: string): string {
    const type = SEAL_PARTS.some((one) => one === part) ? SEAL_TYPE : this.props.tracker;
    return `${type}.${this.name(part, suffix)}`;
  }

  public track(part: Part, suffix: string, props: TrackedProps): TerraformResource {
    return this.tracker.track(this.scope, `${part}${suffix}`, this.name(part, suffix), props);
  }

  /** A local that is written from what `produce` returns when the stack is. */
  public local(part: string, suffix: string, produce: () => unknown): TerraformLocal {
    const expression = new Later((context) => {
      if (!context.preparing) {
        this.props.assertSound();
      }
      return produce();
    });
    const made = new TerraformLocal(this.scope, `${part}${suffix}-local`, expression);
    made.overrideLogicalId(this.name(part, suffix));
    return made;
  }
}

/** The address of a resource within an expression, where cdktf knows not how to write more than one token. */
export function addressOf(resource: TerraformResource): string {
  return `${resource.terraformResourceType}.${resource.friendlyUniqueId}`;
}

export function reference(local: TerraformLocal): string {
  return `local.${local.friendlyUniqueId}`;
}
