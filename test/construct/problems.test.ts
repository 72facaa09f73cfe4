/** What people hear of at synth: warnings, and all that is wrong at once. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerraformStack, Testing } from "cdktf";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { HOST_KEY, synthErrorOf, textOf, warningsOf, writingApp } from "./support/configuration";

/** Properties as somebody without TypeScript would give them. */
const untyped = (props: unknown): SshOnlyFirewallProps => props as SshOnlyFirewallProps;

const errorWith = (props: unknown): string =>
  synthErrorOf((stack) => new SshOnlyFirewall(stack, "firewall", untyped(props)));

function warningsWith(props: SshOnlyFirewallProps, times = 1): string[] {
  const stack = new TerraformStack(Testing.app(), "fleet");
  const firewall = new SshOnlyFirewall(stack, "firewall", props);
  Array.from({ length: times }, () => textOf(stack));
  return warningsOf(firewall);
}

test("an unusable connection fails the synth, with its place", () => {
  const host = { address: "192.0.2.1", connection: { agent: false } };
  const error = errorWith({ connection: { certificatePath: "/c" }, hosts: { a: host, b: "192.0.2.2" } });
  expect(error).toMatch(/^ *(\[fleet\/firewall\] )?connection\.certificatePath: is read only/m);
  expect(error).toMatch(/hosts\.a\.connection\.agent: is false, and no private key/);
  expect(error.match(/certificatePath:/g)).toHaveLength(1);
});

describe("warnings", () => {
  const allowFrom = ["192.0.2.0/24"];
  const pinned = (last: number) => ({ address: `192.0.2.${last}`, connection: { hostKey: HOST_KEY } });

  test("are absent if sources are named and keys pinned", () => {
    expect(warningsWith({ allowFrom, hosts: { a: pinned(1) } })).toEqual([]);
  });

  test("name the hosts that are open to the world", () => {
    expect(warningsWith({ allowFrom, hosts: { a: pinned(1), b: { ...pinned(2), allowFrom: ["::/0"] } } })).toEqual([
      "SSH is open to every address (b): name the sources in allowFrom.",
    ]);
  });

  test("name the hosts whose key is not pinned", () => {
    expect(warningsWith({ allowFrom, hosts: { a: pinned(1), b: "192.0.2.2" } })).toEqual([
      "The host key is not pinned, so another machine could answer (b): give connection.hostKey.",
    ]);
  });

  test("name the hosts whose pinned key fails behind a bastion, and do not lead others there", () => {
    const behind = (at: number, hostKey?: string, bastionKey?: string): object => ({
      address: `192.0.2.${at}`,
      connection: {
        ...(hostKey && { hostKey }),
        bastion: { host: "jump", ...(bastionKey && { hostKey: bastionKey }) },
      },
    });
    const hosts = {
      a: behind(1),
      b: behind(2, HOST_KEY),
      c: behind(3, HOST_KEY, HOST_KEY),
      d: behind(4, "", HOST_KEY),
    };
    const [unpinned, fails, unchecked, ...others] = warningsWith({ allowFrom, hosts: hosts as never });
    expect(unpinned).toMatch(
      /^The host key is not pinned.* \(a, d\): behind a bastion, .* Terraform 1\.15 or later only/,
    );
    expect(fails).toMatch(/^hostKey behind a bastion .* key mismatch .*\(b, c\): there, leave connection\.hostKey out/);
    expect(unchecked).toMatch(/^bastion\.hostKey is not checked by Terraform before 1\.15, .* \(d\): /);
    expect(others).toEqual([]);
  });

  test("name five hosts, and count the others", () => {
    const hosts = Object.fromEntries(["g", "f", "e", "d", "c", "b", "a"].map((key, at) => [key, pinned(at)]));
    expect(warningsWith({ hosts: Object.fromEntries(Object.entries(hosts).slice(2)) })).toEqual([
      "SSH is open to every address (a, b, c, d, e): name the sources in allowFrom.",
    ]);
    expect(warningsWith({ hosts })).toEqual([
      "SSH is open to every address (a, b, c, d, e and 2 more): name the sources in allowFrom.",
    ]);
  });

  test("come once, however often the stack is written", () => {
    expect(warningsWith({ hosts: { a: "192.0.2.1" } }, 3)).toHaveLength(2);
  });

  test("do not fail a synth", () => {
    expect(errorWith({ hosts: { a: "192.0.2.1" } })).toBe("");
  });
});

describe("a problem", () => {
  test("is reported together with all others, with its place and a remedy", () => {
    const error = errorWith({
      allowFrm: [],
      allowFrom: ["10.0.0.5/8"],
      sshPort: "22",
      tracker: "null",
      onDestroy: "unlok",
      connection: { user: "a b", bastion: {} },
      hosts: {
        "web-1": "192.0.2.1:22",
        "web 2": { adress: "192.0.2.2" },
        "web-3": { address: "192.0.2.3", exceptions: [{ kind: "dns" }] },
      },
    });
    for (const line of [
      "allowFrm: unknown; did you mean allowFrom?",
      'allowFrom[0]: "10.0.0.5/8" is an address with a prefix length, not a range; did you mean 10.0.0.0/8, or 10.0.0.5?',
      "sshPort: must be a number, not text; did you mean 22 without quotes?",
      'tracker: must be "null_resource" or "terraform_data", not "null"',
      'onDestroy: must be "unlock" or "unlock-if-reachable" or "leave-locked", not "unlok"',
      'connection.user: "a b" contains a space',
      "connection.bastion.host: is missing",
      'hosts.web-1: "192.0.2.1:22" is more than an address; did you mean "192.0.2.1", with connection.port: 22?',
      'hosts["web 2"]: "web 2" cannot name a host',
      'hosts["web 2"].adress: unknown; did you mean address?',
      'hosts["web 2"].address: is missing',
      "hosts.web-3.exceptions[0].resolvers: is missing",
    ]) {
      // The place of an address that was given as text is the host or its property.
      expect(error.replace("hosts.web-1.address", "hosts.web-1")).toContain(`[fleet/firewall] ${line}`);
    }
    expect(error.match(/\[fleet\/firewall\]/g)).toHaveLength(12);
  });

  test("is reported with the path of its firewall", () => {
    const error = synthErrorOf((stack) => {
      new SshOnlyFirewall(stack, "web", { hosts: { a: "x y" } });
      new SshOnlyFirewall(stack, "db", { hosts: {} });
    });
    expect(error).toContain('[fleet/web] hosts.a.address: "x y" is neither an IP address nor a host name');
    expect(error).toContain("[fleet/db] no host was added: name hosts in the property hosts, or call addHost()");
  });

  test.each([
    [undefined, "must be an object with named values, not undefined"],
    [null, "must be an object with named values, not null"],
    [[], "must be an object with named values, not a list"],
    ["192.0.2.1", 'must be an object with named values, not "192.0.2.1"'],
    [{}, "no host was added"],
    [{ hosts: {} }, "no host was added"],
    [{ hosts: undefined }, "no host was added"],
    [{ hosts: null }, "hosts: must be an object with named values, not null"],
    [{ hosts: [] }, "hosts: must be an object with named values, not a list"],
    [{ hosts: "192.0.2.1" }, 'hosts: must be an object with named values, not "192.0.2.1"'],
    [{ host: { a: "192.0.2.1" } }, "host: unknown; did you mean hosts?"],
    [{ hosts: { a: "192.0.2.1", b: "192.0.2.1" } }, 'hosts.b.address: "192.0.2.1" is the address of a too'],
    [{ hosts: { shared: "192.0.2.1" } }, 'hosts.shared: "shared" is the name of the shared ruleset'],
    [{ hosts: { a: "192.0.2.1" }, allowFrom: [] }, "allowFrom: is empty, so nobody could reach the host any more"],
    [{ hosts: { a: "192.0.2.1" }, tracker: null }, 'tracker: must be "null_resource" or "terraform_data", not null'],
    [{ hosts: { a: "192.0.2.1" }, onDestroy: 1 }, 'onDestroy: must be "unlock" or'],
    [{ hosts: { a: "192.0.2.1" }, dependsOn: "vm" }, "dependsOn: must be a list"],
    [{ hosts: { a: "192.0.2.1" }, dependsOn: ["vm"] }, "dependsOn[0]: must be"],
  ])("in %j fails the synth, and nothing before it", (props, message) => {
    expect(errorWith(props)).toContain(`[fleet/firewall] ${message}`);
    expect(errorWith(props).match(/\[fleet\/firewall\]/g)).toHaveLength(1);
  });

  test("cannot garble the message by its name", () => {
    const error = errorWith({ "allow\nFrom": [], hosts: { "a\n[b]": "192.0.2.1", "\u202e": "192.0.2.2" } });
    expect(error).toContain('["allow\\nFrom"]: unknown');
    expect(error).toContain('hosts["a\\n[b]"]: "a\\n[b]" cannot name a host');
    expect(error).not.toMatch(/\u202e/);
  });

  test("can be read before the synth", () => {
    const firewall = new SshOnlyFirewall(new TerraformStack(Testing.app(), "fleet"), "firewall", {
      hosts: { a: "192.0.2.1" },
    });
    expect(firewall.problems).toEqual([]);
    firewall.addHost("b", "192.0.2.1");
    firewall.addHost("c", "");
    expect(firewall.problems.map(({ path }) => path)).toEqual(["hosts.c.address", "hosts.b.address"]);
  });
});

describe("a configuration that is unsound", () => {
  const unsound: Array<[string, SshOnlyFirewallProps]> = [
    ["a host that is wrong, and would be taken for one that was taken out", { hosts: { a: "192.0.2.1", b: "x y" } }],
    ["an address twice", { hosts: { a: "192.0.2.1", b: "192.0.2.1" } }],
    ["no host", { hosts: {} }],
    ["a policy that is wrong", { hosts: { a: "192.0.2.1" }, allowFrom: [] }],
    ["a connection that is wrong", { hosts: { a: "192.0.2.1" }, connection: { port: 0 } }],
    ["an unknown key", untyped({ hosts: { a: "192.0.2.1" }, alowFrom: ["192.0.2.1"] })],
  ];

  test.each(unsound)("is not written where validation is skipped: %s", (_, props) => {
    const outdir = mkdtempSync(join(tmpdir(), "problems-test-"));
    try {
      const app = writingApp(outdir, { skipValidation: true });
      new SshOnlyFirewall(new TerraformStack(app, "fleet"), "firewall", props);
      expect(() => app.synth()).toThrow("fleet/firewall cannot be written:\n  ");
      expect(existsSync(join(outdir, "stacks", "fleet", "cdk.tf.json"))).toBe(false);
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });

  test.each(unsound)("is not written by Testing.synth without validation either: %s", (_, props) => {
    const stack = new TerraformStack(Testing.app(), "fleet");
    new SshOnlyFirewall(stack, "firewall", props);
    expect(() => Testing.synth(stack)).toThrow("fleet/firewall cannot be written:\n  ");
  });
});
