/** The hosts that `init` is given: read, and written into the starter's fleet file. */
import { InvalidArgumentError } from "commander";
import { describeProblem } from "../input/problems";
import { plain } from "../output/text";
import { parseDestination } from "../ssh/route";

export interface StarterHost {
  readonly name: string;
  readonly address: string;
  readonly user?: string;
  readonly port?: string;
}

export function starterHost(value: string): StarterHost {
  const [, name, rest = value] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
  const destination = parseDestination(rest);
  if (destination === undefined || name === "") {
    throw new InvalidArgumentError("It must be [NAME=][USER@]ADDRESS[:PORT].");
  }
  return { name: name ?? destination.address.replace(/[:%]/g, "-"), ...destination };
}

const HOSTS = "\nhosts:\n";

/** The starter with these hosts in place of its own, which stand at its end; or what is wrong with them. */
export async function withHosts(
  starter: string,
  hosts: readonly StarterHost[],
): Promise<{ readonly text: string } | { readonly problems: readonly string[] }> {
  const text = starter.slice(0, starter.indexOf(HOSTS) + HOSTS.length) + hosts.map(lineOf).join("");
  // Only now: it takes longer than all else.
  const { parseFleet } = await import("../fleet/fleet-file.js");
  const { problems } = parseFleet(text);
  return problems.length === 0 ? { text } : { problems: problems.map((problem) => plain(describeProblem(problem))) };
}

function lineOf({ name, address, user, port }: StarterHost): string {
  const more = [
    ...(port === undefined ? [] : [`sshPort: ${port}`]),
    ...(user === undefined ? [] : [`connection: { user: ${word(user)} }`]),
  ];
  const value = more.length === 0 ? word(address) : `{ address: ${word(address)}, ${more.join(", ")} }`;
  return `  ${word(name)}: ${value}\n`;
}

/** In quotes where YAML could take it for something else than text. */
function word(text: string): string {
  const isText = /^[A-Za-z][A-Za-z0-9.-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text);
  return isText || /^(?:\d+\.){3}\d+$/.test(text) ? text : JSON.stringify(text);
}
