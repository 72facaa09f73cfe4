/**
 * The seals: a lockdown whose confirm ended well is sealed in the same run (ARCHITECTURE.md, "Terraform"). Terraform writes a
 * lockdown into the state before its provisioners run, so that a run that is killed leaves it there as if it had ended. The
 * next plan sees that its seal is not of the same plan, and locks the host once more under the same lockdown.
 */
import { TerraformElement } from "cdktf";
import { hostSuffix, LOCALS, PARTS, SEAL_TYPE, type SealPart } from "../contract/names";
import { PLANNED_AT, SEAL_TRIGGERS, TRACKERS } from "../contract/triggers";
import { writtenConnection } from "./connection";
import { addressOf, type Context, reference } from "./context";
import { quoted } from "./escape";
import { withoutTokens } from "./later";
import { areSealedAlone, suffixesOf } from "./layout";
import { type LockdownGroup, type Lockdowns, NOW } from "./lockdown";
import type { Provisioner } from "./tracker";

const { triggers: TRIGGERS_OF, memory: KEPT_IN } = TRACKERS[SEAL_TYPE];

/** Lockdowns that are sealed in one resource: of one host, or of all hosts of a resource. */
interface Seal {
  readonly suffix: string;
  readonly lockdowns: LockdownGroup;
  /** The host, where it is sealed alone. */
  readonly key?: string;
}

export class Seals extends TerraformElement {
  public constructor(
    private readonly context: Context,
    private readonly lockdowns: Lockdowns,
  ) {
    super(context.scope, "seals");
  }

  /** An expression: of each host that is known to be confirmed, that it is so. */
  public get sealed(): string {
    const locals = this.seals().map(({ suffix }) => this.local(LOCALS.sealed, suffix));
    return locals.length === 1 ? locals.join() : `merge(${["{}", ...locals].join(", ")})`;
  }

  public override toTerraform(): unknown {
    const seals = this.seals();
    return seals.length === 0
      ? {}
      : {
          locals: Object.assign({}, ...seals.map((one) => this.localsOf(one))) as object,
          resource: { [SEAL_TYPE]: Object.assign({}, ...seals.map((one) => this.resourcesOf(one))) as object },
        };
  }

  /**
   * A small fleet has a resource for each host, which depends on the lockdown of that host alone: what depends on others too is
   * not made where one of them fails.
   */
  private seals(): readonly Seal[] {
    const { configuration, props } = this.context;
    const { groups } = this.lockdowns;
    if (!areSealedAlone(configuration.hosts.length)) {
      return groups.map((lockdowns) => ({ suffix: lockdowns.group.suffix, lockdowns }));
    }
    return configuration.hosts.flatMap(({ key }) => {
      const suffix = suffixesOf(key, props.layout)[PARTS.lockdown];
      const lockdowns = groups.find(({ group }) => group.suffix === suffix);
      return lockdowns === undefined ? [] : [{ suffix: hostSuffix(key), lockdowns, key }];
    });
  }

  private localsOf(seal: Seal): Record<string, string> {
    const [sealed, relock, reseal] = [PARTS.seal, PARTS.relock, PARTS.reseal].map((part) =>
      this.context.address(part, seal.suffix),
    );
    const runs = this.local(LOCALS.runs, seal.suffix);
    const isSealed = `${sealed}[key].${KEPT_IN}.${PLANNED_AT} == run.${PLANNED_AT}`;
    const isResealed = `try(${reseal}[key].${KEPT_IN}.${PLANNED_AT} == ${relock}[key].${KEPT_IN}.${PLANNED_AT}, false)`;
    return {
      [this.context.name(LOCALS.runs, seal.suffix)]: `\${${this.runsOf(seal)}}`,
      [this.context.name(LOCALS.sealed, seal.suffix)]:
        `\${{ for key, run in ${runs} : key => true if ${isSealed} || ${isResealed} }}`,
    };
  }

  /** A lockdown that was made before there were seals has no time. */
  private runsOf({ lockdowns, key }: Seal): string {
    const address = addressOf(lockdowns.resource);
    const run = (lockdown: string): string =>
      `{ id = ${lockdown}.id, ${PLANNED_AT} = try(${this.context.tracker.remembered(lockdown, PLANNED_AT)}, "") }`;
    return key === undefined
      ? `{ for key, lockdown in ${address} : key => ${run("lockdown")} }`
      : `{ ${quoted(key)} = ${run(`${address}[${quoted(key)}]`)} }`;
  }

  private resourcesOf(seal: Seal): Record<string, object> {
    const { group, entries } = seal.lockdowns;
    const runs = this.local(LOCALS.runs, seal.suffix);
    const [sealed, relock] = [PARTS.seal, PARTS.relock].map((part) => this.context.address(part, seal.suffix));
    const differs = `${sealed}[key].${KEPT_IN}.${PLANNED_AT} != run.${PLANNED_AT}`;
    const isResealed = `self.${KEPT_IN}.${PLANNED_AT} == each.value.${KEPT_IN}.${PLANNED_AT}`;
    return {
      ...this.resource(PARTS.seal, seal, "each.value.id", { for_each: `\${${runs}}` }),
      ...this.resource(PARTS.relock, seal, `${runs}[each.key].id`, {
        for_each: `\${{ for key, run in ${runs} : key => ${reference(entries)}[key] if ${differs} }}`,
        provisioner: this.lockdowns.provisioners(group, `${runs}[each.key].id`).map(asWritten),
      }),
      ...this.resource(PARTS.reseal, seal, "each.value.id", {
        for_each: `\${${relock}}`,
        postcondition: { condition: `\${${isResealed}}`, error_message: notResealed(seal) },
      }),
    };
  }

  private resource(
    part: SealPart,
    { suffix }: Seal,
    trigger: string,
    { postcondition, ...attributes }: { for_each: string; provisioner?: object[]; postcondition?: object },
  ): Record<string, object> {
    return {
      [this.context.name(part, suffix)]: {
        ...attributes,
        [TRIGGERS_OF]: { [SEAL_TRIGGERS[part]]: `\${${trigger}}` },
        [KEPT_IN]: { [PLANNED_AT]: NOW },
        lifecycle: { ignore_changes: [KEPT_IN], ...(postcondition && { postcondition: [postcondition] }) },
      },
    };
  }

  private local(name: string, suffix: string): string {
    return `local.${this.context.name(name, suffix)}`;
  }
}

function notResealed({ lockdowns }: Seal): string {
  const lockdown = `${addressOf(lockdowns.resource)}["\${each.key}"]`;
  return (
    "Host ${each.key} may be open: two runs in a row were ended by force before they had locked it. " +
    `Run: terraform apply -replace='${lockdown}' (with cdktf, in the folder cdktf.out/stacks/NAME of its stack)`
  );
}

/** As it stands in Terraform's JSON: these resources are not written by cdktf. */
function asWritten({ type, inline, connection }: Provisioner): object {
  return withoutTokens({ [type]: { inline, connection: connection && writtenConnection(connection) } });
}
