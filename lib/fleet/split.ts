/** How a fleet file divides its hosts: the key `stacks`, and the key `group` of hosts. */
import { isObject, placeOf } from "../input/keys";
import type { Problems } from "../input/problems";
import { parseInteger } from "../input/values";
import { placeOfName } from "./jump-hash";
import { BY_GROUP, stackMessages } from "./stack-messages";

/** The part of a stack's name behind the fleet's own, for each host. */
export interface Split {
  /** All parts that there can be, also those without a host; undefined where only the hosts name them. */
  readonly parts: readonly string[] | undefined;
  readonly partOf: (host: string) => string;
}

/** As many as one matrix of GitHub Actions has jobs. */
export const MOST_STACKS = 256;
const LONGEST_NAME = 63;
export const GROUP = /^[A-Za-z0-9](?:[_-]?[A-Za-z0-9])*$/;

/** Undefined where the file says nothing of it, or what it says cannot be used. */
export function parseSplit(file: Record<string, unknown>, name: string, problems: Problems): Split | undefined {
  const { stacks, hosts } = file;
  const entries = isObject(hosts) ? Object.entries(hosts) : [];
  if (stacks === BY_GROUP) {
    return byGroup(entries, name, problems.at("hosts"));
  }
  for (const [key, host] of entries) {
    if (isObject(host) && host.group !== undefined) {
      problems.at("hosts").at(placeOf(key)).add("group", stackMessages.groupWithoutStacks());
    }
  }
  if (stacks === undefined) {
    return undefined;
  }
  if (typeof stacks !== "number") {
    problems.add("stacks", stackMessages.badStacks(stacks));
    return undefined;
  }
  return byNumber(stacks, name, problems.at("stacks"));
}

function byNumber(value: number, name: string, problems: Problems): Split | undefined {
  const count = parseInteger(value, { min: 1, max: MOST_STACKS }, problems);
  if (count === undefined) {
    return undefined;
  }
  const parts = Array.from({ length: count }, (_, index) => String(index));
  checkLength(name, String(count - 1), problems);
  return { parts, partOf: (host) => String(placeOfName(host, count)) };
}

function byGroup(hosts: ReadonlyArray<readonly [string, unknown]>, name: string, problems: Problems): Split {
  const groups = new Map<string, string>();
  const seen = new Map<string, string>();
  for (const [key, host] of hosts) {
    const place = problems.at(placeOf(key));
    const group = isObject(host) ? host.group : undefined;
    if (group === undefined) {
      place.add("", stackMessages.noGroup(typeof host === "string" ? host : undefined));
    } else if (typeof group !== "string" || (group.length <= LONGEST_NAME && !GROUP.test(group))) {
      place.add("group", stackMessages.badGroup(group));
    } else {
      const before = seen.get(group.toLowerCase()) ?? group;
      if (before !== group) {
        place.add("group", stackMessages.sameGroup(group, before));
      }
      seen.set(group.toLowerCase(), before);
      groups.set(key, group);
      checkLength(name, group, place.at("group"));
    }
  }
  return { parts: undefined, partOf: (host) => groups.get(host) as string };
}

function checkLength(name: string, part: string, problems: Problems): void {
  const stack = `${name}-${part}`;
  if (stack.length > LONGEST_NAME && name.length <= LONGEST_NAME) {
    problems.add("", stackMessages.longStackName(stack, LONGEST_NAME));
  }
}
