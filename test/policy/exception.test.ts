import { Token } from "cdktf";
import { EXCEPTION_KINDS, PolicyException } from "../../lib/policy/exception";
import { Problems } from "../../lib/input/problems";
import { AllowedSource } from "../../lib/policy/source";

/** What a fleet file's entry becomes: its description, or its problems. */
function read(entry: unknown): string | string[] {
  const problems = new Problems();
  const exception = PolicyException.parse(entry, problems);
  expect(exception === undefined).toBe(!problems.isEmpty);
  return exception?.describe() ?? problems.lines();
}

describe("a factory", () => {
  test.each([
    [PolicyException.dhcpClient(), "dhcp-client", "DHCP client (IPv4)"],
    [PolicyException.dhcpV6Client(), "dhcpv6-client", "DHCPv6 client"],
    [PolicyException.ping(), "ping", "ping from the sources of SSH"],
    [PolicyException.ping({ from: "192.0.2.1" }), "ping", "ping from 192.0.2.1"],
    [PolicyException.dns(["192.0.2.53", "2001:db8::53"]), "dns", "DNS to 192.0.2.53, to 2001:db8::53"],
    [PolicyException.ntp("192.0.2.123"), "ntp", "NTP to 192.0.2.123"],
    [PolicyException.syslog({ to: "192.0.2.14" }), "syslog", "syslog: UDP port 514 to 192.0.2.14"],
    [
      PolicyException.syslog({ to: "192.0.2.14", port: 6514, protocol: "tcp" }),
      "syslog",
      "syslog: TCP port 6514 to 192.0.2.14",
    ],
    [
      PolicyException.egress({ to: AllowedSource.anyIpv6(), port: 443 }),
      "egress",
      "egress: TCP port 443 to anywhere (IPv6)",
    ],
    [
      PolicyException.ingress({ from: ["192.0.2.0/24"], port: 161, protocol: "udp" }),
      "ingress",
      "ingress: UDP port 161 from 192.0.2.0/24",
    ],
    [
      PolicyException.protocol({ protocol: "vrrp", group: "224.0.0.18" }),
      "protocol",
      "IP protocol 112 (vrrp) with the group 224.0.0.18",
    ],
    [
      PolicyException.protocol({ protocol: 200, peers: "192.0.2.1", group: ["ff02::5"] }),
      "protocol",
      "IP protocol 200 with 192.0.2.1, with the group ff02::5",
    ],
    [PolicyException.wireguard({ peers: ["192.0.2.1"] }), "wireguard", "WireGuard: UDP port 51820 with 192.0.2.1"],
  ])("makes %p", (exception, kind, description) => {
    expect(exception.kind).toBe(kind);
    expect(exception.describe()).toBe(description);
  });

  test("passes DNS over UDP and TCP, for NTP over UDP", () => {
    expect(PolicyException.dns("192.0.2.53")).toMatchObject({ port: 53, protocols: ["tcp", "udp"] });
    expect(PolicyException.ntp("192.0.2.53")).toMatchObject({ port: 123, protocols: ["udp"] });
  });

  test("gives the host its kind, and which protocol without ports", () => {
    expect(PolicyException.dns("192.0.2.53").words).toEqual(["dns"]);
    expect(PolicyException.protocol({ protocol: "vrrp", peers: "192.0.2.1" }).words).toEqual([
      "protocol",
      "protocol-112",
    ]);
  });

  test("throws an error that names itself, the option and all that is wrong", () => {
    const bad = (): unknown => PolicyException.egress({ to: ["10.0.0.5/8", "x.example"], port: 0 });
    expect(bad).toThrow(/^PolicyException\.egress\(\): to\[0\]: "10\.0\.0\.5\/8" .*\nto\[1\]: "x\.example" .*\nport: /);
  });

  test("leaves out addresses that others cover", () => {
    expect(PolicyException.dns(["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8"]).describe()).toBe("DNS to 10.0.0.0/8");
  });
});

describe("an entry of a fleet file", () => {
  test.each([
    ["dhcp-client", "DHCP client (IPv4)"],
    [{ kind: "dhcpv6-client" }, "DHCPv6 client"],
    ["ping", "ping from the sources of SSH"],
    [{ kind: "dns", resolvers: ["192.0.2.53"] }, "DNS to 192.0.2.53"],
    [{ kind: "ntp", servers: "192.0.2.123" }, "NTP to 192.0.2.123"],
    [{ kind: "egress", to: ["192.0.2.80"], port: 443 }, "egress: TCP port 443 to 192.0.2.80"],
    [{ kind: "protocol", protocol: "6in4", peers: "192.0.2.1" }, "IP protocol 41 (6in4) with 192.0.2.1"],
    [{ kind: "wireguard", peers: "192.0.2.1", port: 51821 }, "WireGuard: UDP port 51821 with 192.0.2.1"],
    [PolicyException.dhcpClient(), "DHCP client (IPv4)"],
  ])("%p is read", (entry, description) => {
    expect(read(entry)).toBe(description);
  });

  test("with a misspelt kind is answered with the right one", () => {
    expect(read("dhcpclient")).toEqual(['kind: "dhcpclient" is not a kind of exception; did you mean dhcp-client?']);
    expect(read({ kind: "telnet" })).toEqual([
      `kind: "telnet" is not a kind of exception; known kinds: ${EXCEPTION_KINDS.join(", ")}`,
    ]);
    expect(read({})).toEqual([
      `kind: undefined is not a kind of exception; known kinds: ${EXCEPTION_KINDS.join(", ")}`,
    ]);
  });

  test("with everything wrong hears of everything", () => {
    expect(read({ kind: "egress", too: "x", to: [], port: 70000, protocol: "icmp" })).toEqual([
      "too: unknown; did you mean to?",
      "to: is empty; name at least one address",
      "port: must be a whole number from 1 to 65535, not 70000",
      'protocol: must be "tcp" or "udp", not "icmp"',
    ]);
  });

  test.each([
    [{ kind: "dns" }, "resolvers: is missing"],
    [{ kind: "egress", to: "192.0.2.1" }, "port: is missing"],
    [{ kind: "dns", resolvers: null }, "resolvers: must be a list, not null"],
    [{ kind: "dns", resolvers: "dns.example" }, 'resolvers: "dns.example" is a name'],
    [{ kind: "dns", resolvers: ["192.0.2.53"], port: 5353 }, "port: unknown"],
    [{ kind: "dhcp-client", from: "192.0.2.1" }, "from: unknown; no keys are allowed here"],
    [{ kind: "egress", to: "192.0.2.1", port: "443" }, "port: must be a number, not text; did you mean 443 without"],
    [{ kind: "egress", to: "192.0.2.1", port: Token.asNumber({ resolve: () => 1 }) }, "port: is a token"],
    [{ kind: "protocol", peers: "192.0.2.1" }, "protocol: is missing"],
    [{ kind: "protocol", protocol: "vrrp" }, "has no far end; name peers, a multicast group in group, or both"],
    [{ kind: "protocol", protocol: "vrp", group: "224.0.0.18" }, 'protocol: "vrp" is not a protocol that this package'],
    [
      { kind: "protocol", protocol: "tcp", peers: "192.0.2.1" },
      'protocol: "tcp" has exceptions of its own: use the kind egress',
    ],
    [{ kind: "protocol", protocol: 1, peers: "192.0.2.1" }, "protocol: 1 has exceptions of its own: use the kind ping"],
    [{ kind: "protocol", protocol: 0, peers: "192.0.2.1" }, "protocol: must be a whole number from 1 to 254, not 0"],
    [
      { kind: "protocol", protocol: 44, peers: "192.0.2.1" },
      "protocol: 44 is a header that stands in front of a protocol",
    ],
    [{ kind: "protocol", protocol: "ah", peers: "2001:db8::1" }, "protocol: has IPv6 addresses, and in IPv6 that"],
    [{ kind: "protocol", protocol: "vrrp", group: "192.0.2.1" }, 'group: "192.0.2.1" is not a multicast group'],
    [{ kind: "protocol", protocol: "vrrp", group: [] }, "group: is empty; name at least one multicast group"],
    [{ kind: "protocol", protocol: "vrrp", peers: "224.0.0.18" }, 'peers: "224.0.0.18" is a multicast address'],
    [{ kind: "wireguard" }, "peers: is missing"],
    [7, 'must be a PolicyException, or a kind such as "dhcp-client", or an object with a kind, not 7'],
    [[], "must be a PolicyException"],
    [null, "must be a PolicyException"],
  ])("%p is refused", (entry, message) => {
    expect(read(entry)).toEqual([expect.stringContaining(message)]);
  });
});

describe("the families of an exception", () => {
  test("are those of its far ends", () => {
    const dns = PolicyException.dns(["192.0.2.53", "192.0.2.54"]);
    expect([dns.uses("ipv4"), dns.uses("ipv6")]).toEqual([true, false]);
    expect(dns.ends("ipv6")).toEqual([]);
    expect(dns.ends("ipv4")).toEqual(["to 192.0.2.53", "to 192.0.2.54"]);
  });

  test("are known of DHCP", () => {
    expect(PolicyException.dhcpClient().uses("ipv4")).toBe(true);
    expect(PolicyException.dhcpClient().uses("ipv6")).toBe(false);
    expect(PolicyException.dhcpV6Client().uses("ipv6")).toBe(true);
    expect(PolicyException.dhcpV6Client().uses("ipv4")).toBe(false);
  });

  test("of ping follow the sources of SSH until they are named", () => {
    const ping = PolicyException.ping().resolvedFor([AllowedSource.of("2001:db8::1")]);
    expect(ping.uses("ipv6")).toBe(true);
    expect(ping.describe()).toBe("ping from 2001:db8::1");
    const named = PolicyException.ping({ from: "192.0.2.1" });
    expect(named.resolvedFor([AllowedSource.of("2001:db8::1")])).toBe(named);
  });
});
