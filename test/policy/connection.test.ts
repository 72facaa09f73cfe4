import * as fc from "fast-check";
import { Lazy, Token } from "cdktf";
import { completeConnection, type Connection, parseConnection } from "../../lib/policy/connection";
import { Problems } from "../../lib/input/problems";

function read(props: unknown): { connection: Partial<Connection>; lines: string[] } {
  const problems = new Problems();
  const connection = parseConnection(props, problems.at("connection"));
  return { connection, lines: problems.lines() };
}

function connectionOf(props: unknown): Partial<Connection> {
  const { connection, lines } = read(props);
  expect(lines).toEqual([]);
  return connection;
}

const token = (value: string): string => Token.asString(Lazy.stringValue({ produce: () => value }));
const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxh";

describe("a connection of which nothing is said", () => {
  test("is to root, with an agent, and leaves no file in /tmp", () => {
    expect(completeConnection(connectionOf({}))).toEqual({
      user: "root",
      port: undefined,
      privateKeyPath: undefined,
      certificatePath: undefined,
      agent: true,
      hostKey: undefined,
      bastionHost: undefined,
      bastionUser: undefined,
      bastionPort: undefined,
      bastionPrivateKeyPath: undefined,
      bastionHostKey: undefined,
      timeoutSeconds: 300,
      scriptPath: "./.ssh-only-firewall-%RAND%.sh",
    });
  });

  test("is the same where undefined is said", () => {
    const keys = ["user", "port", "privateKeyPath", "certificatePath", "agent", "hostKey", "bastion", "scriptPath"];
    expect(connectionOf(Object.fromEntries(keys.map((key) => [key, undefined])))).toEqual({});
  });
});

describe("a connection laid over another", () => {
  const over = (...layers: unknown[]): Connection => completeConnection(...layers.map(connectionOf));

  test("wins property by property", () => {
    expect(over({ user: "ops", timeoutSeconds: 7, port: 2222 }, { user: "root", port: undefined })).toMatchObject({
      user: "root",
      timeoutSeconds: 7,
      port: 2222,
    });
  });

  test("asks the agent unless a key is named, and then only where that is said", () => {
    expect(over({ privateKeyPath: "/k" }).agent).toBe(false);
    expect(over({ privateKeyPath: "/k", agent: true }).agent).toBe(true);
    expect(over({ agent: false }).agent).toBe(false);
    expect(over({ agent: true }, { privateKeyPath: "/k" }).agent).toBe(false);
    expect(over({ privateKeyPath: "/k" }, { user: "ops" }).agent).toBe(false);
    expect(over({ privateKeyPath: "/k" }, { agent: true })).toMatchObject({ agent: true, privateKeyPath: "/k" });
  });

  test("has its script where only its user can enter", () => {
    const [inHome, inKeys] = ["./.ssh-only-firewall-%RAND%.sh", "./.ssh/.ssh-only-firewall-%RAND%.sh"];
    expect(over({ user: "root" }).scriptPath).toBe(inHome);
    expect(over({ user: "ops" }).scriptPath).toBe(inKeys);
    expect(over({ user: token("root") }).scriptPath).toBe(inKeys);
    expect(over({ user: "ops" }, { user: "root" }).scriptPath).toBe(inHome);
    expect(over({}, { user: "ops" }).scriptPath).toBe(inKeys);
    expect(over({ scriptPath: "./run.sh" }, { user: "ops" }).scriptPath).toBe("./run.sh");
    expect(over({ user: "ops" }, { scriptPath: inHome }).scriptPath).toBe(inHome);
  });

  test("replaces a bastion as a whole: nobody offers one bastion's key or user to another", () => {
    const shared = { bastion: { host: "jump-1", user: "hop", port: 2222, privateKeyPath: "/k", hostKey: ED25519 } };
    expect(over(shared, { bastion: { host: "jump-2" } })).toMatchObject({
      bastionHost: "jump-2",
      bastionUser: undefined,
      bastionPort: undefined,
      bastionPrivateKeyPath: undefined,
      bastionHostKey: undefined,
    });
  });
});

describe("a path", () => {
  test.each(["privateKeyPath", "certificatePath"])("%s stays as it is written, in its shortest form", (key) => {
    const pathOf = (value: string): unknown => Object.values(connectionOf({ [key]: value }))[0];
    expect(pathOf("keys/id")).toBe("keys/id");
    expect(pathOf("./keys//id")).toBe("keys/id");
    expect(pathOf("../id")).toBe("../id");
    expect(pathOf("/etc/../id")).toBe("/id");
    expect(pathOf("~/.ssh/id")).toBe("~/.ssh/id");
    expect(pathOf("/a b/ü$x%y#[1]/id")).toBe("/a b/ü$x%y#[1]/id");
  });

  test("that is a token stays one", () => {
    const file = token("/k");
    expect(connectionOf({ privateKeyPath: `~bob/${file}` }).privateKeyPath).toBe(`~bob/${file}`);
    expect(connectionOf({ privateKeyPath: file }).privateKeyPath).toBe(file);
    expect(connectionOf({ privateKeyPath: `${file}/id` }).privateKeyPath).toBe(`${file}/id`);
  });
});

describe("a host key", () => {
  test.each([
    [ED25519],
    [`${ED25519} root@web-1`],
    [`${ED25519} root@web-1 (old server)`],
    [`ssh-rsa ${"A".repeat(372)}==`],
    [`ecdsa-sha2-nistp256 ${"A".repeat(139)}=`],
    [`sk-ssh-ed25519@openssh.com ${"A".repeat(100)}`],
  ])("%p is one", (hostKey) => {
    expect(connectionOf({ hostKey }).hostKey).toBe(hostKey);
  });

  test.each([
    ["", '"" is not a public host key; give its type and value, such as "ssh-ed25519 AAAAC3Nza…" (ssh-keyscan'],
    ["SHA256:abc", "is not a public host key"],
    ["ssh-ed25519", "is not a public host key"],
    ["ssh-ed25519 AAAA", "is not a public host key"],
    [`ssh-ed448 ${"A".repeat(40)}`, "is not a public host key"],
    [`${ED25519} two  blanks`, "is not a public host key"],
    [`${ED25519} `, "is not a public host key"],
    [`web-1,192.0.2.1 ${ED25519}`, `begins with a host name, as in known_hosts; did you mean "ssh-ed25519 AAAA`],
    [`[web-1]:2222 ${ED25519}`, "begins with a host name, as in known_hosts; did you mean"],
    [`${ED25519}\n`, "contains a line break"],
    [7, "must be text, not 7"],
  ])("%p is none", (hostKey, message) => {
    expect(read({ hostKey })).toEqual({ connection: {}, lines: [expect.stringContaining(message)] });
    expect(read({ bastion: { host: "jump", hostKey } }).lines).toEqual([
      expect.stringMatching(/^connection\.bastion\.hostKey: /),
    ]);
  });

  test("may be a token", () => {
    const hostKey = token(ED25519);
    expect(connectionOf({ hostKey, bastion: { host: token("jump"), hostKey } })).toMatchObject({
      hostKey,
      bastionHostKey: hostKey,
    });
  });
});

test.each(["./.run-%RAND%.sh", "/var/tmp/run", "bin/run", "../run+1_%RAND%"])(
  "%p will do as a script path",
  (scriptPath) => {
    expect(connectionOf({ scriptPath }).scriptPath).toBe(scriptPath);
  },
);

test("a script path may be a token", () => {
  const scriptPath = `${token("/tmp")}/run.sh`;
  expect(connectionOf({ scriptPath }).scriptPath).toBe(scriptPath);
});

describe("a connection that cannot be used", () => {
  test.each([
    ["root", 'connection: must be an object with named values, not "root"'],
    [null, "connection: must be an object with named values, not null"],
    [[], "connection: must be an object with named values, not a list"],
    [{ usr: "a" }, "connection.usr: unknown; did you mean user?"],
    [{ private_key_path: "a" }, "connection.private_key_path: unknown; did you mean privateKeyPath?"],
    [{ hostkey: "a" }, "connection.hostkey: unknown; did you mean hostKey?"],
    [{ password: "a" }, "connection.password: unknown; known here: user, port, privateKeyPath"],
    [{ user: "" }, "connection.user: is empty; leave it out instead"],
    [{ user: "a b" }, 'connection.user: "a b" contains a space'],
    [{ user: "a\tb" }, "connection.user: "],
    [{ user: "o'neil" }, 'connection.user: "o\'neil" contains a quote'],
    [{ user: "${x}" }, 'connection.user: "${x}" contains a Terraform template ("${")'],
    [{ user: 0 }, "connection.user: must be text, not 0"],
    [{ user: null }, "connection.user: must be text, not null"],
    [{ port: 0 }, "connection.port: must be a whole number from 1 to 65535, not 0"],
    [{ port: 65536 }, "connection.port: must be a whole number from 1 to 65535, not 65536"],
    [{ port: "22" }, "connection.port: must be a number, not text; did you mean 22 without quotes?"],
    [{ port: Token.asNumber({ resolve: () => 22 }) }, "connection.port: is a token, whose value is unknown"],
    [{ privateKeyPath: "" }, "connection.privateKeyPath: is empty; leave it out instead"],
    [{ privateKeyPath: "-----BEGIN KEY-----\nMIIE" }, "contains a line break"],
    [{ privateKeyPath: "a\\b" }, "contains a backslash"],
    [{ privateKeyPath: true }, "connection.privateKeyPath: must be text, not true"],
    [
      { privateKeyPath: "~bob/.ssh/id" },
      'connection.privateKeyPath: "~bob/.ssh/id": Terraform knows no home but that of the user',
    ],
    [{ certificatePath: "~" }, 'connection.certificatePath: "~": Terraform knows no home but that of the user who'],
    [
      { privateKeyPath: "$HOME/.ssh/id" },
      'connection.privateKeyPath: "$HOME/.ssh/id" begins with a variable of a shell, which nobody replaces here; did you mean "~/.ssh/id"?',
    ],
    [{ certificatePath: "$KEYS/id" }, 'did you mean "/whole/path/id"?'],
    [{ bastion: { host: "jump", privateKeyPath: "~bob/id" } }, 'begin with "~/", or give the whole path'],
    [{ certificatePath: {} }, "connection.certificatePath: must be text, not an object"],
    [{ agent: "yes" }, 'connection.agent: must be true or false, not "yes"'],
    [{ timeoutSeconds: 0 }, "connection.timeoutSeconds: must be a whole number from 1 to 3600, not 0"],
    [{ timeoutSeconds: 3601 }, "connection.timeoutSeconds: must be a whole number from 1 to 3600, not 3601"],
    [{ timeoutSeconds: "5m" }, 'connection.timeoutSeconds: must be a whole number from 1 to 3600, not "5m"'],
    [{ scriptPath: "" }, "connection.scriptPath: is empty"],
    [{ scriptPath: "/a b" }, 'connection.scriptPath: "/a b" contains a space'],
    [
      { scriptPath: "run.sh" },
      'connection.scriptPath: "run.sh" is not a path that every login shell runs as it stands;',
    ],
    [{ scriptPath: "-/run.sh" }, "connection.scriptPath: "],
    [{ scriptPath: "/tmp/" }, "connection.scriptPath: "],
    [{ scriptPath: "~/run.sh" }, 'give one with a slash, of letters, digits, ".", "_", "+", "%" and "-" only'],
    [{ scriptPath: "/tmp/$(id)" }, "connection.scriptPath: "],
    [{ scriptPath: "./a;b" }, "connection.scriptPath: "],
    [{ scriptPath: "./ü" }, "connection.scriptPath: "],
    [{ bastion: "jump" }, 'connection.bastion: must be an object with named values, not "jump"'],
    [{ bastion: {} }, "connection.bastion.host: is missing; give the address"],
    [{ bastion: { hst: "a", host: "jump" } }, "connection.bastion.hst: unknown; did you mean host?"],
    [{ bastion: { host: "jump:2222" } }, 'did you mean "jump", with bastion.port: 2222?'],
    [{ bastion: { host: "me@jump" } }, 'did you mean "jump", with bastion.user: me?'],
    [{ bastion: { host: "jump", port: 0 } }, "connection.bastion.port: must be a whole number"],
    [{ bastion: { host: "jump", user: "a b" } }, 'connection.bastion.user: "a b" contains a space'],
    [{ bastion: { host: "jump", privateKeyPath: "" } }, "connection.bastion.privateKeyPath: is empty"],
  ])("%p is refused, with its place", (props, message) => {
    expect(read(props).lines).toEqual([expect.stringContaining(message)]);
  });

  test("reports all that is wrong with it at once", () => {
    const props = {
      user: "",
      port: -1,
      privateKeyPath: 1,
      certificatePath: "\n",
      agent: 1,
      hostKey: "x",
      timeoutSeconds: 0.5,
      scriptPath: "a b",
      bastion: { user: "", port: "x", privateKeyPath: [], hostKey: "x", colour: 1 },
    };
    expect(read(props).lines.map((line) => line.replace(/^connection\.(\S*): .*/, "$1"))).toEqual([
      "privateKeyPath",
      "user",
      "port",
      "certificatePath",
      "agent",
      "hostKey",
      "timeoutSeconds",
      "scriptPath",
      "bastion.colour",
      "bastion.host",
      "bastion.user",
      "bastion.port",
      "bastion.privateKeyPath",
      "bastion.hostKey",
    ]);
  });
});

test("whatever is given as a connection, the answer never is an exception, and what is taken has no harmful text", () => {
  const value = fc.oneof(fc.anything(), fc.string({ unit: "binary" }), fc.integer(), fc.constantFrom(ED25519, "jump"));
  const bastion = fc.dictionary(fc.constantFrom("host", "user", "port", "privateKeyPath", "hostKey", "x"), value);
  const keys = fc.constantFrom("user", "port", "privateKeyPath", "agent", "hostKey", "bastion", "scriptPath", "usr");
  const props = fc.dictionary(keys, fc.oneof(value, bastion));
  fc.assert(
    fc.property(fc.oneof(fc.anything(), props), (given) => {
      const { connection, lines } = read(given);
      expect(lines.join("")).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(Object.values(connection).join("")).not.toMatch(/[\p{Cc}'"`\\]|[$%]\{/u);
    }),
    { numRuns: 500 },
  );
});
