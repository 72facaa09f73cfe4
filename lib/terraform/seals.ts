/**
 * The seals: a lockdown whose confirm ended well is sealed in the same run (docs/design/terraform.md). Terraform writes a
 * lockdown into the state before its provisioners run, so that a run that is killed leaves it there as if it had ended. The
 * next plan sees that its seal is not of the same plan, and locks the host once more under the same lockdown.
 */
import { TerraformElement, type TerraformLocal } from "../framework/framework";
import { hostSuffix, LOCALS, PARTS, SEAL_TYPE, shardSuffix, type SealPart } from "../contract/names";
import { PLANNED_AT, SEAL_TRIGGERS, SEALED_LOCKDOWNS, TRACKERS } from "../contract/triggers";
import { compare } from "../output/text";
import type { Host } from "../policy/host";
import { writtenConnection } from "./connection";
import { addressOf, type Context, reference } from "./context";
import { merged, quoted } from "./escape";
import { withoutTokens } from "./later";
import { areSealedAlone, type Group, SEAL_GROUPS, shardOf, suffixesOf } from "./layout";
import { type LockdownGroup, type Lockdowns, NOW } from "./lockdown";
import type { Provisioner } from "./tracker";

const { triggers: TRIGGERS_OF, memory: KEPT_IN } = TRACKERS[SEAL_TYPE];

/** Hosts that are sealed together, or one that is sealed alone. */
interface Seal {
  readonly suffix: string;
  readonly isAlone: boolean;
  readonly hosts: readonly SealedHost[];
}

interface SealedHost {
  readonly key: string;
  readonly lockdowns: LockdownGroup;
}

export class Seals extends TerraformElement {
  /** @param hosts the local of each shard's hosts */
  public constructor(
    private readonly context: Context,
    private readonly lockdowns: Lockdowns,
    private readonly hosts: readonly TerraformLocal[],
  ) {
    super(context.scope, "seals");
  }

  /** An expression: of each host that is known to be confirmed, its run. */
  public get sealed(): string {
    const locals = this.seals().map(({ suffix }) => this.local(LOCALS.sealed, suffix));
    return locals.length === 0 ? "{}" : merged(locals);
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
   * not made where one of them fails. Which hosts of a large one are sealed together depends on their keys alone, so that
   * another number of shards and other waves move no seal.
   */
  private seals(): readonly Seal[] {
    const { configuration, props } = this.context;
    const isAlone = areSealedAlone(configuration.hosts.length);
    const suffixOf = ({ key }: Host): string =>
      isAlone ? hostSuffix(key) : shardSuffix(shardOf(key, SEAL_GROUPS), SEAL_GROUPS);
    const hostsOf = new Map<string, SealedHost[]>();
    const groups = new Map(this.lockdowns.groups.map((lockdowns) => [lockdowns.group.suffix, lockdowns]));
    for (const host of configuration.hosts) {
      const lockdowns = groups.get(suffixesOf(host.key, props.layout)[PARTS.lockdown]);
      if (lockdowns !== undefined) {
        const suffix = suffixOf(host);
        hostsOf.set(suffix, [...(hostsOf.get(suffix) ?? []), { key: host.key, lockdowns }]);
      }
    }
    return [...hostsOf].sort(([a], [b]) => compare(a, b)).map(([suffix, hosts]) => ({ suffix, isAlone, hosts }));
  }

  private localsOf(seal: Seal): Record<string, string> {
    const { suffix, isAlone } = seal;
    const [sealed, relock, reseal] = [PARTS.seal, PARTS.relock, PARTS.reseal].map((part) =>
      this.context.address(part, suffix),
    );
    const runs = this.local(LOCALS.sealRuns, suffix);
    const isResealed = `try(${reseal}[key].id != "" && ${reseal}[key].${KEPT_IN}.${PLANNED_AT} == ${relock}[key].${KEPT_IN}.${PLANNED_AT}, false)`;
    const locals = {
      [LOCALS.sealRuns]: this.runsOf(seal),
      ...(isAlone ? {} : { [LOCALS.batches]: batches(runs) }),
      // Wherever an expression names the seals, Terraform looks up each of them in the list of all changes.
      [LOCALS.sealTimes]: `{ for key, seal in ${sealed} : key => seal.${KEPT_IN}.${PLANNED_AT} }`,
      [LOCALS.sealed]: `{ for key, run in ${runs} : key => run if ${this.isSealed(seal)} || ${isResealed} }`,
    };
    return Object.fromEntries(
      Object.entries(locals).map(([name, value]) => [this.context.name(name, suffix), `\${${value}}`]),
    );
  }

  private resourcesOf(seal: Seal): Record<string, object> {
    const { suffix, isAlone } = seal;
    const runs = this.local(LOCALS.sealRuns, suffix);
    const relock = this.context.address(PARTS.relock, suffix);
    return {
      ...this.resource(PARTS.seal, suffix, {
        for_each: `\${${isAlone ? runs : this.local(LOCALS.batches, suffix)}}`,
        [TRIGGERS_OF]: isAlone
          ? { [SEAL_TRIGGERS.seal]: "${each.value.id}" }
          : { [SEAL_TRIGGERS.batch]: "${each.key}" },
        [KEPT_IN]: { [PLANNED_AT]: NOW, ...(isAlone ? {} : { [SEALED_LOCKDOWNS]: "${each.value}" }) },
      }),
      ...this.resource(PARTS.relock, suffix, {
        for_each: `\${{ for key, run in ${runs} : key => ${this.entries(seal)}[key] if !(${this.isSealed(seal)}) }}`,
        [TRIGGERS_OF]: { [SEAL_TRIGGERS.relock]: `\${${runs}[each.key].id}` },
        [KEPT_IN]: { [PLANNED_AT]: NOW },
        provisioner: this.lockdowns.provisioners(groupsOf(seal), `${runs}[each.key].id`).map(asWritten),
      }),
      ...this.resource(
        PARTS.reseal,
        suffix,
        {
          for_each: `\${${relock}}`,
          [TRIGGERS_OF]: { [SEAL_TRIGGERS.reseal]: "${each.value.id}" },
          [KEPT_IN]: { [PLANNED_AT]: NOW },
        },
        {
          condition: `\${self.${KEPT_IN}.${PLANNED_AT} == each.value.${KEPT_IN}.${PLANNED_AT}}`,
          error_message: notResealed(runs),
        },
      ),
    };
  }

  private entries(seal: Seal): string {
    return merged(shardsOf(seal).map((shard) => reference(this.hosts[shard] as TerraformLocal)));
  }

  private resource(
    part: SealPart,
    suffix: string,
    attributes: Readonly<Record<string, unknown>>,
    postcondition?: object,
  ): Record<string, object> {
    const lifecycle = { ignore_changes: [KEPT_IN], ...(postcondition && { postcondition: [postcondition] }) };
    return { [this.context.name(part, suffix)]: { ...attributes, lifecycle } };
  }

  private runsOf({ isAlone, hosts }: Seal): string {
    const byLockdowns = new Map<LockdownGroup, string[]>();
    for (const { key, lockdowns } of hosts) {
      byLockdowns.set(lockdowns, [...(byLockdowns.get(lockdowns) ?? []), quoted(key)]);
    }
    const runs = [...byLockdowns].map(([{ resource, runs: all }, keys]) => {
      const alone = (key: string): string => this.lockdowns.runOf(resource, `${addressOf(resource)}[${key}]`);
      return isAlone
        ? `{ ${keys.map((key) => `${key} = ${alone(key)}`).join(", ")} }`
        : `{ for key in [${keys.join(", ")}] : key => ${reference(all)}[key] }`;
    });
    return merged(runs);
  }

  /** Of a host and its run: whether the seal was made in that run. */
  private isSealed({ suffix, isAlone }: Seal): string {
    const times = this.local(LOCALS.sealTimes, suffix);
    return `lookup(${times}, ${isAlone ? "key" : `run.${PLANNED_AT}`}, "never") == run.${PLANNED_AT}`;
  }

  private local(name: string, suffix: string): string {
    return `local.${this.context.name(name, suffix)}`;
  }
}

/** The ids of the lockdowns that were planned together, by the time of that. */
function batches(runs: string): string {
  const together = `{ for run in values(${runs}) : run.${PLANNED_AT} => run.id... }`;
  return `{ for at, ids in ${together} : at => ids if at != "" }`;
}

function shardsOf({ hosts }: Seal): readonly number[] {
  return [...new Set(hosts.map(({ lockdowns }) => lockdowns.group.shard))];
}

function groupsOf({ hosts }: Seal): readonly Group[] {
  return [...new Set(hosts.map(({ lockdowns }) => lockdowns.group))];
}

/** @param runs the local with the hosts' runs */
const notResealed = (runs: string): string =>
  "Host ${each.key} may be open: two runs in a row were ended by force before they had locked it. " +
  `Run: terraform apply -replace='\${${runs}[each.key].lockdown}["\${each.key}"]' ` +
  "(with cdktf, in the folder cdktf.out/stacks/NAME of its stack)";

/** As it stands in Terraform's JSON: these resources are not written by cdktf. */
function asWritten({ type, inline, connection, onFailure }: Provisioner): object {
  return withoutTokens({
    [type]: {
      inline,
      connection: connection && writtenConnection(connection),
      ...(onFailure && { on_failure: onFailure }),
    },
  });
}
