/** What a hold remembers of its host, and where its destroy provisioner finds the connection (ARCHITECTURE.md, "Terraform"). */
import type { Host } from "../policy/host";
import type { ConnectionName } from "./connection";
import { expression, quoted, type Term, toExpression } from "./escape";
import type { Tracker } from "./tracker";
import { CONNECTION, isLiteral, MEMORY_NAMES, OF_THE_MACHINE, term } from "./host-values";
import type { Plan } from "./contents";

/**
 * What a hold remembers: where hosts differ, and of its machine also what all hosts have in common today, for the day
 * on which it is taken out and the others have something else.
 */
export function remembered(common: Plan["common"]): readonly ConnectionName[] {
  return MEMORY_NAMES.filter(
    (name) => !common.has(name) || (OF_THE_MACHINE.has(name) && common.get(name) !== undefined),
  );
}

/**
 * A destroy provisioner may use only what its own instance remembers, its key, and literals. Memory that follows the
 * configuration comes first. Memory that stays what it was comes first where the configuration has the host no more,
 * or at another address, and second elsewhere. What is said of all hosts is the last resort, and is not one for what
 * belongs to the machine.
 */
export function termAtDestroy(
  name: ConnectionName,
  hosts: readonly Host[],
  common: Plan["common"],
  tracker: Tracker,
): Term {
  if (name === "address") {
    return expression(`${tracker.triggersOf("self")}.address`);
  }
  const shared = toExpression(term(common.get(name)));
  const inMemory = `try(${tracker.remembered(name)}, ${OF_THE_MACHINE.has(name) ? "null" : shared})`;
  if (tracker.memoryFollows || hosts.length === 0 || (common.has(name) && !OF_THE_MACHINE.has(name))) {
    return expression(inMemory);
  }
  // Where its address is not known yet, the name of a host alone has to do.
  const here = [...new Set(hosts.map((host) => isLiteral(host.address)))].map((known) => {
    const words = known ? ["each.key", `${tracker.triggersOf("self")}.address`] : ["each.key"];
    return `join(" ", [${words.join(", ")}])`;
  });
  if (common.has(name)) {
    // One text, because Terraform looks for it in no time, and because a provisioner may refer to no local.
    const places = quoted(["", ...hosts.map(place), ""].join("\n"));
    const isKnown = here.map((at) => `strcontains(${places}, format("\\n%s\\n", ${at}))`).join(" || ");
    return expression(`${isKnown} ? ${shared} : ${inMemory}`);
  }
  const known = hosts
    .map((host) => [place(host), CONNECTION[name](host)] as const)
    .filter(([, value]) => isLiteral(value))
    .map(([at, value]) => `${quoted(at)} = ${toExpression(term(value))}`);
  const places = here.map((at) => `{${known.join(", ")}}[${at}]`);
  return expression(`try(${[...places, inMemory].join(", ")})`);
}

/** Which machine a name stands for. */
function place(host: Host): string {
  return isLiteral(host.address) ? `${host.key} ${host.address}` : host.key;
}
