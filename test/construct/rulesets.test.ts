/** One ruleset for all hosts with the same text, under a name that a change of the text does not change. */
import { PolicyException, type HostProps, type SshOnlyFirewallProps } from "../../lib/index";
import { parsePolicy } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { renderRulesets } from "../../lib/ruleset/backends";
import { partsOf, synth } from "./support/configuration";

/** Which ruleset each host gets. */
function rulesetsOf(props: SshOnlyFirewallProps): Record<string, unknown> {
  const { hosts, rulesets } = partsOf(synth(props));
  const used = Object.fromEntries(Object.entries(hosts).map(([key, { ruleset }]) => [key, ruleset]));
  expect(new Set(Object.values(used))).toEqual(new Set(Object.keys(rulesets)));
  return used;
}

const at = (last: number, own: Partial<HostProps> = {}): HostProps => ({ address: `192.0.2.${last}`, ...own });
const allowFrom = ["192.0.2.0/24"];

test("hosts without properties of their own share one ruleset", () => {
  expect(rulesetsOf({ allowFrom, hosts: { a: at(1), b: at(2), c: at(3) } })).toEqual({
    a: "shared",
    b: "shared",
    c: "shared",
  });
});

test("a host with another policy has its own, named after it", () => {
  expect(rulesetsOf({ allowFrom, hosts: { a: at(1), b: at(2, { sshPort: 2222 }), c: at(3) } })).toEqual({
    a: "shared",
    b: "b",
    c: "shared",
  });
});

test("hosts with the same other policy share one, named after the first of them", () => {
  const own = { exceptions: [PolicyException.ping()] };
  expect(rulesetsOf({ allowFrom, hosts: { d: at(4, own), c: at(3), b: at(2, own), a: at(1) } })).toEqual({
    a: "shared",
    b: "b",
    c: "shared",
    d: "b",
  });
});

test("a host that spells the shared policy out, in whatever words, has the shared ruleset", () => {
  const hosts = {
    a: at(1, { allowFrom: ["192.0.2.7", "192.0.2.0/24"] }),
    b: at(2, { sshPort: 22, deniedInbound: "drop" }),
    c: at(3, { exceptions: [], backend: "auto" }),
    d: at(4),
  };
  expect(new Set(Object.values(rulesetsOf({ allowFrom, hosts })))).toEqual(new Set(["shared"]));
});

test("a host without IPv6 exceptions or sources differs in text, and so in ruleset", () => {
  const hosts = { a: at(1), b: at(2, { allowFrom: [...allowFrom, "2001:db8::/32"] }) };
  expect(rulesetsOf({ allowFrom, hosts })).toEqual({ a: "shared", b: "b" });
});

test("each backend has the texts that it may load, and no others", () => {
  const hosts = { a: at(1), n: at(2, { backend: "nftables" }), i: at(3, { backend: "iptables" }) };
  const { rulesets } = partsOf(synth({ allowFrom, hosts }));
  const present = Object.entries(rulesets).map(([key, entry]) => [
    key,
    ["nftables", "iptables", "ip6tables"].filter((text) => entry[text] !== ""),
  ]);
  // Beside the tables of others, a host with nftables needs the other two.
  expect(present).toEqual([
    ["i", ["iptables", "ip6tables"]],
    ["shared", ["nftables", "iptables", "ip6tables"]],
  ]);
});

test("a shared backend is part of what is shared", () => {
  const hosts = { a: at(1), b: at(2, { backend: "iptables" }), c: at(3, { backend: "auto" }) };
  expect(rulesetsOf({ allowFrom, backend: "iptables", hosts })).toEqual({ a: "shared", b: "shared", c: "c" });
});

test("a host that names its backend has the shared ruleset if the texts are the same, in whatever order", () => {
  const [a, b] = [at(1, { backend: "auto" }), at(2)];
  expect(rulesetsOf({ allowFrom, backend: "nftables", hosts: { a, b } })).toEqual({ a: "shared", b: "shared" });
  expect(rulesetsOf({ allowFrom, backend: "nftables", hosts: { a } })).toEqual({ a: "shared" });
});

test("a changed policy changes no name", () => {
  const hosts = { a: at(1), b: at(2, { sshPort: 2222 }) };
  const before = rulesetsOf({ allowFrom, hosts });
  expect(rulesetsOf({ allowFrom: [...allowFrom, "198.51.100.1"], hosts })).toEqual(before);
  expect(rulesetsOf({ allowFrom, hosts: { ...hosts, b: at(2, { sshPort: 2223 }) } })).toEqual(before);
});

test("the text in the resource is the text that was rendered", () => {
  const props = { allowFrom, exceptions: [PolicyException.dns("192.0.2.53")], logDeniedPerMinute: 6 };
  const { rulesets, ruleset } = partsOf(synth({ ...props, hosts: { a: at(1) } }));
  const policy = parsePolicy(props, new Problems());
  expect(policy).toBeDefined();
  expect(rulesets.shared).toMatchObject(renderRulesets(policy as NonNullable<typeof policy>, "auto"));
  expect(ruleset.triggers).toEqual({
    nftables: "${each.value.nftables}",
    iptables: "${each.value.iptables}",
    ip6tables: "${each.value.ip6tables}",
  });
  expect(ruleset.provisioner).toBeUndefined();
});

test("the pre-flight compares the values of the host's own ruleset", () => {
  const own = { sshPort: 2222, allowFrom: ["2001:db8::/32", "192.0.2.9"], exceptions: [PolicyException.dhcpClient()] };
  const { rulesets } = partsOf(synth({ allowFrom, hosts: { a: at(1), b: at(2, own) } }));
  expect(rulesets.shared).toMatchObject({ port: 22, allow_from: "192.0.2.0/24", exceptions: "" });
  expect(rulesets.b).toMatchObject({
    port: 2222,
    allow_from: "192.0.2.9 2001:db8::/32",
    exceptions: "dhcp-client",
  });
});
