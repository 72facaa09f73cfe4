/** The policies that the golden files show, and that the real firewalls load. */
import { Lazy, Token } from "cdktf";
import { PolicyException } from "../../../lib/policy/exception";
import { type Policy, type PolicyProps, parsePolicy } from "../../../lib/policy/policy";
import { Problems } from "../../../lib/input/problems";
import { AllowedSource } from "../../../lib/policy/source";

export function policyOf(props: PolicyProps): Policy {
  const problems = new Problems();
  const policy = parsePolicy(props, problems);
  problems.throwIfAny("policy of a test");
  return policy as Policy;
}

/** What Terraform will put in the place of each token, by the name that stands for the token in golden files. */
export const TOKENS = {
  bastion_v4: "192.0.2.10",
  office_v4: "203.0.113.0",
  bastion_v6: "2001:db8::10",
  resolver: "192.0.2.53",
} as const;

const placeholders = new Map<string, keyof typeof TOKENS>();

function tokenNamed(name: keyof typeof TOKENS): string {
  const token = Token.asString(Lazy.stringValue({ produce: () => TOKENS[name] }));
  placeholders.set(token, name);
  return token;
}

/** Tokens by names that do not depend on how many others were made before. */
export function withTokensNamed(text: string): string {
  return [...placeholders].reduce((result, [token, name]) => result.replaceAll(token, `\${${name}}`), text);
}

/** As Terraform would write it, with these values where they are given. */
export function withTokensResolved(text: string, own: Partial<Record<keyof typeof TOKENS, string>> = {}): string {
  return [...placeholders].reduce(
    (result, [token, name]) => result.replaceAll(token, () => own[name] ?? TOKENS[name]),
    text,
  );
}

const everyException: readonly PolicyException[] = [
  PolicyException.dhcpClient(),
  PolicyException.dhcpV6Client(),
  PolicyException.ping(),
  PolicyException.dns(["192.0.2.53", "2001:db8::53"]),
  PolicyException.ntp("192.0.2.123"),
  PolicyException.syslog({ to: "192.0.2.14", port: 6514, protocol: "tcp" }),
  PolicyException.egress({ to: ["192.0.2.80", "198.51.100.0/24"], port: 443 }),
  PolicyException.ingress({ from: AllowedSource.anyIpv4(), port: 9100 }),
  PolicyException.protocol({ protocol: "vrrp", group: ["224.0.0.18", "ff02::12"] }),
  PolicyException.protocol({ protocol: "ospf", peers: "192.0.2.0/24", group: ["224.0.0.5", "224.0.0.6"] }),
  PolicyException.protocol({ protocol: 47, peers: ["192.0.2.47", "198.51.100.47", "2001:db8::47"] }),
  PolicyException.protocol({ protocol: "esp", peers: AllowedSource.anyIpv4() }),
  PolicyException.wireguard({ peers: ["192.0.2.51", "2001:db8::51"] }),
];

const typicalSources = ["192.0.2.0/24", "198.51.100.7", "2001:db8:1::/48"];

export const policies = {
  default: policyOf({}),
  typical: policyOf({ allowFrom: typicalSources }),
  "ipv4-only": policyOf({ sshPort: 2222, allowFrom: ["192.0.2.0/24"] }),
  "ipv6-only": policyOf({ allowFrom: ["2001:db8:1::/48"] }),
  "every-exception": policyOf({ allowFrom: typicalSources, exceptions: everyException }),
  log: policyOf({ allowFrom: typicalSources, logDeniedPerMinute: 10 }),
  "denials-swapped": policyOf({ allowFrom: typicalSources, deniedInbound: "reject", deniedOutbound: "drop" }),
  observe: policyOf({
    allowFrom: typicalSources,
    deniedInbound: "reject",
    logDeniedPerMinute: 10,
    exceptions: everyException,
    mode: "observe",
  }),
  tokens: policyOf({
    allowFrom: [
      "192.0.2.0/24",
      AllowedSource.ipv4(tokenNamed("bastion_v4")),
      AllowedSource.ipv4(`${tokenNamed("office_v4")}/24`),
      AllowedSource.ipv6(tokenNamed("bastion_v6")),
    ],
    exceptions: [PolicyException.dns([AllowedSource.ipv4(tokenNamed("resolver"))])],
  }),
} satisfies Record<string, Policy>;
