/** The three resources behind a firewall, and the locals that they iterate over. */
import { type ITerraformDependable, TerraformLocal, type TerraformResource, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import type { OnDestroy, TrackerKind } from "../policy/firewall";
import type { Host, Shared } from "../policy/host";
import { type ConnectionName, connectionBlock } from "./connection";
import { type Term, expression, literal, quoted, toExpression, toJson } from "./escape";
import { DriftDetection } from "./drift";
import { type Group, groupsOf, type Layout, shardSuffix, suffixesOf } from "./layout";
import { Later, withoutTokens } from "./later";
import { type Move, Moved } from "./moved";
import { script } from "./scripts";
import { type Contents, type Tracker, trackerOf, triggerUnless } from "./tracker";
import { remembered, termAtDestroy } from "./at-destroy";
import {
  ASKED_WITH,
  CONNECTION,
  isLiteral,
  MEMORY_NAMES,
  SETTINGS,
  term,
  toTemplate,
  TRIGGERING,
  type Value,
} from "./host-values";
import { type Plan, planOf, type Ruleset, TEXTS } from "./contents";
import type { Program } from "./program";

export interface HostResourcesProps {
  readonly tracker: TrackerKind;
  readonly onDestroy: OnDestroy;
  /** With the numbers of shards that the state may still have, the oldest first. */
  readonly layout: Layout & { readonly movedFromShards: readonly number[] };
  readonly dependsOn: ITerraformDependable[];
  /** What a plan asks for drift; undefined where it does not. */
  readonly driftProgram: readonly string[] | undefined;
  readonly program: Program;
  readonly shared: Shared;
  /** The hosts, sorted by key; called again when more were added. */
  readonly hosts: () => readonly Host[];
  /** Throws if the configuration must not be written. */
  readonly assertSound: () => void;
}

/** The resources that have an instance for each host. */
const PER_HOST = ["hold", "lockdown"] as const;

export class HostResources {
  public readonly ruleset: TerraformResource;
  public readonly holds: readonly TerraformResource[];
  public readonly lockdowns: readonly TerraformResource[];
  /** See SshOnlyFirewall.lockedHosts. */
  public readonly lockedHosts: TerraformLocal;

  private readonly tracker: Tracker;
  private readonly drift: DriftDetection | undefined;
  private readonly rulesets: TerraformLocal;
  private readonly texts: TerraformLocal;
  private readonly hashes: TerraformLocal;
  /** By shard. */
  private readonly holdIds: readonly TerraformLocal[];
  private cached: Plan | undefined;

  public constructor(
    private readonly scope: Construct,
    private readonly props: HostResourcesProps,
  ) {
    const { layout } = props;
    this.tracker = trackerOf(props.tracker, [...MEMORY_NAMES, ...Object.keys(SETTINGS)]);
    this.rulesets = this.local("rulesets", () => this.rulesetEntries());
    this.ruleset = this.tracker.track(scope, "ruleset", this.name("ruleset"), {
      forEach: this.rulesets,
      contents: () => ({ triggers: Object.fromEntries(TEXTS.map((text) => [text, `\${each.value.${text}}`])) }),
    });
    // Between the rulesets and the lockdowns: where each lockdown named the resource, Terraform's graph would have an edge
    // for each pair of instances (1,000 hosts with a ruleset each, in 64 shards: 2.3 GB for a plan).
    this.texts = this.local("ruleset_texts", () => this.textsOfRulesets());
    // Once for each ruleset, not for each host.
    this.hashes = this.local("ruleset_sha256", () => this.hashesOfTexts());
    const suffixes = suffixesOfShards(layout.shards);
    const hosts = suffixes.map((suffix, shard) =>
      this.local(`hosts${suffix}`, () => this.once(`hosts${suffix}`, () => this.hostEntries(shard))),
    );
    this.holds = suffixes.map((suffix, shard) =>
      this.tracker.track(scope, `hold${suffix}`, this.name(`hold${suffix}`), {
        forEach: hosts[shard] as TerraformLocal,
        dependsOn: props.dependsOn,
        contents: () => this.once(`hold${suffix}`, () => this.holdContents(this.plan().shards[shard] ?? [])),
      }),
    );
    // Between the holds and the lockdowns, likewise: for each lockdown that named the resource, Terraform would look at all
    // its instances, and for each of those at all changes of the plan.
    this.holdIds = suffixes.map((suffix, shard) =>
      this.local(
        `hold_ids${suffix}`,
        () => `\${{ for key, hold in ${addressOf(this.holds[shard])} : key => hold.id }}`,
      ),
    );
    this.keepFormerHolds();
    if (props.driftProgram !== undefined) {
      const { driftProgram: program } = props;
      this.drift = new DriftDetection(scope, "drift", this.name("drift"), { program, query: () => this.driftQuery() });
    }
    const lockdowns: TerraformResource[] = [];
    let before: readonly ITerraformDependable[] = [];
    const waves = groupsOf(layout).filter(({ length }) => length > 0);
    waves.forEach((groups, index) => {
      const dependsOn = [...props.dependsOn, ...before];
      const wave = groups.map((group) =>
        this.tracker.track(scope, `lockdown${group.suffix}`, this.name(`lockdown${group.suffix}`), {
          forEach: this.hostsOf(group, hosts[group.shard] as TerraformLocal),
          dependsOn,
          contents: () => this.lockdownContents(this.holdIds[group.shard]),
        }),
      );
      const isLast = index === waves.length - 1;
      before = wave.length === 1 || isLast ? wave : [this.gateBehind(wave, groups[0].wave)];
      lockdowns.push(...wave);
    });
    this.lockdowns = lockdowns;
    this.lockedHosts = this.local("locked_hosts", () => this.lockedEntries());
    new Moved(scope, "moved", () => this.moves());
  }

  /**
   * What takes hosts out while the others move on: Terraform runs the unlock of a host that has left `hosts` only where
   * the block is there that its hold is in.
   */
  private keepFormerHolds(): void {
    const suffixes = this.props.layout.movedFromShards.flatMap(suffixesOfShards);
    if (suffixes.length === 0) {
      return;
    }
    const forEach = this.local("no_hosts", () => ({}));
    suffixes.forEach((suffix) =>
      this.tracker.track(this.scope, `hold${suffix}`, this.name(`hold${suffix}`), {
        forEach,
        contents: () => this.holdContents([]),
      }),
    );
  }

  /** Readable addresses, unique because the construct's own logical id is. */
  private name(part: string): string {
    return `${TerraformStack.of(this.scope).getLogicalId(this.scope.node)}_${part}`;
  }

  private local(part: string, produce: () => unknown): TerraformLocal {
    const expression = new Later((context) => {
      if (!context.preparing) {
        this.props.assertSound();
      }
      return produce();
    });
    const made = new TerraformLocal(this.scope, `${part}-local`, expression);
    made.overrideLogicalId(this.name(part));
    return made;
  }

  /**
   * One for all lockdowns of a wave: else each of the next would depend on each of these, and Terraform's graph grow with
   * the product. A local, because it is in no plan and in no state.
   */
  private gateBehind(lockdowns: readonly TerraformResource[], wave: string): TerraformLocal {
    const counts = lockdowns.map((one) => `length(${addressOf(one)})`);
    return this.local(`locked${wave}`, () => `\${[${counts.join(", ")}]}`);
  }

  /** The entries of the hosts that are locked together, of the entries of their shard. */
  private hostsOf({ suffix, only, allBut = [] }: Group, shard: TerraformLocal): TerraformLocal {
    if (only === undefined && allBut.length === 0) {
      return shard;
    }
    const [part, condition] =
      only === undefined ? [`hosts_rest${suffix}`, "!contains"] : [`hosts${suffix}`, "contains"];
    const keys = (only ?? allBut).map(quoted).join(", ");
    const entries = `local.${shard.friendlyUniqueId}`;
    return this.local(part, () => `\${{ for key, host in ${entries} : key => host if ${condition}([${keys}], key) }}`);
  }

  /** The name of the ruleset that each host gets. */
  public rulesetKeyOf(host: Host): string {
    return (this.plan().rulesetOf.get(host) as Ruleset).key;
  }

  private plan(): Plan {
    const hosts = this.props.hosts();
    if (this.cached?.hosts !== hosts) {
      this.cached = planOf(hosts, this.props.shared, this.props.layout.shards);
    }
    return this.cached;
  }

  /** What is made of a list of hosts, made once, for cdktf asks twice. */
  private once<T>(name: string, make: () => T): T {
    const { made } = this.plan();
    if (!made.has(name)) {
      made.set(name, make());
    }
    return made.get(name) as T;
  }

  private rulesetEntries(): Record<string, unknown> {
    return Object.fromEntries(
      this.plan().rulesets.map(({ key, texts, policy }) => [
        key,
        {
          // What a host needs not is empty, so that all entries have the same form.
          ...Object.fromEntries(TEXTS.map((text) => [text, texts[text] ?? ""])),
          ssh_port: policy.sshPort,
          allow_from: policy.sources.map((source) => source.cidr).join(" "),
          exceptions: policy.exceptions.map((exception) => exception.kind).join(" "),
          mode: policy.mode,
        },
      ]),
    );
  }

  private lockedEntries(): string {
    const triggers = this.tracker.triggersOf("lockdown");
    const shown = ["address", "hold", "ruleset_sha256"].map((trigger) => `${trigger} = ${triggers}.${trigger}`);
    const entries = this.lockdowns.map(
      (one) =>
        `{ for key, lockdown in ${addressOf(one)} : key => { ${shown.join(", ")} } if ${triggers}.mode == "enforce" }`,
    );
    return `\${${entries.length === 1 ? entries.join() : `merge(${entries.join(", ")})`}}`;
  }

  /** From where the resources are that were made with another number of shards: one step for each number. */
  private moves(): readonly Move[] {
    const { layout } = this.props;
    const layouts = [...layout.movedFromShards, layout.shards].map((shards) => ({ ...layout, shards }));
    return layouts.slice(1).flatMap((after, index) => this.movesBetween(layouts[index] as Layout, after));
  }

  private movesBetween(before: Layout, after: Layout): readonly Move[] {
    const type = this.ruleset.terraformResourceType;
    return this.plan().hosts.flatMap(({ key }) => {
      const [from, to] = [before, after].map((layout) => suffixesOf(key, layout));
      return PER_HOST.map((part) => ({
        from: `${type}.${this.name(part + from[part])}["${key}"]`,
        to: `${type}.${this.name(part + to[part])}["${key}"]`,
      }));
    });
  }

  private textsOfRulesets(): string {
    return `\${{ for key, ruleset in ${this.ruleset.fqn} : key => ${this.tracker.triggersOf("ruleset")} }}`;
  }

  private hashesOfTexts(): string {
    const texts = TEXTS.map((text) => `texts.${text}`);
    return `\${{ for key, texts in local.${this.texts.friendlyUniqueId} : key => sha256(join("", [${texts.join(", ")}])) }}`;
  }

  private hostEntries(shard: number): object {
    const { shards, rulesetOf, common } = this.plan();
    const hosts = shards[shard] ?? [];
    const own = Object.entries({ ...CONNECTION, ...SETTINGS, ...TRIGGERING }).filter(([name]) => !common.has(name));
    let hasTokens = false;
    const configured = (value: Value): unknown => {
      const known = isLiteral(value);
      hasTokens ||= !known;
      return known ? toJson(term(value)) : value;
    };
    const entryOf = (host: Host): Record<string, unknown> => ({
      ruleset: rulesetOf.get(host)?.key,
      ...Object.fromEntries(own.map(([name, valueOf]) => [name, configured(valueOf(host))])),
    });
    const byKey = Object.fromEntries(hosts.map((host) => [host.key, entryOf(host)]));
    return hasTokens ? byKey : withoutTokens(byKey);
  }

  /** Where the lockdown finds a value of its host. */
  private termOf(name: string): Term {
    const { common } = this.plan();
    return common.has(name) ? term(common.get(name)) : expression(`each.value.${name}`);
  }

  private lockdownContents({ friendlyUniqueId: holdIds }: TerraformLocal): Contents {
    const { program } = this.props;
    const hold = expression(`local.${holdIds}[each.key]`);
    const hash = expression(`local.${this.hashes.friendlyUniqueId}[each.value.ruleset]`);
    const text = (name: string): Term => expression(`local.${this.texts.friendlyUniqueId}[each.value.ruleset].${name}`);
    const policy = (name: string): Term =>
      expression(`local.${this.rulesets.friendlyUniqueId}[each.value.ruleset].${name}`);
    const settings = {
      VERB: literal("lock"),
      HOST: expression("each.key"),
      OWNER: hold,
      ATTEMPT: expression("self.id"),
      RULESET: hash,
      NFTABLES: text("nftables"),
      IPTABLES: text("iptables"),
      IP6TABLES: text("ip6tables"),
      PORT: policy("ssh_port"),
      ALLOW_FROM: policy("allow_from"),
      EXCEPTIONS: policy("exceptions"),
      MODE: policy("mode"),
      BACKEND: this.termOf("backend"),
      CONFIRM_WITHIN: this.termOf("confirm_within"),
      SKIP_PREFLIGHT: this.termOf("skip_preflight"),
      TAKE_OVER: this.termOf("take_over"),
      PERSIST: this.termOf("persist"),
      PROGRAM_VERSION: expression(program.version),
      PROGRAM: expression(program.text),
    };
    const confirmed = expression(`join(" ", ["confirm", ${[hold, hash].map(toExpression).join(", self.id, ")}])`);
    const connect = (name: ConnectionName): Term => this.termOf(name);
    // Long enough to hear from the host that it has rolled back.
    const untilTooLate = expression(`"\${${toExpression(this.termOf("confirm_within"))} + 30}s"`);
    return {
      triggers: {
        address: toTemplate(this.termOf("address")),
        hold: toTemplate(hold),
        host_program: `\${${program.version}}`,
        mode: toTemplate(policy("mode")),
        ruleset_sha256: toTemplate(hash),
      },
      conditionalTriggers: [this.drift?.trigger, this.persistTrigger()].filter((one) => one !== undefined),
      memory: this.tracker.memoryFollows ? undefined : this.shownInPlans(),
      provisioners: [
        { type: "remote-exec", inline: [script(settings, "named")], connection: connectionBlock(connect) },
        {
          type: "remote-exec",
          inline: [script({ VERB: confirmed }, "named")],
          connection: connectionBlock((name) => (name === "timeout" ? untilTooLate : connect(name))),
        },
      ],
    };
  }

  /** Only where it is false: it shows in no other plan, and a host that has it adds it to no other. */
  private persistTrigger(): string | undefined {
    const { common } = this.plan();
    const persist = toExpression(this.termOf("persist"));
    return common.get("persist") === true ? undefined : triggerUnless("persist", `tostring(${persist})`, "true");
  }

  /** Which resources are the lockdowns, and what of the connection is the same for all hosts: holds know the rest. */
  private driftQuery(): Record<string, string> {
    const { common } = this.plan();
    const known = ASKED_WITH.filter((name) => common.get(name) !== undefined);
    return {
      lockdowns: [...new Set([...this.lockdowns.map(addressOf), ...this.lockdownsBefore()])].join(" "),
      ...Object.fromEntries(known.map((name) => [name, String(common.get(name))])),
    };
  }

  /** Where lockdowns are in a state with another number of shards. */
  private lockdownsBefore(): readonly string[] {
    const { layout } = this.props;
    const before = layout.movedFromShards.flatMap((shards) => groupsOf({ ...layout, shards }).flat());
    return before.map(({ suffix }) => `${this.ruleset.terraformResourceType}.${this.name(`lockdown${suffix}`)}`);
  }

  /**
   * What a plan would not show otherwise: connections and locals are not in it, and a script only word for word. A
   * lockdown remembers it, for what a hold remembers may be old; where memory follows, the hold, for a terraform_data
   * that is replaced would show all that it remembers.
   */
  private shownInPlans(): Record<string, string> {
    const { common } = this.plan();
    const pinned = common.has("host_key") ? term(common.get("host_key") ?? "") : this.termOf("host_key");
    const own = Object.keys(SETTINGS).filter((name) => !common.has(name));
    return {
      host_key: toTemplate(pinned),
      ...Object.fromEntries(own.map((name) => [name, toTemplate(this.termOf(name))])),
    };
  }

  /** @param hosts those that have a hold of this kind */
  private holdContents(hosts: readonly Host[]): Contents {
    const contents: Contents = {
      triggers: { address: toTemplate(this.termOf("address")) },
      memory: {
        ...Object.fromEntries(remembered(this.plan().common).map((name) => [name, toTemplate(this.termOf(name))])),
        ...(this.tracker.memoryFollows ? this.shownInPlans() : {}),
      },
    };
    if (this.props.onDestroy === "leave-locked") {
      return contents;
    }
    return {
      ...contents,
      provisioners: [
        {
          type: "remote-exec",
          when: "destroy",
          onFailure: this.props.onDestroy === "unlock-if-reachable" ? "continue" : undefined,
          // A destroy provisioner may name no local.
          inline: [script({ VERB: expression('join(" ", ["unlock", self.id])') }, "whole")],
          connection: connectionBlock((name) => termAtDestroy(name, hosts, this.plan().common, this.tracker)),
        },
      ],
    };
  }
}

/** The address of a resource within an expression, where cdktf knows not how to write more than one token. */
function addressOf(resource: TerraformResource): string {
  return `${resource.terraformResourceType}.${resource.friendlyUniqueId}`;
}

function suffixesOfShards(count: number): readonly string[] {
  return Array.from({ length: count }, (_, shard) => shardSuffix(shard, count));
}
