/**
 * The two kinds of resource that can stand for a host in the state. Both run provisioners and are replaced when a
 * trigger changes; they differ in what else they can remember.
 */
import { NullProvider, NullResource } from "../framework/null-provider";
import {
  type ITerraformDependable,
  type RemoteExecProvisioner,
  type TerraformLocal,
  TerraformResource,
} from "../framework/framework";
import type { Construct } from "constructs";
import { type TrackerKind, TRACKERS } from "../contract/triggers";
import { jsonToExpression, quoted } from "./escape";
import { withoutTokens } from "./later";
import { ensureProvider } from "./provider";

/** cdktf's own type knows neither of the two that it leaves out; both reach Terraform. */
export type Provisioner = RemoteExecProvisioner & {
  readonly when?: "destroy";
  readonly onFailure?: "continue";
};

/** What must be true before a resource is made: an expression, and a template with the reason. */
export interface Precondition {
  readonly condition: string;
  readonly errorMessage: string;
}

/** What a resource is made of once all hosts are known. Values are Terraform templates. */
export interface Contents {
  /** A change of one of these replaces the resource. */
  readonly triggers: Readonly<Record<string, string>>;
  /** Expressions of objects with more of them, none or some. */
  readonly conditionalTriggers?: readonly string[];
  /** Kept for the destroy provisioner; a change of these replaces nothing. */
  readonly memory?: Readonly<Record<string, string>>;
  /** Stays what it was when the resource was made, and replaces nothing. Not together with memory that follows. */
  readonly kept?: Readonly<Record<string, string>>;
  readonly provisioners?: readonly Provisioner[];
  /**
   * Whether what names one instance waits for that one alone. Terraform has those that a plan does not change in the graph of the
   * apply only where there is a condition to check; without, such a reference is one to all instances.
   */
  readonly isNamedByInstance?: boolean;
  readonly precondition?: Precondition | undefined;
}

const ALWAYS_TRUE = { condition: '${self.id != ""}', errorMessage: "Terraform gave it no id." };

function setLifecycle(resource: TerraformResource, contents: Contents, ignored: readonly string[]): void {
  const { isNamedByInstance, precondition } = contents;
  if (ignored.length > 0) {
    resource.lifecycle = { ...resource.lifecycle, ignoreChanges: [...ignored] };
  }
  if (isNamedByInstance === true) {
    resource.lifecycle = { ...resource.lifecycle, postcondition: [ALWAYS_TRUE] };
  }
  if (precondition !== undefined) {
    resource.lifecycle = { ...resource.lifecycle, precondition: [precondition] };
  }
}

export interface TrackedProps {
  /** The local whose keys name the instances: a map written into the resource would make Terraform quadratic. */
  readonly forEach: TerraformLocal;
  readonly dependsOn?: ITerraformDependable[];
  /** Asked when the stack is written. */
  readonly contents: () => Contents;
}

export interface Tracker {
  /** Creates a resource whose address is `TYPE.logicalId`. */
  track(scope: Construct, id: string, logicalId: string, props: TrackedProps): TerraformResource;
  /** The triggers of an instance, as an expression. */
  triggersOf(instance: string): string;
  /** What an instance remembers under that name, as an expression; of `self` in its own provisioner. */
  remembered(instance: string, name: string): string;
  /** Whether memory follows the configuration, or stays what it was when the resource was made. */
  readonly memoryFollows: boolean;
}

/** Every name that memory may have: a null_resource must ignore also those that it no longer has. */
export function trackerOf(kind: TrackerKind, memoryNames: readonly string[]): Tracker {
  return kind === "null_resource" ? new NullResourceTracker(memoryNames) : new TerraformDataTracker();
}

class NullResourceTracker implements Tracker {
  public readonly memoryFollows = false;

  public constructor(private readonly memoryNames: readonly string[]) {}

  public track(scope: Construct, id: string, logicalId: string, props: TrackedProps): TerraformResource {
    ensureProvider(scope, "null", (stack) => new NullProvider(stack, "ssh-only-firewall-null"));
    const ignoreChanges = this.memoryNames.map((name) => `triggers[${quoted(name)}]`);
    class TrackedNullResource extends NullResource {
      public override toTerraform(): unknown {
        const contents = props.contents();
        const { triggers, conditionalTriggers, memory, kept, provisioners } = contents;
        this.triggers = withConditional({ ...memory, ...kept, ...triggers }, conditionalTriggers);
        setProvisioners(this, provisioners);
        // Every trigger of a null_resource forces a replacement, and replacing a hold would open its host.
        setLifecycle(this, contents, memory === undefined && kept === undefined ? [] : ignoreChanges);
        return withPlainProvisioners(super.toTerraform(), this.rawOverrides);
      }
    }
    const resource = new TrackedNullResource(scope, id, metaArguments(props));
    resource.overrideLogicalId(logicalId);
    return resource;
  }

  public triggersOf(instance: string): string {
    return `${instance}.${TRACKERS.null_resource.triggers}`;
  }

  public remembered(instance: string, name: string): string {
    return `${instance}.${TRACKERS.null_resource.memory}.${name}`;
  }
}

class TerraformDataTracker implements Tracker {
  public readonly memoryFollows = true;

  public track(scope: Construct, id: string, logicalId: string, props: TrackedProps): TerraformResource {
    // Not cdktf's DataResource, which starts Terraform for each to get its version.
    class TrackedDataResource extends TerraformResource {
      private contents: Contents | undefined;

      public override toTerraform(): unknown {
        this.contents = props.contents();
        setProvisioners(this, this.contents.provisioners);
        setLifecycle(this, this.contents, this.contents.kept === undefined ? [] : [TRACKERS.terraform_data.memory]);
        return withPlainProvisioners(super.toTerraform(), this.rawOverrides);
      }

      protected override synthesizeAttributes(): Record<string, unknown> {
        const { triggers, conditionalTriggers, memory, kept } = this.contents ?? props.contents();
        const { triggers: replacing, memory: remembered } = TRACKERS.terraform_data;
        return { [remembered]: memory ?? kept, [replacing]: withConditional(triggers, conditionalTriggers) };
      }
    }
    const resource = new TrackedDataResource(scope, id, {
      terraformResourceType: "terraform_data",
      ...metaArguments(props),
    });
    resource.overrideLogicalId(logicalId);
    return resource;
  }

  public triggersOf(instance: string): string {
    return `${instance}.${TRACKERS.terraform_data.triggers}`;
  }

  public remembered(instance: string, name: string): string {
    return `${instance}.${TRACKERS.terraform_data.memory}.${name}`;
  }
}

function setProvisioners(resource: TerraformResource, provisioners: readonly Provisioner[] | undefined): void {
  if (provisioners !== undefined) {
    resource.provisioners = [...provisioners];
  }
}

/** What cdktf makes of a resource, whose provisioners have no tokens, but for those of an override. */
function withPlainProvisioners(written: unknown, overrides: object): unknown {
  if (Object.keys(overrides).length === 0) {
    const { resource = {} } = written as { resource?: Record<string, Record<string, { provisioner?: object[] }>> };
    for (const attributes of Object.values(resource).flatMap((named) => Object.values(named))) {
      if (attributes.provisioner !== undefined) {
        attributes.provisioner = attributes.provisioner.map(withoutTokens);
      }
    }
  }
  return written;
}

function metaArguments(props: TrackedProps) {
  const expression = `\${local.${props.forEach.friendlyUniqueId}}`;
  // As TerraformIterator.fromMap, which makes a token of it, and takes a stack trace for each.
  return {
    forEach: { _getForEachExpression: () => expression, _getForExpressionInput: () => expression },
    ...(props.dependsOn && { dependsOn: props.dependsOn }),
  };
}

/** A trigger that is there only where its value, which is text, is not the one that says nothing; see `conditionalTriggers`. */
export function triggerUnless(name: string, value: string, silent: string): string {
  return `{ for name, value in { ${name} = ${value} } : name => value if value != ${quoted(silent)} }`;
}

/** Triggers, with those beside them that are there or not: a trigger that is there and empty is not the same as none. */
function withConditional<T>(triggers: Readonly<Record<string, string>>, conditional: readonly string[] = []): T {
  if (conditional.length === 0) {
    return { ...triggers } as T;
  }
  const entries = Object.entries(triggers).map(([name, value]) => `${quoted(name)} = ${jsonToExpression(value)}`);
  // cdktf accepts an expression where its type is a map.
  return `\${merge(${[`{ ${entries.join(", ")} }`, ...conditional].join(", ")})}` as T;
}
