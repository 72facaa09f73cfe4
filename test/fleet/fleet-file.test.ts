import { describeProblem } from "../../lib/input/problems";
import { parseFleet } from "../../lib/fleet/fleet-file";

/** Each problem as a user reads it, without the file's name. */
function problemsOf(text: string): string[] {
  return parseFleet(text).problems.map((problem) => `${problem.line}:${problem.column}: ${describeProblem(problem)}`);
}

const HOST = "hosts: { web-1: 192.0.2.10 }\n";

describe("a fleet file", () => {
  test("needs no more than a host", () => {
    const { fleet, problems } = parseFleet("hosts:\n  web-1: 192.0.2.10\n");
    expect(problems).toEqual([]);
    expect(fleet).toMatchObject({ name: "fleet", split: undefined, state: undefined });
    expect(fleet?.firewall.hosts).toMatchObject([{ key: "web-1", address: "192.0.2.10", policy: { sshPort: 22 } }]);
  });

  test("has the construct's properties under their own names, and the stack's name", () => {
    const { fleet } = parseFleet(`name: old_servers-2\nsshPort: 2222\ntracker: terraform_data\n${HOST}`);
    expect(fleet?.name).toBe("old_servers-2");
    expect(fleet?.firewall.settings.tracker).toBe("terraform_data");
    expect(fleet?.firewall.host("web-1")).toMatchObject({ address: "192.0.2.10", policy: { sshPort: 2222 } });
  });

  test("may repeat parts by anchors, aliases and merge keys, of which the host's own part wins", () => {
    const { fleet, problems } = parseFleet(
      [
        "allowFrom: &office [198.51.100.0/24]",
        "hosts:",
        "  web-1: &web { address: 192.0.2.10, sshPort: 2222, allowFrom: *office }",
        "  web-2: { <<: *web, address: 192.0.2.11 }",
        "  web-3: { <<: [*web, { sshPort: 1, backend: iptables }], address: 192.0.2.12 }",
      ].join("\n"),
    );
    expect(problems).toEqual([]);
    expect(fleet?.firewall.host("web-2")).toMatchObject({ address: "192.0.2.11", policy: { sshPort: 2222 } });
    expect(fleet?.firewall.host("web-3")).toMatchObject({ backend: "iptables", policy: { sshPort: 2222 } });
  });

  test("may repeat a part for every one of hundreds of hosts", () => {
    const hosts = Array.from({ length: 300 }, (_, i) => `  h${i}: { address: 10.0.${i >> 8}.${i & 255}, <<: *all }`);
    const text = [
      "connection: &all-connection { user: &user ops }",
      "hosts:",
      "  first: &all",
      "    address: 192.0.2.10",
    ]
      .concat("    connection: *all-connection", hosts)
      .join("\n");
    expect(problemsOf(text)).toEqual([]);
    expect(parseFleet(text).fleet?.firewall.host("h299")).toMatchObject({ connection: { user: "ops" } });
  });

  test("may name a host like a number, and keeps its digits", () => {
    const { fleet } = parseFleet("hosts: { 1.10: 192.0.2.10, 1.1: 192.0.2.11, true: 192.0.2.12 }");
    expect(fleet?.firewall.hosts.map(({ key }) => key)).toEqual(["1.1", "1.10", "true"]);
  });

  test("may begin with a byte order mark, and have Windows line ends", () => {
    expect(problemsOf("hosts:\r\n  web-1: 192.0.2.10\r\n")).toEqual([]);
  });
});

describe("what is wrong with a fleet file", () => {
  test("is found at the name that it belongs to, also when one name is the beginning of another", () => {
    const text = ["web.1", "web"].map((name) => `  ${name}: { address: 192.0.2.1, sshPort: 0 }\n`);
    expect(problemsOf(`hosts:\n${text.join("")}`)).toEqual([
      expect.stringMatching(/^2:32: hosts\.web\.1\.sshPort: /),
      expect.stringMatching(/^3:30: hosts\.web\.sshPort: /),
    ]);
  });

  test("is said all at once, at its place, in the order of the file", () => {
    const text = `name: 2024
sshPort: "22"
sshPrt: 3
allowFrom:
  - 10.1
  - 10.0.0.5/24
exceptions:
  - pong
  - kind: egress
    to: 192.0.2.80
tracker:
hosts:
  web-1: &web
    address: 192.0.2.10
    connection: { user: "a'b", port: 70000 }
  web-2:
    <<: *web
    address: [x]
  web.3:
    allowFrom: []
`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^1:1: name: 2024 cannot name a stack; use letters/),
      "2:1: sshPort: must be a number, not text; did you mean 22 without quotes?",
      "3:1: sshPrt: unknown; did you mean sshPort?",
      '5:5: allowFrom[0]: must be an address or range as text, such as "192.0.2.0/24", not 10.1',
      expect.stringMatching(/^6:5: allowFrom\[1\]: "10.0.0.5\/24" .* did you mean 10.0.0.0\/24, or 10.0.0.5\?$/),
      '8:5: exceptions[0].kind: "pong" is not a kind of exception; did you mean ping?',
      "9:5: exceptions[1].port: is missing",
      "11:1: tracker: has no value; give it one, or take the line out",
      expect.stringMatching(/^15:19: hosts.web-1.connection.user: "a'b" contains a quote, .*; remove it$/),
      // Merged from web-1, where it is to be mended.
      expect.stringMatching(/^15:19: hosts.web-2.connection.user: /),
      "15:32: hosts.web-1.connection.port: must be a whole number from 1 to 65535, not 70000",
      "15:32: hosts.web-2.connection.port: must be a whole number from 1 to 65535, not 70000",
      "18:5: hosts.web-2.address: must be text, not a list",
      "19:3: hosts.web.3.address: is missing; give the address or the name that Terraform connects to",
      expect.stringMatching(/^20:5: hosts.web.3.allowFrom: is empty, .*; name at least one source/),
    ]);
  });

  test.each<[what: string, text: string, ...problems: Array<string | RegExp>]>([
    ["has a name made of values", `name: { toString: {} }\n${HOST}`, /^1:1: name: an object cannot name a stack/],
    ["is empty", "", /^1:1: is empty; name at least one host below `hosts:`/],
    ["holds comments only", "# hosts:\n", /^1:1: is empty; name at least one host/],
    ["is a list", "- web-1\n", /^1:1: must be a YAML mapping, such as `hosts:`.*, not a list$/],
    ["is plain text", "hello\n", /^1:1: must be a YAML mapping, .*, not "hello"$/],
    ["names no host", "name: x\n", /^1:1: hosts: names no host; name at least one with its address/],
    ["has hosts without a host", "hosts: {}\n", /^1:1: hosts: names no host; name at least one/],
    ["has hosts without a value", "name: x\nhosts:\n", "2:1: hosts: has no value; give it one, or take the line out"],
    ["has a list of hosts", "hosts: [192.0.2.10]\n", "1:1: hosts: must be an object with named values, not a list"],
    ["has a host without a value", "hosts:\n  web-1:\n", /^2:3: hosts.web-1: has no value; give it one/],
    ["has a number for an address", "hosts: { web-1: 22 }\n", /^1:10: hosts.web-1: must be an address, .*, not 22$/],
    ["has a list item without a value", `allowFrom:\n  -\n${HOST}`, /^2:4: allowFrom\[0\]: has no value; give it one/],
    ["says null", `allowFrom: ~\n${HOST}`, /^1:1: allowFrom: has no value/],
    [
      "has a word where true belongs",
      `takeOver: yes\n${HOST}`,
      '1:1: takeOver: must be false or true or "same-stack", not "yes"',
    ],
    ["orders other resources", `dependsOn: [x]\n${HOST}`, /^1:1: dependsOn: unknown; known here: name, sshPort/],
    ["misspells name", `nam: x\n${HOST}`, "1:1: nam: unknown; did you mean name?"],
    ["has a stack name with a slash", `name: a/b\n${HOST}`, /^1:1: name: "a\/b" cannot name a stack; use letters/],
    [
      "has a host twice",
      "hosts:\n  a: 192.0.2.1\n  a: 192.0.2.2\n",
      /^3:3: hosts.a: is in line 2 already.*take one out$/,
    ],
    [
      "has an address twice",
      "hosts:\n  a: 192.0.2.1\n  b: 192.0.2.1\n",
      /^3:3: hosts.b.address: .* is the address of a too/,
    ],
    ["has a tag", "hosts: { a: !!timestamp 2020-01-01 }\n", /^1:10: hosts.a: has the tag "!!timestamp"; take it out/],
    ["has a tag of its own", `name: !env NAME\n${HOST}`, /^1:1: name: has the tag "!env"; take it out/],
    ["has a tag that changes what merging means", "!!set\n<<:\n", /^2:1: has the tag "!!set"; take it out/],
    [
      "repeats what is not there",
      "hosts:\n  a: *web\n",
      '2:3: hosts.a: "*web": there is no anchor "&web" before it; write that anchor before what is to be repeated',
    ],
    ["repeats itself", "hosts: &all\n  a: *all\n", '2:3: hosts.a: "*all" repeats what it is part of; take it out'],
    ["merges itself", "hosts:\n  a: &a\n    <<: *a\n", /^3:5: hosts.a\["<<"\]: "\*a" repeats what it is part of/],
    ["merges text", "hosts:\n  a:\n    <<: web\n", /^3:5: hosts.a\["<<"\]: must repeat a mapping from elsewhere/],
    [
      "has a token",
      "hosts: { a: '${TfToken[TOKEN.0]}' }\n",
      /^1:10: hosts.a: holds a token of cdktf, .*; write the value itself/,
    ],
    [
      "has a template",
      "hosts: { a: '${var.x}' }\n",
      /^1:10: hosts.a.address: .* contains a Terraform template .*; remove it$/,
    ],
    [
      "has a control character",
      'hosts: { a: "192.0.2.1\\0" }\n',
      /^1:10: hosts.a.address: .* invisible character, .*; remove it$/,
    ],
    [
      "names a host with a line break",
      'hosts: { "a\\nb": 192.0.2.1 }\n',
      /^1:10: hosts\["a\\nb"\]: "a\\nb" cannot name a host/,
    ],
    [
      "names a host __proto__",
      "hosts: { __proto__: 192.0.2.1 }\n",
      /^1:10: hosts.__proto__: "__proto__" cannot name a host/,
    ],
    [
      "is indented with a tab",
      "hosts:\n\ta: 192.0.2.1\n",
      "2:1: is indented with a tab, which YAML does not allow; use spaces",
    ],
    ["has two documents", `${HOST}---\n${HOST}`, /^2:1: begins a second document; keep one/],
    ["has a list as a name", "hosts: { ? [a] : 192.0.2.1 }\n", /^1:12: cannot be a name; a name is plain text/],
    [
      "lacks a quote",
      "name: 'x\nhosts: {}\n",
      /^3:1: is not YAML: Missing closing 'quote; look for .* a missing quote/,
    ],
    ["has a value that needs quotes", `name: @x\n${HOST}`, /^1:7: is not YAML: .*@; put the value in quotes$/],
    [
      "is wrongly indented",
      "hosts:\n   a: 192.0.2.1\n  b: 192.0.2.2\n",
      /^3:1: is not YAML: .*; look for a wrong indentation/,
    ],
    ["has a directive", `%FOO\n---\n${HOST}`, /^1:1: is not YAML: Unknown directive %FOO; take the line out$/],
    [
      "breaks YAML in two lines",
      `name: @x\nsshPort: 'a' b\n${HOST}`,
      /^1:7: is not YAML: .*; put the value in quotes$/,
      /^2:14: is not YAML: /,
    ],
  ])("%s", (_what, text, ...expected) => {
    expect(problemsOf(text)).toEqual(
      expected.map((one) => (typeof one === "string" ? one : expect.stringMatching(one))),
    );
  });
});
