/** The lockdowns: each locks its host and confirms it, and does so again when a trigger changes. */
import type { ITerraformDependable, TerraformLocal, TerraformResource } from "../framework/framework";
import { ADDRESS, CONNECTION } from "../contract/connection";
import { LOCALS, PARTS, waveSuffix } from "../contract/names";
import { VERB, VERBS } from "../contract/script";
import { SETTING_LIST, SETTINGS } from "../contract/settings";
import { KEYS_CHECKED, PLANNED_AT, TRIGGERS } from "../contract/triggers";
import { connectionBlock } from "./connection";
import { addressOf, type Context, reference } from "./context";
import type { DriftDetection } from "./drift-detection";
import { expression, literal, merged, quoted, type Term, toExpression } from "./escape";
import type { Program } from "./host-program";
import type { Keys } from "./keys";
import { areSealedAlone, type Group, groupsOf } from "./layout";
import { memoryForPlans } from "./memory";
import type { Ruleset } from "./ruleset";
import { originOf } from "./origin";
import { script } from "./scripts";
import { type Contents, type Provisioner, triggerUnless } from "./tracker";
import { toTemplate } from "./values";

/** When the plan is made, which is the same throughout a plan and its apply. */
export const NOW = "${plantimestamp()}";

/** What a lockdown is made of besides its host. */
export interface LockdownProps {
  readonly ruleset: Ruleset;
  readonly program: Program;
  readonly drift: DriftDetection | undefined;
  /** By shard: the local of its hosts, and that of their holds' ids. */
  readonly entries: readonly TerraformLocal[];
  readonly holdIds: readonly TerraformLocal[];
  readonly keys: Keys;
}

/** A resource with the lockdowns of a group of hosts. */
export interface LockdownGroup {
  readonly group: Group;
  readonly resource: TerraformResource;
  /**
   * Of each of its hosts, what others see of its lockdown: wherever an expression names the resource, Terraform looks up each of its
   * instances in the list of all changes.
   */
  readonly runs: TerraformLocal;
}

export class Lockdowns {
  /** In the order of the waves. */
  public readonly groups: readonly LockdownGroup[];

  public constructor(
    private readonly context: Context,
    private readonly props: LockdownProps,
  ) {
    const waves = groupsOf(context.props.layout).filter(({ length }) => length > 0);
    const all: LockdownGroup[] = [];
    let before: readonly ITerraformDependable[] = [];
    waves.forEach((groups, index) => {
      const wave = groups.map((group) => this.track(group, before));
      const resources = wave.map(({ resource }) => resource);
      const isLast = index === waves.length - 1;
      before = wave.length === 1 || isLast ? resources : [this.gateBehind(resources, groups[0]?.wave ?? "")];
      all.push(...wave);
    });
    this.groups = all;
  }

  public get resources(): readonly TerraformResource[] {
    return this.groups.map(({ resource }) => resource);
  }

  private track(group: Group, before: readonly ITerraformDependable[]): LockdownGroup {
    const entries = this.hostsOf(group);
    const resource = this.context.track(PARTS.lockdown, group.suffix, {
      forEach: entries,
      dependsOn: [...this.context.props.dependsOn, ...before],
      contents: () => this.contents(group),
    });
    const runs = this.context.local(
      LOCALS.runs,
      group.suffix,
      () => `\${{ for key, lockdown in ${addressOf(resource)} : key => ${this.runOf(resource, "lockdown")} }}`,
    );
    return { group, resource, runs };
  }

  /** @param instance an expression */
  public runOf(resource: TerraformResource, instance: string): string {
    const { tracker } = this.context;
    const parts = {
      lockdown: quoted(addressOf(resource)),
      id: `${instance}.id`,
      // One that was made before there were seals has none.
      [PLANNED_AT]: `try(${tracker.remembered(instance, PLANNED_AT)}, "")`,
      triggers: tracker.triggersOf(instance),
    };
    return `{ ${Object.entries(parts)
      .map((part) => part.join(" = "))
      .join(", ")} }`;
  }

  /**
   * One for all lockdowns of a wave: otherwise each of the next would depend on each of these, and Terraform's graph grow with
   * the product. A local, because it is in no plan and in no state.
   */
  private gateBehind(lockdowns: readonly TerraformResource[], wave: string): TerraformLocal {
    const counts = lockdowns.map((one) => `length(${addressOf(one)})`);
    return this.context.local(LOCALS.locked, wave, () => `\${[${counts.join(", ")}]}`);
  }

  /** The entries of the hosts that are locked together, of the entries of their shard. */
  private hostsOf({ suffix, shard, only, allBut = [] }: Group): TerraformLocal {
    const entries = this.props.entries[shard] as TerraformLocal;
    if (only === undefined && allBut.length === 0) {
      return entries;
    }
    const [part, condition] = only === undefined ? [LOCALS.hostsWithoutWave, "!contains"] : [LOCALS.hosts, "contains"];
    const keys = (only ?? allBut).map(quoted).join(", ");
    return this.context.local(
      part,
      suffix,
      () => `\${{ for key, host in ${reference(entries)} : key => host if ${condition}([${keys}], key) }}`,
    );
  }

  private contents(group: Group): Contents {
    const { configuration, tracker } = this.context;
    const { ruleset, program, drift, keys } = this.props;
    const hold = this.holdOf([group.shard]);
    const checked = keys.checkedIn(group.shard);
    return {
      triggers: {
        [TRIGGERS.address]: toTemplate(configuration.termOf(ADDRESS.name)),
        [TRIGGERS.hold]: toTemplate(hold),
        [TRIGGERS.program]: `\${${program.version}}`,
        [TRIGGERS.mode]: toTemplate(ruleset.policy.mode),
        [TRIGGERS.ruleset]: toTemplate(ruleset.hash),
      },
      conditionalTriggers: [...(drift === undefined ? [] : [drift.trigger]), ...this.triggersOfSettings()],
      ...(tracker.memoryFollows ? {} : { memory: memoryForPlans(configuration) }),
      kept: { [PLANNED_AT]: NOW, ...(checked === undefined ? {} : { [KEYS_CHECKED]: checked }) },
      provisioners: this.provisioners([group], "self.id"),
      isNamedByInstance: areSealedAlone(configuration.hosts.length),
    };
  }

  private holdOf(shards: readonly number[]): Term {
    const ids = shards.map((shard) => reference(this.props.holdIds[shard] as TerraformLocal));
    return expression(`${merged(ids)}[each.key]`);
  }

  /**
   * What locks and confirms a host of these groups. With a probation, what comes between does not end the deploy: the confirm
   * hears from the host why it has rolled back.
   * @param attempt an expression: the id of its lockdown, by which the host knows this lock
   */
  public provisioners(groups: readonly Group[], attempt: string): NonNullable<Contents["provisioners"]> {
    const hold = this.holdOf([...new Set(groups.map(({ shard }) => shard))]);
    const { configuration, appFolder, props } = this.context;
    const firstWave = props.layout.waves.length === 0 ? "" : waveSuffix(0);
    const probation = groups.some(({ wave }) => wave === firstWave) ? props.probationSeconds : 0;
    const confirmWithin = configuration.termOf(SETTINGS.confirmWithinSeconds.name);
    const lock: Provisioner = {
      type: "remote-exec",
      inline: [script(this.settings(hold, attempt), "named")],
      connection: connectionBlock(({ name }) => configuration.termOf(name), appFolder),
    };
    const prove = (verb: string, more: readonly Term[], waited: number): Provisioner => {
      const words = [hold, expression(attempt), this.props.ruleset.hash, ...more].map(toExpression);
      // Long enough to hear from the host that it has rolled back.
      const untilTooLate = expression(`"\${${toExpression(confirmWithin)} + ${waited + 30}}s"`);
      return {
        type: "remote-exec",
        inline: [script({ [VERB]: expression(`join(" ", [${[quoted(verb), ...words].join(", ")}])`) }, "named")],
        connection: connectionBlock(
          ({ name }) => (name === CONNECTION.timeoutSeconds.name ? untilTooLate : configuration.termOf(name)),
          appFolder,
        ),
      };
    };
    const wait = (): Provisioner => ({
      ...prove(VERBS.probation, [literal(String(probation)), confirmWithin], 0),
      onFailure: "continue",
    });
    return [
      lock,
      ...(probation === 0 ? [] : [wait()]),
      prove(VERBS.confirm, probation === 0 ? [] : [literal(VERBS.probation)], probation),
    ];
  }

  private settings(hold: Term, attempt: string): Readonly<Record<string, Term>> {
    const { ruleset, program } = this.props;
    return {
      [VERB]: literal(VERBS.lock),
      host: expression("each.key"),
      ...originOf(this.context.scope),
      owner: hold,
      attempt: expression(attempt),
      ruleset: ruleset.hash,
      ...ruleset.texts,
      ...ruleset.policy,
      ...Object.fromEntries(SETTING_LIST.map(({ name }) => [name, this.context.configuration.termOf(name)])),
      program_version: expression(program.version),
      program: expression(program.text),
    };
  }

  /** Where no host has it, the trigger is in no plan; a host that has it adds it to no other. */
  private triggersOfSettings(): readonly string[] {
    const { configuration } = this.context;
    return SETTING_LIST.flatMap(({ name, triggerUnless: silent }) =>
      silent === undefined || String(configuration.common.get(name)) === silent
        ? []
        : [triggerUnless(name, `tostring(${toExpression(configuration.termOf(name))})`, silent)],
    );
  }
}
