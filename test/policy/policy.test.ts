import { Lazy, Token } from "cdktf";
import { defined } from "../support/required";
import { PolicyException } from "../../lib/policy/exception";
import { type Policy, parsePolicy } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { AllowedSource } from "../../lib/policy/source";

function policyOf(props: unknown): Policy {
  const problems = new Problems();
  const policy = parsePolicy(props, problems);
  expect(problems.lines()).toEqual([]);
  return policy as Policy;
}

function problemsOf(props: unknown): string[] {
  const problems = new Problems();
  expect(parsePolicy(props, problems)).toBeUndefined();
  return problems.lines();
}

const cidrs = (policy: Policy): string[] => policy.sources.map((source) => source.cidr);

describe("a policy of which nothing is said", () => {
  test("lets anybody reach port 22 and nothing else", () => {
    expect(policyOf({})).toMatchObject({
      sshPort: 22,
      exceptions: [],
      deniedInbound: "drop",
      deniedOutbound: "reject",
      logDeniedPerMinute: undefined,
      openToWorld: true,
      families: ["ipv4", "ipv6"],
    });
    expect(cidrs(policyOf({}))).toEqual(["0.0.0.0/0", "::/0"]);
  });

  test("treats undefined like a key that is not there", () => {
    expect(policyOf({ sshPort: undefined, allowFrom: undefined, exceptions: undefined })).toEqual(policyOf({}));
  });
});

describe("the sources of a policy", () => {
  test("are sorted and written in one form, whatever the order and form they came in", () => {
    const one = policyOf({ allowFrom: ["2001:DB8::1", "192.0.2.9", "10.0.0.0/8", "192.0.2.10/32"] });
    const other = policyOf({ allowFrom: ["192.0.2.10", "10.0.0.0/8", "192.0.2.9/32", "2001:db8:0::1/128"] });
    expect(cidrs(one)).toEqual(["10.0.0.0/8", "192.0.2.9", "192.0.2.10", "2001:db8::1"]);
    expect(other).toEqual(one);
  });

  test("do not say twice what one of them says already", () => {
    expect(cidrs(policyOf({ allowFrom: ["10.1.2.3", "10.0.0.0/8", "10.0.0.0/8", "10.2.0.0/16"] }))).toEqual([
      "10.0.0.0/8",
    ]);
  });

  test("are not distinguished from tokens that are the same", () => {
    const token = Token.asString(Lazy.stringValue({ produce: () => "192.0.2.1" }));
    const sources = [AllowedSource.ipv4(token), AllowedSource.ipv4(token), AllowedSource.ipv6(token), "192.0.2.1"];
    expect(cidrs(policyOf({ allowFrom: sources }))).toEqual(["192.0.2.1", token, token]);
  });

  test("decide which families are open, and whether to the world", () => {
    expect(policyOf({ allowFrom: ["192.0.2.1"] })).toMatchObject({ families: ["ipv4"], openToWorld: false });
    expect(policyOf({ allowFrom: ["2001:db8::/32"] })).toMatchObject({ families: ["ipv6"], openToWorld: false });
    expect(policyOf({ allowFrom: ["2001:db8::/32", "0.0.0.0/0"] }).openToWorld).toBe(true);
  });

  test("of one family are had by its name", () => {
    const policy = policyOf({ allowFrom: ["192.0.2.1", "2001:db8::1"] });
    expect(policy.sourcesOf("ipv6").map((source) => source.cidr)).toEqual(["2001:db8::1"]);
  });
});

describe("the exceptions of a policy", () => {
  test("are sorted, and none is there twice", () => {
    const dns = { kind: "dns", resolvers: ["192.0.2.53"] };
    const policy = policyOf({
      allowFrom: ["192.0.2.1"],
      exceptions: [PolicyException.dns("192.0.2.53"), "ping", { kind: "ping", from: "192.0.2.1" }, dns, "dhcp-client"],
    });
    expect(policy.exceptions.map((exception) => exception.describe())).toEqual([
      "DHCP client (IPv4)",
      "ping from 192.0.2.1",
      "DNS to 192.0.2.53",
    ]);
  });

  test("open their family, where SSH does not", () => {
    const policy = policyOf({ allowFrom: ["192.0.2.1"], exceptions: [PolicyException.dhcpV6Client()] });
    expect(policy.families).toEqual(["ipv4", "ipv6"]);
  });

  test("can be asked for by kind", () => {
    const policy = policyOf({ exceptions: [PolicyException.dhcpClient()] });
    expect(policy.hasException("dhcp-client")).toBe(true);
    expect(policy.hasException("dhcpv6-client")).toBe(false);
  });

  test("may not be a second way to open SSH", () => {
    const exceptions = [PolicyException.ingress({ from: "192.0.2.1", port: 2222 })];
    expect(problemsOf({ sshPort: 2222, exceptions })).toEqual([
      expect.stringContaining("exceptions[0]: opens port 2222, the SSH port, to more sources; add them to allowFrom"),
    ]);
    expect(policyOf({ sshPort: 22, exceptions }).hasException("ingress")).toBe(true);
  });
});

describe("a policy that cannot be used", () => {
  test("reports all that is wrong with it at once, each with its place", () => {
    const problems = new Problems();
    parsePolicy(
      {
        allowFrm: [],
        sshPort: 0,
        allowFrom: ["10.0.0.5/8", 7],
        exceptions: [{ kind: "dns", resolvers: ["x"] }],
        deniedInbound: "deny",
        deniedOutbound: null,
        logDeniedPerMinute: 0,
      },
      problems.at("hosts.web-1"),
    );
    expect(problems.list.map((problem) => problem.path)).toEqual([
      "hosts.web-1.allowFrm",
      "hosts.web-1.sshPort",
      "hosts.web-1.allowFrom[0]",
      "hosts.web-1.allowFrom[1]",
      "hosts.web-1.exceptions[0].resolvers[0]",
      "hosts.web-1.deniedInbound",
      "hosts.web-1.deniedOutbound",
      "hosts.web-1.logDeniedPerMinute",
    ]);
  });

  test.each([
    [{ allowFrm: ["192.0.2.1"] }, "allowFrm: unknown; did you mean allowFrom?"],
    [{ allowFrom: [] }, "allowFrom: is empty, so nobody could reach the host any more"],
    [{ allowFrom: "192.0.2.1" }, 'allowFrom: must be a list; did you mean ["192.0.2.1"]?'],
    [{ allowFrom: null }, "allowFrom: must be a list, not null"],
    // eslint-disable-next-line no-sparse-arrays
    [{ allowFrom: [, "192.0.2.1"] }, "allowFrom[0]: must be an address or range as text"],
    [{ allowFrom: Token.asList({ resolve: () => [] }) }, "allowFrom: is a list whose length is unknown until apply"],
    [{ allowFrom: Token.asString({ resolve: () => [] }) }, "allowFrom: is a token"],
    [{ sshPort: 65536 }, "sshPort: must be a whole number from 1 to 65535, not 65536"],
    [{ sshPort: -1 }, "sshPort: must be a whole number from 1 to 65535, not -1"],
    [{ sshPort: 22.5 }, "sshPort: must be a whole number from 1 to 65535, not 22.5"],
    [{ sshPort: NaN }, "sshPort: must be a whole number from 1 to 65535, not NaN"],
    [{ sshPort: Infinity }, "sshPort: must be a whole number from 1 to 65535, not Infinity"],
    [{ sshPort: "22" }, "sshPort: must be a number, not text; did you mean 22 without quotes?"],
    [{ sshPort: "ssh" }, 'sshPort: must be a whole number from 1 to 65535, not "ssh"'],
    [{ sshPort: true }, "sshPort: must be a whole number from 1 to 65535, not true"],
    [{ sshPort: Token.asNumber({ resolve: () => 22 }) }, "sshPort: is a token, whose value is unknown until apply"],
    [{ sshPort: Token.asString({ resolve: () => 22 }) }, "sshPort: is a token, whose value is unknown until apply"],
    [{ exceptions: {} }, "exceptions: must be a list, not an object"],
    [{ exceptions: [undefined] }, "exceptions[0]: must be a PolicyException"],
    [{ deniedInbound: "Reject" }, 'deniedInbound: must be "drop" or "reject", not "Reject"'],
    [{ deniedOutbound: false }, 'deniedOutbound: must be "drop" or "reject", not false'],
    [{ logDeniedPerMinute: 0 }, "logDeniedPerMinute: must be a whole number from 1 to 600, not 0; leave it out to log"],
    [{ logDeniedPerMinute: 601 }, "logDeniedPerMinute: must be a whole number from 1 to 600"],
    // A flood that claims the address of an allowed source would use up the limit of that source.
    [{ newConnectionsPerMinute: 60 }, "newConnectionsPerMinute: unknown"],
  ])("%p is refused", (props, message) => {
    expect(problemsOf(props)).toEqual([expect.stringContaining(message)]);
  });

  test.each([[undefined], [null], [[]], ["x"], [7]])("%p is no policy at all", (props) => {
    expect(problemsOf(props)).toEqual([expect.stringContaining("must be an object with named values")]);
  });
});

test("the limits of each number are inclusive", () => {
  const lowest = { sshPort: 1, logDeniedPerMinute: 1 };
  const highest = { sshPort: 65535, logDeniedPerMinute: 600 };
  expect(policyOf(lowest)).toMatchObject(lowest);
  expect(policyOf(highest)).toMatchObject(highest);
});

test("keys of somebody else are left alone when they are named, and suggested when they are misspelt", () => {
  const problems = new Problems();
  parsePolicy({ hosts: 7 }, problems, ["hosts"]);
  expect(problems.lines()).toEqual([]);
  parsePolicy({ hots: 7 }, problems, ["hosts"]);
  expect(problems.lines()).toEqual(["hots: unknown; did you mean hosts?"]);
});

test("a policy cannot be changed once it was checked", () => {
  const policy = policyOf({ exceptions: [PolicyException.dhcpClient()] });
  expect(() => Object.assign(policy, { sshPort: 1 })).toThrow(TypeError);
  expect(() => (policy.sources as AllowedSource[]).push(AllowedSource.of("192.0.2.1"))).toThrow(TypeError);
  expect(() => (policy.exceptions as PolicyException[]).pop()).toThrow(TypeError);
  expect(() => Object.assign(defined(policy.sources[0]), { cidr: "192.0.2.1" })).toThrow(TypeError);
});
