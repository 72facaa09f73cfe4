/** The holds: what one remembers of its host, and how its destruction unlocks the host (docs/design/terraform.md). */
import type { TerraformLocal, TerraformResource } from "../framework/framework";
import { ADDRESS, CONNECTION, CONNECTION_LIST, type ConnectionAttribute } from "../contract/connection";
import { LOCALS, PARTS } from "../contract/names";
import { VERB, VERBS } from "../contract/script";
import { HOLD_ROLE, TRIGGERS } from "../contract/triggers";
import type { Host } from "../policy/host";
import { connectionBlock } from "./connection";
import { addressOf, type Context } from "./context";
import { expression, literal, quoted, type Term, toExpression } from "./escape";
import { shardSuffixes } from "./layout";
import { memoryForPlans } from "./memory";
import { script } from "./scripts";
import type { Contents } from "./tracker";
import { CONNECTION_VALUES, isLiteral, term, toTemplate } from "./values";

/** How long a host that has left the configuration waits for the confirm of its unlock. */
const UNLOCK_SECONDS = 120;

export class Holds {
  /** By shard. */
  public readonly resources: readonly TerraformResource[];
  /** By shard: the ids of the holds by host, through which the lockdowns see them. */
  public readonly ids: readonly TerraformLocal[];

  /** @param entries the local of each shard's hosts */
  public constructor(
    private readonly context: Context,
    entries: readonly TerraformLocal[],
  ) {
    const { layout, dependsOn } = context.props;
    const suffixes = shardSuffixes(layout.shards);
    this.resources = entries.map((forEach, shard) => {
      const suffix = suffixes[shard] ?? "";
      const contents = (): Contents => this.contents(context.configuration.shards[shard] ?? []);
      return context.track(PARTS.hold, suffix, {
        forEach,
        dependsOn,
        contents: () => context.configuration.once(PARTS.hold + suffix, contents),
      });
    });
    // Where each lockdown named the resource, Terraform would look at all its instances for it, and for each of those at all
    // changes of the plan.
    this.ids = this.resources.map((resource, shard) =>
      context.local(
        LOCALS.holdIds,
        suffixes[shard] ?? "",
        () => `\${{ for key, hold in ${addressOf(resource)} : key => hold.id }}`,
      ),
    );
    this.keepFormer(layout.movedFromShards.flatMap(shardSuffixes));
  }

  /**
   * What takes hosts out while the others move on: Terraform runs the unlock of a host that has left `hosts` only where
   * the block is there that its hold is in.
   */
  private keepFormer(suffixes: readonly string[]): void {
    if (suffixes.length === 0) {
      return;
    }
    const forEach = this.context.local(LOCALS.noHosts, "", () => ({}));
    suffixes.forEach((suffix) =>
      this.context.track(PARTS.hold, suffix, { forEach, contents: () => this.contents([]) }),
    );
  }

  /** @param hosts those that have a hold in the resource */
  private contents(hosts: readonly Host[]): Contents {
    const { configuration, props } = this.context;
    const contents: Contents = {
      triggers: { [TRIGGERS.address]: toTemplate(configuration.termOf(ADDRESS.name)) },
      memory: this.memory(),
    };
    if (props.onDestroy === "leave-locked") {
      return contents;
    }
    return { ...contents, provisioners: this.provisioners(hosts) };
  }

  /** Unlock, and its confirm over a new connection: each provisioner opens its own. Where the first fails, the second does not run. */
  private provisioners(hosts: readonly Host[]): NonNullable<Contents["provisioners"]> {
    const goesOn = this.context.props.onDestroy === "unlock-if-reachable";
    const termOf = (attribute: ConnectionAttribute): Term => termAtDestroy(attribute, hosts, this.context);
    // What a hold remembers does not have it.
    const limit = Math.max(...(hosts.length === 0 ? [UNLOCK_SECONDS] : hosts.map((host) => host.confirmWithinSeconds)));
    // Long enough to hear from the host that it has locked itself again.
    const untilTooLate = literal(`${limit + 30}s`);
    const provisioner = (words: readonly string[], connection: (attribute: ConnectionAttribute) => Term): object => ({
      type: "remote-exec",
      when: "destroy",
      ...(goesOn ? { onFailure: "continue" } : {}),
      // A destroy provisioner may name no local.
      inline: [script({ [VERB]: expression(`join(" ", [${words.join(", ")}])`) }, "whole")],
      connection: connectionBlock(connection, this.context.appFolder),
    });
    return [
      provisioner([quoted(VERBS.unlock), "self.id", quoted(String(limit))], termOf),
      provisioner([quoted(VERBS.confirmUnlock), "self.id"], (attribute) =>
        attribute.name === CONNECTION.timeoutSeconds.name && !goesOn ? untilTooLate : termOf(attribute),
      ),
    ] as unknown as NonNullable<Contents["provisioners"]>;
  }

  /**
   * Where hosts differ, and of the machine also what all hosts have in common today, for the day on which the host is taken out
   * and the others have something else. Its role, for the day on which nothing else of the host is left in the state.
   */
  private memory(): Readonly<Record<string, string>> {
    const { configuration, tracker } = this.context;
    const { common } = configuration;
    const remembered = CONNECTION_LIST.filter(
      ({ name, ofMachine }) => !common.has(name) || (ofMachine === true && common.get(name) !== undefined),
    );
    return {
      [HOLD_ROLE.name]: HOLD_ROLE.value,
      ...Object.fromEntries(remembered.map(({ name }) => [name, toTemplate(configuration.termOf(name))])),
      ...(tracker.memoryFollows ? memoryForPlans(configuration) : {}),
    };
  }
}

/**
 * A destroy provisioner may use only what its own instance remembers, its key, and literals. Memory that follows the
 * configuration comes first. Memory that stays what it was comes first where the configuration has the host no more,
 * or at another address, and second elsewhere. What is said of all hosts is the last resort, and is not one for what
 * belongs to the machine.
 */
function termAtDestroy({ name, ofMachine }: ConnectionAttribute, hosts: readonly Host[], context: Context): Term {
  const { tracker, configuration } = context;
  const { common } = configuration;
  const address = `${tracker.triggersOf("self")}.${TRIGGERS.address}`;
  if (name === ADDRESS.name) {
    return expression(address);
  }
  const shared = toExpression(term(common.get(name)));
  const inMemory = `try(${tracker.remembered("self", name)}, ${ofMachine === true ? "null" : shared})`;
  if (tracker.memoryFollows || hosts.length === 0 || (common.has(name) && ofMachine !== true)) {
    return expression(inMemory);
  }
  // Where its address is not known yet, the name of a host alone has to do.
  const here = [...new Set(hosts.map((host) => isLiteral(host.address)))].map(
    (known) => `join(" ", [${["each.key", ...(known ? [address] : [])].join(", ")}])`,
  );
  return expression(
    common.has(name)
      ? `${isOneOf(hosts, here)} ? ${shared} : ${inMemory}`
      : `try(${[...here.map((at) => `${literalsOf(name, hosts)}[${at}]`), inMemory].join(", ")})`,
  );
}

/** One text, because Terraform searches it in no time, and because a provisioner may refer to no local. */
function isOneOf(hosts: readonly Host[], here: readonly string[]): string {
  const places = quoted(["", ...hosts.map(place), ""].join("\n"));
  return here.map((at) => `strcontains(${places}, format("\\n%s\\n", ${at}))`).join(" || ");
}

function literalsOf(name: string, hosts: readonly Host[]): string {
  const known = hosts
    .map((host) => [place(host), CONNECTION_VALUES.get(name)?.(host)] as const)
    .filter(([, value]) => isLiteral(value))
    .map(([at, value]) => `${quoted(at)} = ${toExpression(term(value))}`);
  return `{${known.join(", ")}}`;
}

/** Which machine a name stands for. */
function place(host: Host): string {
  return isLiteral(host.address) ? `${host.key} ${host.address}` : host.key;
}
