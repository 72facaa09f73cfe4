/** Any policy, for property tests. */
import fc from "fast-check";
import { PolicyException } from "../../../lib/policy/exception";
import type { PolicyProps } from "../../../lib/policy/policy";

export const anyAddress = fc.constantFrom(
  "192.0.2.0/24",
  "192.0.2.10",
  "198.51.100.7",
  "10.0.0.0/8",
  "10.1.0.0/16",
  "2001:db8::/32",
  "2001:db8::1",
  "fd00::/8",
  "::/0",
);

const anyPort = fc.integer({ min: 1, max: 65535 });
const someAddresses = fc.array(anyAddress, { minLength: 1 });

const anyProtocol = fc.constantFrom("vrrp", "gre", "esp", 2, 89, 254);
const someGroups = fc.array(fc.constantFrom("224.0.0.18", "224.0.0.5", "ff02::5", "ff00::/8"), { minLength: 1 });

const anyException = fc.oneof(
  fc.constantFrom("dhcp-client", "dhcpv6-client", "ping"),
  fc.record({ kind: fc.constantFrom("egress", "syslog"), to: someAddresses, port: anyPort }),
  fc.record(
    { kind: fc.constant("ingress"), from: someAddresses, port: anyPort, protocol: fc.constantFrom("tcp", "udp") },
    { requiredKeys: ["kind", "from", "port"] },
  ),
  fc.record({ kind: fc.constant("dns"), resolvers: someAddresses }),
  fc.record({ kind: fc.constant("wireguard"), peers: someAddresses, port: anyPort }),
  fc.record({ kind: fc.constant("protocol"), protocol: anyProtocol, peers: someAddresses }),
  fc.record({ kind: fc.constant("protocol"), protocol: anyProtocol, group: someGroups }),
  fc.record({ kind: fc.constant("protocol"), protocol: anyProtocol, peers: someAddresses, group: someGroups }),
);

/** Which is refused: `allowFrom` says who may log in. */
function opensSshPort({ sshPort = 22, exceptions = [] }: PolicyProps): boolean {
  const all = exceptions as unknown as ReadonlyArray<string | { readonly kind: string; readonly port?: number }>;
  return all.some((one) => typeof one === "object" && one.kind === "ingress" && one.port === sshPort);
}

const everyPolicy = fc.record(
  {
    sshPort: anyPort,
    allowFrom: someAddresses,
    exceptions: fc.array(anyException) as unknown as fc.Arbitrary<PolicyException[]>,
    deniedInbound: fc.constantFrom("drop", "reject"),
    deniedOutbound: fc.constantFrom("drop", "reject"),
    logDeniedPerMinute: fc.integer({ min: 1, max: 600 }),
    mode: fc.constantFrom("enforce", "observe"),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<PolicyProps>;

export const anyPolicy = everyPolicy.filter((policy) => !opensSshPort(policy));
