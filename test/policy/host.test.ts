import * as fc from "fast-check";
import { Lazy, Token } from "cdktf";
import {
  checkConnections,
  checkDistinctAddresses,
  type Host,
  parseHost,
  parseShared,
  SHARED_KEYS,
} from "../../lib/policy/host";
import { Problems } from "../../lib/input/problems";

interface Read {
  readonly host: Host | undefined;
  readonly lines: string[];
}

/** One host on top of what is shared, with all that is wrong with either. */
function read(host: unknown, shared: unknown = {}, key = "web-1"): Read {
  const problems = new Problems();
  const parsed = parseHost(key, host, parseShared(shared, problems, []), problems.at("hosts").at("web-1"));
  return { host: parsed, lines: problems.lines() };
}

function hostOf(host: unknown, shared: unknown = {}): Host {
  const { host: parsed, lines } = read(host, shared);
  expect(lines).toEqual([]);
  return parsed as Host;
}

const token = (value: string): string => Token.asString(Lazy.stringValue({ produce: () => value }));
const cidrs = (host: Host): string[] => host.policy.sources.map((source) => source.cidr);

describe("a host of which only the address is said", () => {
  test("gets what applies to all, and the defaults for the rest", () => {
    expect(hostOf("192.0.2.1")).toMatchObject({
      key: "web-1",
      address: "192.0.2.1",
      backend: "auto",
      confirmWithinSeconds: 120,
      skipPreflight: false,
      takeOver: false,
      policy: { sshPort: 22, openToWorld: true },
      connection: { user: "root", port: undefined, agent: true },
    });
  });

  test("is the same whether the address is given as text or as a property", () => {
    expect(hostOf({ address: "192.0.2.1" })).toEqual(hostOf("192.0.2.1"));
  });

  test("has the very policy that is shared, so that nobody has to compare them", () => {
    const shared = parseShared({ sshPort: 2222 }, new Problems(), []);
    const problems = new Problems();
    expect(parseHost("a", "192.0.2.1", shared, problems)?.policy).toBe(shared.policy);
    expect(parseHost("b", { address: "192.0.2.2", backend: "iptables" }, shared, problems)?.policy).toBe(shared.policy);
  });
});

describe("what a host says itself", () => {
  const shared = {
    sshPort: 2222,
    allowFrom: ["192.0.2.0/24"],
    exceptions: ["ping"],
    deniedInbound: "reject",
    backend: "nftables",
    confirmWithinSeconds: 60,
    skipPreflight: true,
    takeOver: true,
    connection: { user: "ops", timeoutSeconds: 30 },
  };

  test.each([
    [{ sshPort: 22 }, { policy: { sshPort: 22, deniedInbound: "reject" } }],
    [{ deniedInbound: "drop" }, { policy: { sshPort: 2222, deniedInbound: "drop" } }],
    [{ backend: "iptables" }, { backend: "iptables" }],
    [{ confirmWithinSeconds: 10 }, { confirmWithinSeconds: 10 }],
    [{ skipPreflight: false }, { skipPreflight: false, takeOver: true }],
    [{ takeOver: false }, { takeOver: false, skipPreflight: true }],
    [{ takeOver: "same-stack" }, { takeOver: "same-stack" }],
    [{ connection: { user: "root" } }, { connection: { user: "root", timeoutSeconds: 30 } }],
  ])("%p goes over what is shared, and leaves the rest", (own, expected) => {
    expect(hostOf({ address: "192.0.2.1", ...own }, shared)).toMatchObject(expected);
  });

  test("replaces a shared list as a whole", () => {
    expect(cidrs(hostOf({ address: "192.0.2.1", allowFrom: ["10.0.0.1"] }, shared))).toEqual(["10.0.0.1"]);
    expect(hostOf({ address: "192.0.2.1", exceptions: [] }, shared).policy.exceptions).toEqual([]);
  });

  // A host that says `sshPort: maybe` must not lose the shared port, nor be opened to the world by `allowFrom: maybe`.
  test.each(SHARED_KEYS)("is nothing where it says undefined: %s stays as it is shared", (key) => {
    expect(hostOf({ address: "192.0.2.1", [key]: undefined }, shared)).toEqual(hostOf("192.0.2.1", shared));
    expect(hostOf({ address: "192.0.2.1", sshPort: 22, [key]: undefined }, shared)).toEqual(
      hostOf({ address: "192.0.2.1", ...(key === "sshPort" ? {} : { sshPort: 22 }) }, shared),
    );
  });
});

describe("the address of a host", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0::1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["Web-1.Example.COM", "web-1.example.com"],
    ["localhost", "localhost"],
    ["3com.example", "3com.example"],
    ["1a", "1a"],
  ])("%p is read as %p", (given, address) => {
    expect(hostOf(given).address).toBe(address);
  });

  test.each([
    [undefined, "hosts.web-1: must be an address, or an object with an address, not undefined"],
    [null, "hosts.web-1: must be an address, or an object with an address, not null"],
    [7, "hosts.web-1: must be an address, or an object with an address, not 7"],
    [[], "hosts.web-1: must be an address, or an object with an address, not a list"],
    [{}, "hosts.web-1.address: is missing; give the address or the name that Terraform connects to"],
    [{ address: undefined }, "hosts.web-1.address: is missing"],
    [{ address: null }, "hosts.web-1.address: must be text, not null"],
    [{ address: 7 }, "hosts.web-1.address: must be text, not 7"],
    ["", 'hosts.web-1.address: "" is neither an IP address nor a host name; give one such as 192.0.2.10'],
    ["256.0.0.1", '"256.0.0.1" is neither an IP address nor a host name'],
    ["192.0.2", '"192.0.2" is neither an IP address nor a host name'],
    ["1.2.3.4.", '"1.2.3.4." is neither an IP address nor a host name'],
    ["0x7f.1", '"0x7f.1" is the address 127.0.0.1 to programs that read numbers as C does'],
    ["0xC0000201", "did you mean 192.0.2.1?"],
    ["010.0.0.1", '"010.0.0.1" is neither an IP address nor a host name'],
    ["fe80::1%eth0", '"fe80::1%eth0" is neither an IP address nor a host name'],
    ["web_1.example", '"web_1.example" is neither an IP address nor a host name'],
    ["-web", '"-web" is neither an IP address nor a host name'],
    ["web..example", '"web..example" is neither an IP address nor a host name'],
    ["bücher.example", '"bücher.example" is neither an IP address nor a host name'],
    ["web 1", '"web 1" is neither an IP address nor a host name'],
    ["a".repeat(64), "is neither an IP address nor a host name"],
    ["192.0.2.0/24", '"192.0.2.0/24" is neither an IP address nor a host name'],
    ["192.0.2.1:2222", 'is more than an address; did you mean "192.0.2.1", with connection.port: 2222?'],
    ["[2001:db8::1]:2222", 'is more than an address; did you mean "2001:db8::1", with connection.port: 2222?'],
    ["[2001:db8::1]", 'is more than an address; did you mean "2001:db8::1", with nothing around it?'],
    ["root@web-1", 'is more than an address; did you mean "web-1", with connection.user: root?'],
    [
      "ssh://ops@web-1:2222/",
      'is more than an address; did you mean "web-1", with connection.user: ops and connection.port: 2222?',
    ],
    ["web-1\n", 'hosts.web-1.address: "web-1\\n" contains a line break or another invisible character'],
    ["web-1'", 'hosts.web-1.address: "web-1\'" contains a quote'],
    ["${x}", 'contains a Terraform template ("${")'],
    ["%{if}", 'contains a Terraform template ("%{")'],
    ["web`id`", "contains a backtick"],
    ["web\\1", "contains a backslash"],
    ["${TfToken[TOKEN.987654321]}", "names a token that cdktf does not know; use the attribute itself"],
  ])("%p is refused, with the remedy", (given, message) => {
    const { host, lines } = read(given);
    expect(host).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining(message)]);
  });

  test("may be a token, also with text around it, and stays what it is", () => {
    const address = token("192.0.2.1");
    expect(hostOf(address).address).toBe(address);
    expect(hostOf(`${address}.example`).address).toBe(`${address}.example`);
    expect(read(`${address}'`).lines).toEqual([expect.stringContaining("contains a quote")]);
  });
});

describe("the name of a host", () => {
  test.each(["a", "7", "web-1.example.com", "WEB_1", "a".repeat(63), "constructor", "0.0"])("%p will do", (key) => {
    expect(read("192.0.2.1", {}, key).lines).toEqual([]);
  });

  test.each(["", "-a", ".a", "_a", "a b", "a/b", "a\nb", "a'b", "${a}", "ä", "a".repeat(64), "__proto__", 'a"b'])(
    "%p will not",
    (key) => {
      const { host, lines } = read("192.0.2.1", {}, key);
      expect(host).toBeUndefined();
      expect(lines).toEqual([expect.stringContaining('cannot name a host: use letters, digits, ".", "_" and "-"')]);
    },
  );

  test("is not that of the shared ruleset", () => {
    expect(read("192.0.2.1", {}, "shared").lines).toEqual([
      'hosts.web-1: "shared" is the name of the shared ruleset; give the host another name',
    ]);
  });
});

describe("what is wrong with a host", () => {
  test.each([
    [{ adress: "192.0.2.1" }, "hosts.web-1.adress: unknown; did you mean address?"],
    [{ address: "192.0.2.1", ssh_port: 22 }, "hosts.web-1.ssh_port: unknown; did you mean sshPort?"],
    [{ address: "192.0.2.1", allowfrom: [] }, "hosts.web-1.allowfrom: unknown; did you mean allowFrom?"],
    [{ address: "192.0.2.1", hosts: {} }, "hosts.web-1.hosts: unknown; known here: address, sshPort, "],
    [{ address: "192.0.2.1", backend: "ufw" }, 'backend: must be "nftables" or "iptables" or "auto", not "ufw"'],
    [{ address: "192.0.2.1", backend: null }, 'backend: must be "nftables" or "iptables" or "auto", not null'],
    [{ address: "192.0.2.1", confirmWithinSeconds: 9 }, "must be a whole number from 10 to 3600, not 9"],
    [{ address: "192.0.2.1", confirmWithinSeconds: 3601 }, "must be a whole number from 10 to 3600, not 3601"],
    [
      { address: "192.0.2.1", confirmWithinSeconds: "60" },
      "must be a number, not text; did you mean 60 without quotes?",
    ],
    [{ address: "192.0.2.1", skipPreflight: "yes" }, 'skipPreflight: must be true or false, not "yes"'],
    [{ address: "192.0.2.1", takeOver: 1 }, 'takeOver: must be false or true or "same-stack", not 1'],
    [{ address: "192.0.2.1", sshPort: 0 }, "hosts.web-1.sshPort: must be a whole number from 1 to 65535, not 0"],
    [{ address: "192.0.2.1", allowFrom: [] }, "hosts.web-1.allowFrom: is empty, so nobody could reach the host"],
    [{ address: "192.0.2.1", connection: "root" }, 'connection: must be an object with named values, not "root"'],
  ])("%p is said with its place", (given, message) => {
    const { lines } = read(given);
    expect(lines[0]).toContain(message);
    expect(lines.every((line) => line.startsWith("hosts.web-1."))).toBe(true);
  });

  test("is said all at once", () => {
    const host = {
      address: "x y",
      sshPort: 0,
      backend: "x",
      connection: { usr: "a", port: 0, bastion: {} },
      colour: 1,
    };
    expect(read(host, {}, "-").lines.map((line) => line.replace(/: .*/, ""))).toEqual([
      "hosts.web-1",
      "hosts.web-1.colour",
      "hosts.web-1.address",
      "hosts.web-1.connection.usr",
      "hosts.web-1.connection.port",
      "hosts.web-1.connection.bastion.host",
      "hosts.web-1.sshPort",
      "hosts.web-1.backend",
    ]);
  });

  test("is not said of the host where it was said of all hosts", () => {
    const shared = { sshPort: 0, backend: "x", connection: { user: "" } };
    const { lines } = read({ address: "192.0.2.1", deniedInbound: "drop" }, shared);
    expect(lines.map((line) => line.replace(/: .*/, ""))).toEqual(["sshPort", "backend", "connection.user"]);
  });

  test("is also said where the shared part is wrong", () => {
    expect(read({ address: "192.0.2.1", backend: "x", sshPort: 1.5 }, 7).lines).toEqual([
      expect.stringContaining("must be an object with named values, not 7"),
      expect.stringContaining("hosts.web-1.sshPort: must be a whole number"),
      expect.stringContaining("hosts.web-1.backend: must be"),
    ]);
  });
});

describe("connections in which something is of no use", () => {
  const check = (shared: unknown, hosts: Record<string, unknown>): string[] => {
    const problems = new Problems();
    const parsedShared = parseShared({ connection: shared }, problems, []);
    const parsed = Object.entries(hosts).map(
      ([key, connection], index) =>
        parseHost(key, { address: `192.0.2.${index}`, connection }, parsedShared, problems) as Host,
    );
    checkConnections(parsed, parsedShared, problems);
    return problems.lines();
  };
  const certificate =
    /^connection\.certificatePath: is read only beside a private key; name that key's file in privateKey/;
  const agent =
    /^connection\.agent: is false, and no private key is named, so nobody could log in; give privateKeyPath, /;

  test("are refused once where all have it", () => {
    const shared = { certificatePath: "/c", agent: false };
    expect(check(shared, { a: {}, b: undefined, c: { user: "ops" } })).toEqual([
      expect.stringMatching(certificate),
      expect.stringMatching(agent),
    ]);
  });

  test("are refused at the host that has it", () => {
    expect(check({}, { a: {}, b: { certificatePath: "/c" }, "web.3": { agent: false } })).toEqual([
      expect.stringMatching(/^hosts\.b\.connection\.certificatePath: is read only/),
      expect.stringMatching(/^hosts\.web\.3\.connection\.agent: is false/),
    ]);
    expect(check({ bastion: { host: "jump", privateKeyPath: "/k" } }, { a: { agent: false } })).toHaveLength(1);
  });

  test.each([
    [{ certificatePath: "/c" }, { privateKeyPath: "/k" }],
    [{ privateKeyPath: "/k" }, { certificatePath: "/c" }],
    [{ agent: false }, { agent: true }],
    [{ agent: false }, { privateKeyPath: token("/k") }],
    [{ certificatePath: token("/c") }, {}],
  ])("are none where %p meets %p", (shared, own) => {
    expect(check(shared, { a: own })).toEqual([]);
  });
});

describe("hosts with the address of another", () => {
  const check = (hosts: Record<string, unknown>): string[] => {
    const problems = new Problems();
    const shared = parseShared({}, problems, []);
    const parsed = Object.entries(hosts).map(([key, host]) => parseHost(key, host, shared, problems) as Host);
    checkDistinctAddresses(parsed, problems.at("hosts"));
    return problems.lines();
  };

  test("are refused, and each names the first", () => {
    expect(check({ a: "192.0.2.1", b: "192.0.2.2", c: "192.0.2.1", d: "192.0.2.1" })).toEqual([
      expect.stringMatching(
        /^hosts\.c\.address: "192\.0\.2\.1" is the address of a too: one host would be locked twice/,
      ),
      expect.stringMatching(/^hosts\.d\.address: "192\.0\.2\.1" is the address of a too/),
    ]);
  });

  test.each([
    [{ a: "2001:db8::1", b: "2001:DB8:0:0::1" }],
    [{ a: "2001:db8::1", b: "2001:0db8:0000::0.0.0.1" }],
    [{ a: "192.0.2.1", b: "::ffff:192.0.2.1" }],
    [{ a: "::FFFF:c000:201", b: "192.0.2.1" }],
    [{ a: "0:0:0:0:0:ffff:192.0.2.1", b: "::ffff:c000:0201" }],
    [
      {
        a: { address: "192.0.2.1", connection: { bastion: { host: "192.0.2.9" } } },
        b: { address: "192.0.2.1", connection: { bastion: { host: "::ffff:192.0.2.9" } } },
      },
    ],
    [{ a: "web-1.example", b: "WEB-1.example" }],
    [{ a: "192.0.2.1", b: { address: "192.0.2.1", connection: { port: 22 } } }],
    [{ a: { address: "192.0.2.1", sshPort: 2222 }, b: { address: "192.0.2.1", connection: { port: 2222 } } }],
    [{ a: "192.0.2.1", b: { address: "192.0.2.1", connection: { user: "ops" } } }],
  ])("%p are the same machine in another form", (hosts) => {
    expect(check(hosts)).toHaveLength(1);
  });

  test.each([
    [
      {
        a: { address: "192.0.2.1", connection: { port: 2201 } },
        b: { address: "192.0.2.1", connection: { port: 2202 } },
      },
    ],
    [{ a: "192.0.2.1", b: { address: "192.0.2.1", connection: { bastion: { host: "jump" } } } }],
  ])("%p are different machines", (hosts) => {
    expect(check(hosts)).toEqual([]);
  });

  test("are also found where the address is a token", () => {
    const address = token("192.0.2.1");
    expect(check({ a: address, b: address, c: token("192.0.2.1") })).toHaveLength(1);
  });
});

test("whatever is given as a host, the answer is a host or problems of it, on one line each, and never an exception", () => {
  const key = fc.oneof(fc.string({ unit: "binary", maxLength: 5 }), fc.constantFrom("web-1", "shared"));
  const value = fc.oneof(fc.anything(), fc.constantFrom("192.0.2.1", "web-1", 22, true, [], {}));
  const props = fc.dictionary(fc.constantFrom("address", ...SHARED_KEYS, "user", "adress"), value);
  fc.assert(
    fc.property(key, fc.oneof(fc.anything(), props), fc.oneof(fc.constant({}), props), (name, host, shared) => {
      const { host: parsed, lines } = read(host, shared, name);
      const own = lines.filter((line) => line.startsWith("hosts."));
      expect(parsed === undefined || own.length === 0).toBe(true);
      expect(parsed !== undefined || lines.length > 0).toBe(true);
      expect(lines.join("")).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }),
    { numRuns: 500 },
  );
});
