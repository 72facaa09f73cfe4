import { Token } from "cdktf";
import * as fc from "fast-check";
import { parseFirewall } from "../../lib/policy/firewall";
import { AllowedSource } from "../../lib/policy/source";
import { normalised } from "../../lib/policy/sources";
import { describeProblem, Problems, withRest } from "../../lib/input/problems";

const linesOf = (props: unknown): string[] => withRest(parseFirewall(props).found).map(describeProblem);

describe("a firewall", () => {
  test("is parsed to hosts, layout and settings, without a construct", () => {
    const { hosts, settings, found } = parseFirewall({
      sshPort: 2222,
      shards: 4,
      movedFromShards: 1,
      waves: [["b"]],
      detectDrift: true,
      hosts: { b: "192.0.2.2", a: { address: "192.0.2.1", sshPort: 22 } },
    });
    expect(found).toEqual({ list: [], count: 0 });
    expect(hosts.map(({ key, policy }) => [key, policy.sshPort])).toEqual([
      ["a", 22],
      ["b", 2222],
    ]);
    expect(settings).toMatchObject({
      layout: { shards: 4, movedFromShards: [1], waves: [["b"]] },
      tracker: "null_resource",
      onDestroy: "unlock",
      dependsOn: [],
      driftProgram: expect.arrayContaining(["ssh-only-firewall", "drift"]) as string[],
    });
  });

  test("is checked as a whole again after each host that is added", () => {
    const firewall = parseFirewall({ hosts: { a: "192.0.2.1" }, waves: [["b"]] });
    expect(firewall.found.list.map(({ path }) => path)).toEqual(["waves[0][0]"]);
    firewall.addHost("b", "192.0.2.1");
    expect(firewall.found.list.map(({ path }) => path)).toEqual(["hosts.b.address"]);
    firewall.addHost("b", "192.0.2.3");
    expect(firewall.found.list.map(({ path }) => path)).toEqual(["hosts.b"]);
  });

  test("has no problem with the number of its hosts once it has a problem with one of them", () => {
    const firewall = parseFirewall({ hosts: {} });
    expect(firewall.found.list.map(({ path }) => path)).toEqual([""]);
    firewall.addHost("a", "x y");
    expect(firewall.found.list.map(({ path }) => path)).toEqual(["hosts.a.address"]);
  });

  test("in parts has each host in one, with the waves under their numbers", () => {
    const firewall = parseFirewall({
      hosts: { a: "192.0.2.1", b: "192.0.2.2", c: "192.0.2.3" },
      waves: [["a"], ["c", "b"]],
    });
    const parts = firewall.divided((key) => (key === "a" ? "one" : "two"));
    const shown = [...parts].map(([name, { hosts, settings, found }]) => [
      name,
      hosts.map(({ key }) => key),
      settings.layout.waves,
      found.count,
    ]);
    expect(shown).toEqual([
      ["one", ["a"], [["a"], []], 0],
      ["two", ["b", "c"], [[], ["c", "b"]], 0],
    ]);
  });
});

describe("properties that are huge", () => {
  const hosts = { a: "192.0.2.1" };
  const endless = new Array<never>(4_000_000_000);

  test("are rejected where a list has too many items", () => {
    const lists = {
      allowFrom: endless,
      exceptions: endless,
      movedFromShards: endless,
      waves: endless,
      dependsOn: endless,
    };
    expect(linesOf({ hosts, ...lists })).toEqual(
      Object.keys(lists).map((key) => `${key}: has 4000000000 items; shorten it to at most 100000`),
    );
    expect(linesOf({ hosts, detectDrift: true, driftProgram: endless })).toEqual([
      expect.stringContaining("driftProgram: must be a program and its arguments"),
    ]);
  });

  test.each(["allowFrom", "connection.user", "connection.hostKey", "connection.privateKeyPath", "hosts.a.address"])(
    "are rejected where %s is a very long text",
    (path) => {
      // Backtracking over it would take hours.
      const long = `${"a".repeat(1_000_000)}!`;
      const [outer = "", inner = ""] = path.split(".", 2);
      const props =
        outer === "allowFrom"
          ? { hosts, allowFrom: [long] }
          : outer === "hosts"
            ? { hosts: { a: long } }
            : { hosts, connection: { [inner]: long } };
      expect(linesOf(props)).toEqual([
        `${path}${outer === "allowFrom" ? "[0]" : ""}: has 1000001 characters; shorten it to at most 4096`,
      ]);
    },
  );

  test("may have very many sources", () => {
    const allowFrom = Array.from(
      { length: 50_000 },
      (_, index) => `10.${index >> 15}.${(index >> 7) & 255}.${(index & 127) * 2}`,
    );
    const [host] = parseFirewall({ hosts, allowFrom }).hosts;
    expect(host?.policy.sources).toHaveLength(50_000);
  }, 60_000);

  test("have their first problems named, and the others counted", () => {
    const wrong = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`h${index}`, "x y"]));
    const lines = linesOf({ hosts: wrong });
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe("and 900 more problems; fix these first");
  });

  test("have few of their misspelt names compared with all hosts", () => {
    const many = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`host-${index}`, `10.0.${index >> 8}.${index & 255}`]),
    );
    const lines = linesOf({ hosts: many, waves: [Array.from({ length: 5000 }, (_, index) => `hosd-${index}`)] });
    expect(lines.filter((line) => line.includes("did you mean"))).toHaveLength(3);
    expect(lines).toHaveLength(101);
  }, 60_000);
});

test("sources are those that no other covers, whatever they are", () => {
  const octet = fc.constantFrom(0, 1, 64, 128, 255);
  const range = fc.tuple(octet, octet, fc.constantFrom(0, 8, 9, 16, 24, 32)).map(([a, b, prefix]) => {
    const bits = ((10 << 24) | (a << 16) | (b << 8) | a) >>> 0;
    const network = prefix === 0 ? 0 : (bits & (0xffffffff << (32 - prefix))) >>> 0;
    const address = [24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join(".");
    return AllowedSource.of(prefix === 32 ? address : `${address}/${prefix}`);
  });
  const token = fc.constantFrom("x", "y").map((name) => AllowedSource.ipv4(TOKENS[name] ?? ""));
  const ipv6 = fc
    .constantFrom("::/0", "2001:db8::/32", "2001:db8::1", "2001:db9::")
    .map((one) => AllowedSource.of(one));
  const TOKENS: Record<string, string> = { x: Token.asString({ x: 1 }), y: Token.asString({ y: 1 }) };
  fc.assert(
    fc.property(fc.array(fc.oneof(range, ipv6, token), { maxLength: 12 }), (sources) => {
      const distinct = [...new Map(sources.map((source) => [source.cidr, source])).values()];
      const needed = distinct.filter((source) => !distinct.some((other) => other !== source && other.covers(source)));
      expect(normalised(sources).map(({ cidr }) => cidr)).toEqual(
        needed.sort(AllowedSource.compare).map(({ cidr }) => cidr),
      );
    }),
  );
});

test("a problem beyond those that are kept is still a problem", () => {
  const problems = new Problems();
  Array.from({ length: 100 }, () => problems.add("a", "is wrong"));
  expect(
    parseFirewall({
      hosts: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`h${i}`, { address: "192.0.2.1", sshPort: 0 }])),
    }).hosts,
  ).toEqual([]);
  const before = problems.count;
  problems.add("b", () => {
    throw new Error("nobody reads this message, so nobody has to write it");
  });
  expect([problems.count - before, problems.list.length]).toEqual([1, 100]);
});
