/** `render`: a ruleset on standard output, ready to paste. */
import { type Command, Option } from "commander";
import { DEFAULT_FILE, readFleet } from "../fleet/fleet-file";
import { hostsOf } from "../fleet/fleet-hosts";
import type { Host } from "../policy/host";
import { closest } from "../input/keys";
import type { Policy } from "../policy/policy";
import { renderIptables, renderIptablesFile } from "../ruleset/iptables";
import { renderNftables } from "../ruleset/nftables";
import { CommandError } from "./errors";
import { messages } from "./messages";
import { addPolicyOptions, type PolicyOptions, policyOf, policyOptionsIn } from "./policy-options";

const FORMATS = {
  nftables: renderNftables,
  iptables: (policy: Policy) => renderIptables(policy, "ipv4"),
  ip6tables: (policy: Policy) => renderIptables(policy, "ipv6"),
  "iptables-file": (policy: Policy) => renderIptablesFile(policy, "ipv4"),
  "ip6tables-file": (policy: Policy) => renderIptablesFile(policy, "ipv6"),
} as const satisfies Record<string, (policy: Policy) => string>;

type Format = keyof typeof FORMATS;

interface RenderOptions extends PolicyOptions {
  readonly fleet?: string;
  readonly format?: Format;
}

const HELP = `
Formats:
  nftables        for nft -f: one table of our own (the default, but for hosts with backend iptables)
  iptables        for iptables-restore --noflush: chains of our own, IPv4
  ip6tables       for ip6tables-restore --noflush: the same for IPv6
  iptables-file   the whole file /etc/sysconfig/iptables or /etc/iptables/rules.v4
  ip6tables-file  the whole file /etc/sysconfig/ip6tables or /etc/iptables/rules.v6

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
    .description("Prints a ruleset: that of a host in a fleet file, or the one that the options describe.")
    .argument("[HOST]", "a host of the fleet file")
    .option("--fleet <FILE>", `the fleet file of the host (default: ${DEFAULT_FILE})`)
    .addOption(new Option("--format <FORMAT>", "what to print it for; see below").choices(Object.keys(FORMATS)));
  addPolicyOptions(command)
    .addHelpText("after", HELP)
    .action((host: string | undefined, options: RenderOptions) => {
      process.stdout.write(render(host, options));
    });
}

function render(key: string | undefined, { fleet, format, ...options }: RenderOptions): string {
  if (key === undefined && fleet === undefined) {
    return rendered(policyOf(options), format ?? "nftables", "by --allow-from");
  }
  const beside = policyOptionsIn(options);
  if (beside.length > 0) {
    throw new CommandError(messages.optionsBesideFleet(beside), 2);
  }
  const host = hostOf(fleet ?? DEFAULT_FILE, key);
  return rendered(host.policy, format ?? (host.backend === "iptables" ? "iptables" : "nftables"), "in allowFrom");
}

function rendered(policy: Policy, format: Format, remedy: string): string {
  if (policy.openToWorld) {
    process.stderr.write(messages.openToWorld(remedy));
  }
  return FORMATS[format](policy);
}

/** The host of that name, or without one the only host. */
function hostOf(file: string, key: string | undefined): Host {
  const hosts = hostsOf(readFleet(file));
  const keys = [...hosts.keys()];
  if (key === undefined && keys.length > 1) {
    throw new CommandError(messages.whichHost(file, keys), 2);
  }
  const host = hosts.get(key ?? keys[0]);
  if (host === undefined) {
    throw new CommandError(messages.unknownHost(file, String(key), closest(String(key), keys), keys), 1);
  }
  return host;
}
