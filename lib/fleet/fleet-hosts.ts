/** The hosts of a fleet, each with all that applies to it. */
import { type Host, parseHost, parseShared } from "../policy/host";
import { Problems } from "../input/problems";
import type { Fleet } from "./fleet-file";

export function hostsOf(fleet: Fleet): ReadonlyMap<string, Host> {
  const { hosts = {}, ...shared } = fleet.props;
  const problems = new Problems();
  const parsedShared = parseShared(shared, problems, Object.keys(shared));
  const parsed = Object.entries(hosts).map(
    ([key, host]) => [key, parseHost(key, host, parsedShared, problems)] as const,
  );
  problems.throwIfAny("a fleet that was read");
  return new Map(parsed as ReadonlyArray<readonly [string, Host]>);
}
