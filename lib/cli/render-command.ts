/** `render`: a ruleset on standard output, ready to paste. */
import type { Command } from "commander";
import { DEFAULT_FILE, readFleet } from "../fleet/fleet-file";
import type { Host } from "../policy/host";
import { closest } from "../input/names";
import type { Format } from "../output/formats";
import { listed, shown } from "../output/text";
import type { Policy } from "../policy/policy";
import { defaultFormat, RENDER_FORMATS } from "../ruleset/backends";
import { CommandError } from "./errors";
import { addFormatOptions, formatIn } from "./format-options";
import { addPolicyOptions, type PolicyOptions, policyOf, policyOptionsIn } from "./policy-options";

interface RenderOptions extends PolicyOptions {
  readonly fleet?: string;
  readonly format?: string;
}

const HELP = `
Examples:
  $ ssh-only-firewall render web-1
  $ ssh-only-firewall render web-1 --fleet old-servers/fleet.yaml --format iptables
  $ ssh-only-firewall render --allow-from 192.0.2.0/24 --allow-from 2001:db8::/48 --format iptables-file
  $ ssh-only-firewall render --allow-from 192.0.2.7 --exception dhcp-client \\
      --exception dns,resolvers=192.0.2.53,resolvers=192.0.2.54 --exception egress,to=192.0.2.80,port=443
`;

export function addRender(program: Command): void {
  const command = program
    .command("render")
    .summary("print the ruleset of a host, or of options")
    .description("Print a ruleset: that of a host in a fleet file, or the one that the options describe.")
    .argument("[HOST]", "a host of the fleet file")
    .option("--fleet <FILE>", `the fleet file of the host (default: ${DEFAULT_FILE})`);
  addPolicyOptions(addFormatOptions(command, RENDER_FORMATS))
    .addHelpText("after", HELP)
    .action((host: string | undefined, options: RenderOptions) => {
      process.stdout.write(render(host, options));
    });
}

function render(key: string | undefined, { fleet, format, ...options }: RenderOptions): string {
  if (key === undefined && fleet === undefined) {
    return rendered(policyOf(options), formatIn(RENDER_FORMATS, { format }), "by --allow-from");
  }
  const policyOptions = policyOptionsIn(options);
  if (policyOptions.length > 0) {
    throw new CommandError(
      `${policyOptions.join(", ")}: has no effect together with a fleet file; change the policy in that file, or name neither a host nor --fleet`,
      2,
    );
  }
  const { policy, backend } = hostOf(fleet ?? DEFAULT_FILE, key);
  return rendered(policy, formatIn(RENDER_FORMATS, { format }, defaultFormat(backend)), "in allowFrom");
}

function rendered(policy: Policy, format: Format<Policy>, remedy: string): string {
  if (policy.openToWorld) {
    process.stderr.write(`Warning: SSH is open to every address; name the sources ${remedy}.\n`);
  }
  return format.print(policy);
}

/** The host of that name, or without one the only host. */
function hostOf(file: string, key: string | undefined): Host {
  const { firewall } = readFleet(file);
  const keys = firewall.hosts.map((host) => host.key);
  if (key === undefined && keys.length > 1) {
    throw new CommandError(`${file} has several hosts; name one of them: ${listed(keys)}`, 2);
  }
  const name = key ?? keys[0] ?? "";
  const host = firewall.host(name);
  if (host === undefined) {
    const suggestion = closest(name, keys);
    const help = suggestion === undefined ? `its hosts are ${listed(keys)}` : `did you mean ${suggestion}?`;
    throw new CommandError(`${file}: hosts: there is no ${shown(name)}; ${help}`, 1);
  }
  return host;
}
