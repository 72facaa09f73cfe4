/** The three resources behind a firewall, and the locals between them (docs/design/terraform.md). */
import type { TerraformLocal, TerraformResource } from "../framework/framework";
import type { Construct } from "constructs";
import { CONNECTION_LIST } from "../contract/connection";
import { QUERY } from "../contract/drift";
import { DRIFT_BLOCK, LOCALS } from "../contract/names";
import { LOCKED_HOST, TRIGGERS } from "../contract/triggers";
import type { Host } from "../policy/host";
import { addressOf, Context, type FirewallResourcesProps } from "./context";
import { DriftDetection } from "./drift-detection";
import { Holds } from "./hold";
import { HostNames } from "./host-names";
import { Program } from "./host-program";
import { Keys } from "./keys";
import { shardSuffixes } from "./layout";
import { Lockdowns } from "./lockdown";
import { formerLockdowns, Moved, movesOf } from "./moves";
import { Ruleset } from "./ruleset";
import { Seals } from "./seals";

export class FirewallResources {
  public readonly ruleset: TerraformResource;
  public readonly holds: readonly TerraformResource[];
  public readonly lockdowns: readonly TerraformResource[];
  private readonly seals: Seals;
  /** See SshOnlyFirewall.lockedHosts. */
  public readonly lockedHosts: TerraformLocal;

  private readonly context: Context;

  public constructor(scope: Construct, props: FirewallResourcesProps) {
    const program = Program.of(scope);
    const context = new Context(scope, props);
    this.context = context;
    const ruleset = new Ruleset(context);
    const entries = shardSuffixes(props.layout.shards).map((suffix, shard) =>
      context.local(LOCALS.hosts, suffix, () => {
        const { configuration } = context;
        return configuration.once(LOCALS.hosts + suffix, () => configuration.hostEntries(shard));
      }),
    );
    const holds = new Holds(context, entries);
    const drift = this.driftDetection();
    this.ruleset = ruleset.resource;
    this.holds = holds.resources;
    const keys = new Keys(context, entries);
    const lockdowns = new Lockdowns(context, { ruleset, program, drift, entries, holdIds: holds.ids, keys });
    this.lockdowns = lockdowns.resources;
    this.seals = new Seals(context, lockdowns, entries);
    this.lockedHosts = context.local(LOCALS.lockedHosts, "", () => this.lockedEntries());
    new Moved(scope, "moved", () => movesOf(context));
    new HostNames(context);
  }

  /** The name of the ruleset that a host gets. */
  public rulesetKeyOf(host: Host): string {
    return this.context.configuration.rulesetKeyOf(host);
  }

  private lockedEntries(): string {
    const shown = LOCKED_HOST.map((trigger) => `${trigger} = run.triggers.${trigger}`).join(", ");
    // Not known before the lock was made: Terraform writes what a plan knows of an output into the state, however the run ends.
    const isLocked = `run.id != "" && run.triggers.${TRIGGERS.mode} == "enforce"`;
    // No function is called for each host: Terraform goes through the whole of an argument whenever one is.
    return `\${{ for key, run in ${this.seals.sealed} : key => { ${shown} } if ${isLocked} }}`;
  }

  private driftDetection(): DriftDetection | undefined {
    const { scope, props } = this.context;
    const { driftProgram: program } = props;
    return program === undefined
      ? undefined
      : new DriftDetection(scope, DRIFT_BLOCK, this.context.name(DRIFT_BLOCK), {
          program,
          query: () => this.driftQuery(),
        });
  }

  /** Which resources are the lockdowns, and what of the connection is the same for all hosts: holds know the rest. */
  private driftQuery(): Record<string, string> {
    const { common } = this.context.configuration;
    const known = CONNECTION_LIST.filter(({ name, isAsked }) => isAsked === true && common.get(name) !== undefined);
    const lockdowns = new Set([...this.lockdowns.map(addressOf), ...formerLockdowns(this.context)]);
    return {
      [QUERY.lockdowns]: [...lockdowns].join(" "),
      ...Object.fromEntries(known.map(({ name }) => [name, String(common.get(name))])),
    };
  }
}
