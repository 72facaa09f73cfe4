/** The lockdowns: each locks its host and confirms it, and does so again when a trigger changes. */
import type { ITerraformDependable, TerraformLocal, TerraformResource } from "cdktf";
import { ADDRESS, CONNECTION } from "../contract/connection";
import { LOCALS, PARTS } from "../contract/names";
import { VERB, VERBS } from "../contract/script";
import { SETTING_LIST, SETTINGS } from "../contract/settings";
import { TRIGGERS } from "../contract/triggers";
import { connectionBlock } from "./connection";
import { addressOf, type Context, reference } from "./context";
import type { DriftDetection } from "./drift-detection";
import { expression, literal, quoted, type Term, toExpression } from "./escape";
import type { Program } from "./host-program";
import { type Group, groupsOf } from "./layout";
import { memoryForPlans } from "./memory";
import type { Ruleset } from "./ruleset";
import { originOf } from "./origin";
import { script } from "./scripts";
import { type Contents, triggerUnless } from "./tracker";
import { toTemplate } from "./values";

/** What a lockdown is made of besides its host. */
export interface LockdownProps {
  readonly ruleset: Ruleset;
  readonly program: Program;
  readonly drift: DriftDetection | undefined;
  /** By shard: the local of its hosts, and that of their holds' ids. */
  readonly entries: readonly TerraformLocal[];
  readonly holdIds: readonly TerraformLocal[];
}

export class Lockdowns {
  /** In the order of the waves. */
  public readonly resources: readonly TerraformResource[];

  public constructor(
    private readonly context: Context,
    private readonly props: LockdownProps,
  ) {
    const waves = groupsOf(context.props.layout).filter(({ length }) => length > 0);
    const resources: TerraformResource[] = [];
    let before: readonly ITerraformDependable[] = [];
    waves.forEach((groups, index) => {
      const wave = groups.map((group) => this.track(group, before));
      const isLast = index === waves.length - 1;
      before = wave.length === 1 || isLast ? wave : [this.gateBehind(wave, groups[0]?.wave ?? "")];
      resources.push(...wave);
    });
    this.resources = resources;
  }

  private track(group: Group, before: readonly ITerraformDependable[]): TerraformResource {
    return this.context.track(PARTS.lockdown, group.suffix, {
      forEach: this.hostsOf(group),
      dependsOn: [...this.context.props.dependsOn, ...before],
      contents: () => this.contents(this.props.holdIds[group.shard] as TerraformLocal),
    });
  }

  /**
   * One for all lockdowns of a wave: else each of the next would depend on each of these, and Terraform's graph grow with
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

  private contents(holdIds: TerraformLocal): Contents {
    const { configuration, tracker } = this.context;
    const { ruleset, program, drift } = this.props;
    const hold = expression(`${reference(holdIds)}[each.key]`);
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
      provisioners: this.provisioners(hold),
    };
  }

  private provisioners(hold: Term): NonNullable<Contents["provisioners"]> {
    const { configuration } = this.context;
    const { hash } = this.props.ruleset;
    const confirm = expression(
      `join(" ", ["${VERBS.confirm}", ${[hold, hash].map(toExpression).join(", self.id, ")}])`,
    );
    // Long enough to hear from the host that it has rolled back.
    const confirmWithin = toExpression(configuration.termOf(SETTINGS.confirmWithinSeconds.name));
    const untilTooLate = expression(`"\${${confirmWithin} + 30}s"`);
    return [
      {
        type: "remote-exec",
        inline: [script(this.settings(hold), "named")],
        connection: connectionBlock(({ name }) => configuration.termOf(name)),
      },
      {
        type: "remote-exec",
        inline: [script({ [VERB]: confirm }, "named")],
        connection: connectionBlock(({ name }) =>
          name === CONNECTION.timeoutSeconds.name ? untilTooLate : configuration.termOf(name),
        ),
      },
    ];
  }

  private settings(hold: Term): Readonly<Record<string, Term>> {
    const { ruleset, program } = this.props;
    return {
      [VERB]: literal(VERBS.lock),
      host: expression("each.key"),
      ...originOf(this.context.scope),
      owner: hold,
      attempt: expression("self.id"),
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
