/** Hosts in, entries of a map out: each host once, whatever way it came in. */
import { TerraformStack, Testing } from "cdktf";
import { hostSuffix } from "../../lib/contract/names";
import { defined } from "../support/required";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import {
  type Block,
  configurationOf,
  HOST_KEY,
  partsOf,
  settingOf,
  stackOf,
  synth,
  synthErrorOf,
  textOf,
} from "./support/configuration";

function firewallIn(props: SshOnlyFirewallProps): { stack: TerraformStack; firewall: SshOnlyFirewall } {
  const stack = new TerraformStack(Testing.app(), "fleet");
  return { stack, firewall: new SshOnlyFirewall(stack, "firewall", props) };
}

const textWith = (props: SshOnlyFirewallProps): string => textOf(firewallIn(props).stack);

describe("hosts", () => {
  test("are the same by address as by an object with an address", () => {
    expect(textWith({ hosts: { "web-1": { address: "192.0.2.1" } } })).toBe(
      textWith({ hosts: { "web-1": "192.0.2.1" } }),
    );
  });

  test("are instances under their own names, in three resources over two locals", () => {
    const { hosts, ruleset, hold, lockdown } = partsOf(synth({ hosts: { b: "192.0.2.2", a: "192.0.2.1" } }));
    expect(Object.keys(hosts)).toEqual(["a", "b"]);
    expect([ruleset.for_each, hold.for_each, lockdown.for_each]).toEqual([
      "${local.firewall_rulesets}",
      "${local.firewall_hosts}",
      "${local.firewall_hosts}",
    ]);
  });

  test("have entries with only the values that differ", () => {
    expect(partsOf(synth({ hosts: { a: "192.0.2.1", b: "192.0.2.2" } })).hosts).toEqual({
      a: { address: "192.0.2.1", ruleset: "shared" },
      b: { address: "192.0.2.2", ruleset: "shared" },
    });
  });

  test.each(["null_resource", "terraform_data"] as const)(
    "have a trigger for persist only if it is false, with %s",
    (tracker) => {
      const off = { address: "192.0.2.2", persist: false };
      const lockdownOf = (props: SshOnlyFirewallProps): Block =>
        partsOf(synth({ tracker, connection: { hostKey: HOST_KEY }, ...props }), tracker).lockdown;
      const triggersOf = ({ triggers, triggers_replace }: Block) => triggers ?? triggers_replace;
      const silent = lockdownOf({ hosts: { a: "192.0.2.1", b: "192.0.2.3" } });
      expect(silent).toEqual(lockdownOf({ hosts: { a: "192.0.2.1", b: { ...off, persist: true } } }));
      expect(JSON.stringify([triggersOf(silent), silent.lifecycle])).not.toContain("persist");
      for (const [hosts, value] of [
        [{ a: "192.0.2.1", b: off }, "each.value.persist"],
        [{ b: off }, "false"],
      ] as const) {
        expect(triggersOf(lockdownOf({ hosts }))).toMatch(
          new RegExp(
            `^\\$\\{merge\\(\\{ .* \\}, \\{ for .* \\{ persist = tostring\\(${value}\\) \\} .* != "true" \\}\\)\\}$`,
          ),
        );
      }
      const both = String(triggersOf(lockdownOf({ hosts: { a: "192.0.2.1", b: off }, detectDrift: true })));
      expect(both).toMatch(/^\$\{merge\(\{ .*\}, \{ for .* drift = .*\}, \{ for .* persist = .*\}\)\}$/);
    },
  );

  test("make one text, in whatever order they are named", () => {
    const a = { address: "192.0.2.1", allowFrom: ["192.0.2.9"], connection: { user: "ops" } };
    const b = { address: "192.0.2.2", allowFrom: ["192.0.2.9"], connection: { hostKey: HOST_KEY } };
    const [c, d] = ["192.0.2.3", "192.0.2.4"];
    expect(textWith({ hosts: { d, b, a, c } })).toBe(textWith({ hosts: { a, b, c, d } }));
    // JavaScript puts keys that look like numbers first.
    expect(textWith({ hosts: { "10": c, "9": d, b, a } })).toBe(textWith({ hosts: { a, b, "9": d, "10": c } }));
  });
});

describe("addHost", () => {
  test("adds what could have been in the property, before or after others", () => {
    const host = { address: "192.0.2.2", sshPort: 2222 };
    const { stack, firewall } = firewallIn({ hosts: { c: "192.0.2.3" } });
    firewall.addHost("a", "192.0.2.1");
    firewall.addHost("b", host);
    expect(textOf(stack)).toBe(textWith({ hosts: { a: "192.0.2.1", b: host, c: "192.0.2.3" } }));
  });

  test("is enough: no host need be in the property", () => {
    const { stack, firewall } = firewallIn({});
    firewall.addHost("a", "192.0.2.1");
    expect(textOf(stack)).toBe(textWith({ hosts: { a: "192.0.2.1" } }));
  });

  test("still works after the inventory was read, and after a synth", () => {
    const { stack, firewall } = firewallIn({ hosts: { a: "192.0.2.1" } });
    expect(Object.keys(firewall.inventory)).toEqual(["a"]);
    firewall.addHost("b", "192.0.2.2");
    textOf(stack);
    firewall.addHost("c", { address: "192.0.2.3", connection: { user: "ops" } });
    expect(Object.keys(firewall.inventory)).toEqual(["a", "b", "c"]);
    expect(textOf(stack)).toBe(
      textWith({
        hosts: { a: "192.0.2.1", b: "192.0.2.2", c: { address: "192.0.2.3", connection: { user: "ops" } } },
      }),
    );
  });

  test("rejects a duplicate name", () => {
    const error = synthErrorOf((stack) => {
      const firewall = new SshOnlyFirewall(stack, "firewall", { hosts: { a: "192.0.2.1" } });
      firewall.addHost("a", "192.0.2.2");
    });
    expect(error).toContain('hosts.a: "a" was added already');
  });
});

test("a synth that is repeated gives the same text", () => {
  for (const tracker of ["null_resource", "terraform_data"] as const) {
    const { stack } = firewallIn({ tracker, hosts: { a: "192.0.2.1", b: { address: "192.0.2.2", sshPort: 2222 } } });
    const first = textOf(stack);
    expect(textOf(stack)).toBe(first);
  }
});

describe("host settings", () => {
  const address = "192.0.2.1";

  test("that are not given have their defaults", () => {
    const { lock } = partsOf(synth({ hosts: { a: address } }));
    const knobs = ["BACKEND", "CONFIRM_WITHIN", "SKIP_PREFLIGHT", "TAKE_OVER"].map((name) => settingOf(lock, name));
    expect(knobs).toEqual(["'auto'", "'120'", "'false'", "'false'"]);
  });

  test.each([
    [{ takeOver: true }, "TAKE_OVER", "take_over", true],
    [{ takeOver: "same-stack" as const }, "TAKE_OVER", "take_over", "same-stack"],
    [{ skipPreflight: true }, "SKIP_PREFLIGHT", "skip_preflight", true],
    [{ confirmWithinSeconds: 60 }, "CONFIRM_WITHIN", "confirm_within", 60],
    [{ backend: "nftables" as const }, "BACKEND", "backend", "nftables"],
    [{ backend: "iptables" as const }, "BACKEND", "backend", "iptables"],
  ])("%p reach the script, of all hosts or of one", (knob, setting, name, value) => {
    const shared = partsOf(synth({ hosts: { a: address }, ...knob }));
    expect(settingOf(shared.lock, setting)).toBe(`'${value}'`);
    expect(shared.hosts.a).not.toHaveProperty(name);
    const own = partsOf(synth({ hosts: { a: { address, ...knob }, b: "192.0.2.2" } }));
    expect(settingOf(own.lock, setting)).toBe(`'\${replace(each.value.${name}, "'", "'\\\\''")}'`);
    expect(defined(own.hosts.a)[name]).toBe(value);
    expect(own.hosts.b).toHaveProperty(name);
    expect(defined(own.hosts.b)[name]).not.toBe(value);
  });

  test("change no trigger, so that changing them plans nothing", () => {
    const triggers = (props: Partial<SshOnlyFirewallProps>): unknown[] => {
      const { ruleset, hold, lockdown } = partsOf(synth({ hosts: { a: address }, ...props }));
      // What else a resource of this kind remembers in its triggers, it ignores the changes of.
      return [ruleset.triggers, hold.triggers?.address, triggersOf(lockdown)];
    };
    const before = triggers({});
    expect(triggers({ takeOver: true, skipPreflight: true, confirmWithinSeconds: 10 })).toEqual(before);
    expect(triggers({ connection: { timeoutSeconds: 5, user: "ops", hostKey: HOST_KEY } })).toEqual(before);
  });

  test("the confirm tries to connect for longer than the host waits, and so reports what the host did", () => {
    const timeout = (props: Partial<SshOnlyFirewallProps>): unknown =>
      partsOf(synth({ hosts: { a: address }, ...props })).confirm.connection.timeout;
    expect(timeout({})).toBe('${"${120 + 30}s"}');
    expect(timeout({ confirmWithinSeconds: 600, connection: { timeoutSeconds: 5 } })).toBe('${"${600 + 30}s"}');
  });
});

/** Those whose change is not ignored. */
function triggersOf({ triggers, lifecycle }: Block): Readonly<Record<string, unknown>> {
  const ignored = lifecycle?.ignore_changes as readonly string[];
  return Object.fromEntries(
    Object.entries(triggers ?? {}).filter(([name]) => !ignored.includes(`triggers["${name}"]`)),
  );
}

describe.each(["null_resource", "terraform_data"] as const)("a lockdown with %s", (tracker) => {
  const address = "192.0.2.1";
  const memoryOf = (props: SshOnlyFirewallProps): Readonly<Record<string, unknown>> | undefined => {
    const { hold, lockdown } = partsOf(synth({ tracker, ...props }), tracker);
    return tracker === "null_resource" ? lockdown.triggers : hold.input;
  };

  test("remembers whether the host key is pinned, which no plan shows otherwise", () => {
    expect(memoryOf({ hosts: { a: address } })).toMatchObject({ host_key: "" });
    const connection = { hostKey: HOST_KEY };
    expect(memoryOf({ hosts: { a: address }, connection })).toMatchObject({ host_key: HOST_KEY });
    const both = { a: { address, connection }, b: "192.0.2.2" };
    expect(memoryOf({ hosts: both })).toMatchObject({ host_key: "${each.value.host_key}" });
  });

  test("remembers the settings that differ from host to host, and no others", () => {
    const memory = memoryOf({ hosts: { a: { address, takeOver: true }, b: "192.0.2.2" } });
    expect(memory).toMatchObject({ take_over: "${each.value.take_over}" });
    expect(memory).not.toHaveProperty("skip_preflight");
  });
});

test.each(["null_resource", "terraform_data"] as const)(
  "a host is locked again for five reasons, with %s",
  (tracker) => {
    const { lockdown } = partsOf(synth({ tracker, hosts: { a: "192.0.2.1" } }), tracker);
    expect(tracker === "null_resource" ? triggersOf(lockdown) : lockdown.triggers_replace).toEqual({
      address: "${each.value.address}",
      hold: "${local.firewall_hold_ids[each.key]}",
      host_program: "${local.ssh_only_firewall_version}",
      mode: "${local.firewall_rulesets[each.value.ruleset].mode}",
      ruleset_sha256: "${local.firewall_ruleset_sha256[each.value.ruleset]}",
    });
  },
);

describe("inventory", () => {
  test("lists each host with its settings", () => {
    const { firewall } = firewallIn({
      sshPort: 2222,
      hosts: { b: "2001:DB8::1", a: { address: "192.0.2.1", sshPort: 22 }, c: "web-1.example" },
    });
    expect(firewall.inventory).toEqual({
      a: { address: "192.0.2.1", sshPort: 22, ruleset: "a" },
      b: { address: "2001:db8::1", sshPort: 2222, ruleset: "shared" },
      c: { address: "web-1.example", sshPort: 2222, ruleset: "shared" },
    });
  });

  test("is empty if there is no host, even if there are problems", () => {
    expect(firewallIn({}).firewall.inventory).toEqual({});
    expect(firewallIn({ sshPort: 0, hosts: { a: "192.0.2.1" } }).firewall.inventory).toEqual({});
  });

  test("leaves out invalid hosts, and lists all others", () => {
    const { firewall } = firewallIn({ hosts: { a: "x y", b: "192.0.2.2" } });
    expect(Object.keys(firewall.inventory)).toEqual(["b"]);
  });
});

test("the hosts that are locked can be an output, which depends on their locks", () => {
  const stack = stackOf((scope) => {
    const firewall = new SshOnlyFirewall(scope, "firewall", { hosts: { a: "192.0.2.1" } });
    scope.addOverride("output.locked.value", firewall.lockedHosts);
  });
  const { output, locals } = configurationOf(stack);
  expect(defined(output?.locked).value).toBe("${local.firewall_locked_hosts}");
  expect(locals.firewall_locked_hosts).toBe(
    `\${{ for key, run in local.firewall_sealed${hostSuffix("a")} : key => { address = run.triggers.address, ` +
      'hold = run.triggers.hold, ruleset_sha256 = run.triggers.ruleset_sha256 } if run.id != "" && run.triggers.mode == "enforce" }}',
  );
});
