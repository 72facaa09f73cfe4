/**
 * The seals: a lockdown whose confirm ended well is sealed in the same run (ARCHITECTURE.md, "Terraform"). Terraform writes a
 * lockdown into the state before its provisioners run, so that a run that is killed leaves it there as if it had ended. The
 * next plan sees that its seal is not of the same plan, and locks the host once more under the same lockdown.
 */
import { type SSHProvisionerConnection, TerraformElement } from "cdktf";
import { hostSuffix, LOCALS, PARTS, type SealPart } from "../contract/names";
import { PLANNED_AT, SEAL_TRIGGERS, TRACKERS } from "../contract/triggers";
import { asWritten } from "./connection";
import { addressOf, type Context, reference } from "./context";
import { quoted } from "./escape";
import { withoutTokens } from "./later";
import { MOST_SEALED_ALONE, suffixesOf } from "./layout";
import { type LockdownGroup, type Lockdowns, NOW } from "./lockdown";

const TYPE = "terraform_data";
const { triggers: TRIGGERS_OF, memory: KEPT_IN } = TRACKERS[TYPE];

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
          resource: { [TYPE]: Object.assign({}, ...seals.map((one) => this.resourcesOf(one))) as object },
        };
  }

  /**
   * A small fleet has a resource for each host, which depends on the lockdown of that host alone: what depends on others too is
   * not made where one of them fails.
   */
  private seals(): readonly Seal[] {
    const { configuration, props } = this.context;
    const { groups } = this.lockdowns;
    if (configuration.hosts.length > MOST_SEALED_ALONE) {
      return groups.map((lockdowns) => ({ suffix: lockdowns.group.suffix, lockdowns }));
    }
    return configuration.hosts.flatMap(({ key }) => {
      const suffix = suffixesOf(key, props.layout)[PARTS.lockdown];
      const lockdowns = groups.find(({ group }) => group.suffix === suffix);
      return lockdowns === undefined ? [] : [{ suffix: hostSuffix(key), lockdowns, key }];
    });
  }

  private localsOf(seal: Seal): Record<string, string> {
    const [sealed, relock, reseal] = [PARTS.seal, PARTS.relock, PARTS.reseal].map((part) => this.address(part, seal));
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
    const runs = this.local(LOCALS.runs, seal.suffix);
    const [sealed, relock] = [PARTS.seal, PARTS.relock].map((part) => this.address(part, seal));
    const differs = `${sealed}[key].${KEPT_IN}.${PLANNED_AT} != run.${PLANNED_AT}`;
    const entries = reference(seal.lockdowns.entries);
    return {
      ...this.resource(PARTS.seal, seal, { for_each: `\${${runs}}` }, "each.value.id"),
      ...this.resource(
        PARTS.relock,
        seal,
        {
          for_each: `\${{ for key, run in ${runs} : key => ${entries}[key] if ${differs} }}`,
          provisioner: this.lockdowns
            .provisioners(seal.lockdowns.group, `${runs}[each.key].id`)
            .map(({ type, inline, connection }) =>
              withoutTokens({
                [type]: { inline, connection: connection && asWritten(connection as SSHProvisionerConnection) },
              }),
            ),
        },
        `${runs}[each.key].id`,
      ),
      ...this.resource(PARTS.reseal, seal, { for_each: `\${${relock}}` }, "each.value.id", {
        postcondition: [
          {
            condition: `\${self.${KEPT_IN}.${PLANNED_AT} == each.value.${KEPT_IN}.${PLANNED_AT}}`,
            error_message: this.notResealed(seal),
          },
        ],
      }),
    };
  }

  private notResealed({ lockdowns }: Seal): string {
    const lockdown = `${addressOf(lockdowns.resource)}["\${each.key}"]`;
    return (
      "Host ${each.key} may be open: two runs in a row were ended by force before they had locked it. " +
      `Run: terraform apply -replace='${lockdown}' (with cdktf, in the folder cdktf.out/stacks/NAME of its stack)`
    );
  }

  private resource(
    part: SealPart,
    seal: Seal,
    attributes: object,
    trigger: string,
    lifecycle: object = {},
  ): Record<string, object> {
    return {
      [this.context.name(part, seal.suffix)]: {
        ...attributes,
        [TRIGGERS_OF]: { [SEAL_TRIGGERS[part]]: `\${${trigger}}` },
        [KEPT_IN]: { [PLANNED_AT]: NOW },
        lifecycle: { ignore_changes: [KEPT_IN], ...lifecycle },
      },
    };
  }

  private address(part: SealPart, { suffix }: Seal): string {
    return `${TYPE}.${this.context.name(part, suffix)}`;
  }

  private local(name: string, suffix: string): string {
    return `local.${this.context.name(name, suffix)}`;
  }
}
