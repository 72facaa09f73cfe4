/** Where a connection value stands: once where all hosts have it, in the hosts' entries otherwise, in memory for the unlock. */
import { NullProvider } from "@cdktf/provider-null/lib/provider";
import { Resource } from "@cdktf/provider-null/lib/resource";
import { TerraformStack, Testing } from "cdktf";
import { defined, items } from "../support/required";
import { AllowedSource, type ConnectionProps, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import {
  type Provisioner,
  HOST_KEY,
  OTHER_HOST_KEY,
  attributeOf,
  configurationOf,
  partsOf,
  synth,
} from "./support/configuration";

const TRACKERS = ["null_resource", "terraform_data"] as const;
const everything: ConnectionProps = {
  user: "ops",
  port: 2022,
  privateKeyPath: "/keys/id",
  certificatePath: "/keys/id-cert.pub",
  agent: true,
  hostKey: HOST_KEY,
  bastion: { host: "jump", port: 22022, user: "hop", privateKeyPath: "/keys/hop", hostKey: OTHER_HOST_KEY },
  timeoutSeconds: 7,
  scriptPath: "/opt/run-%RAND%.sh",
};
const hosts = { a: "192.0.2.1", b: "192.0.2.2" };

/** The names under which the values of `everything` travel. */
const NAMES = [
  "agent",
  "bastion_host",
  "bastion_host_key",
  "bastion_port",
  "bastion_private_key_path",
  "bastion_user",
  "certificate_path",
  "host_key",
  "port",
  "private_key_path",
  "script_path",
  "timeout",
  "user",
];

/** Whatever an expression in a destroy provisioner names, apart from what stands in quotes. */
function references(provisioner: Provisioner | undefined): string[] {
  const templates = JSON.stringify(provisioner).match(/(?<!\$)\$\{(?:[^{}]|\{[^{}]*\})*\}/g) ?? [];
  const names = templates.flatMap(
    (text) => text.replace(/\\"(?:[^"\\]|\\\\.)*?\\"/g, "").match(/[a-z_]+\.[\w.]+/g) ?? [],
  );
  return [...new Set(names)].sort();
}

describe.each(TRACKERS)("a connection that all hosts have, with %s", (tracker) => {
  const parts = partsOf(synth({ tracker, hosts, connection: everything }), tracker);

  test("stands once, in the provisioners", () => {
    expect(parts.lock.connection).toEqual({
      type: "ssh",
      host: "${each.value.address}",
      port: 2022,
      user: "ops",
      private_key: '${file(each.key == "" ? "" : "/keys/id")}',
      certificate: '${file(each.key == "" ? "" : "/keys/id-cert.pub")}',
      agent: true,
      host_key: HOST_KEY,
      bastion_host: "jump",
      bastion_port: 22022,
      bastion_user: "hop",
      bastion_private_key: '${file(each.key == "" ? "" : "/keys/hop")}',
      bastion_host_key: OTHER_HOST_KEY,
      script_path: "/opt/run-%RAND%.sh",
      timeout: "7s",
    });
    expect({ ...parts.confirm.connection, timeout: "7s" }).toEqual(parts.lock.connection);
    expect(parts.hosts.a).toEqual({ address: "192.0.2.1", ruleset: "shared" });
  });

  test("is remembered if it belongs to the machine, and otherwise not", () => {
    const ofTheMachine = {
      bastion_host: "jump",
      bastion_host_key: OTHER_HOST_KEY,
      bastion_port: "22022",
      bastion_user: "hop",
      host_key: HOST_KEY,
      port: "2022",
      role: "ssh-only-firewall hold",
      user: "ops",
    };
    const triggers = { address: "${each.value.address}" };
    expect({ triggers: parts.hold.triggers, replace: parts.hold.triggers_replace, input: parts.hold.input }).toEqual(
      tracker === "null_resource"
        ? { triggers: { ...triggers, ...ofTheMachine } }
        : { replace: triggers, input: ofTheMachine },
    );
  });
});

describe("values that are not given", () => {
  test("are not written at all, so that Terraform's own defaults hold", () => {
    const { lock, unlock } = partsOf(synth({ hosts, connection: {} }));
    expect(Object.keys(lock.connection).sort()).toEqual([
      "agent",
      "host",
      "port",
      "script_path",
      "timeout",
      "type",
      "user",
    ]);
    expect(JSON.stringify(lock.connection)).not.toContain("null");
    // A host that was taken out, or has moved, may still remember a value; for all others there is none.
    expect(unlock?.connection.host_key).toBe(
      '${strcontains("\\na 192.0.2.1\\nb 192.0.2.2\\n", format("\\n%s\\n", join(" ", [each.key, self.triggers.address]))) ? null : try(self.triggers.host_key, null)}',
    );
  });

  test("are null in the entries of those hosts that have none where others have one", () => {
    const parts = partsOf(synth({ hosts: { ...hosts, b: { address: "192.0.2.2", connection: everything } } }));
    expect(parts.hosts.a).toEqual({
      address: "192.0.2.1",
      ruleset: "shared",
      port: 22,
      user: "root",
      private_key_path: null,
      certificate_path: null,
      host_key: null,
      bastion_host: null,
      bastion_port: null,
      bastion_user: null,
      bastion_private_key_path: null,
      bastion_host_key: null,
      script_path: "./.ssh-only-firewall-%RAND%.sh",
      timeout: "300s",
    });
    expect(parts.lock.connection).toMatchObject({
      host_key: "${each.value.host_key}",
      private_key: expect.stringMatching(
        /^\$\{\[for at in \[each\.value\.private_key_path\] : at == null \? null : file\(startswith\(at, "\/"\)/,
      ) as unknown,
    });
  });
});

describe.each(TRACKERS)("a connection that differs from host to host, with %s", (tracker) => {
  const parts = partsOf(
    synth({ tracker, hosts: { ...hosts, b: { address: "192.0.2.2", connection: { ...everything, agent: false } } } }),
    tracker,
  );

  test("stands in the hosts' entries, and the provisioners look there", () => {
    expect(parts.hosts.b).toMatchObject({ user: "ops", port: 2022, bastion_host: "jump", timeout: "7s", agent: false });
    expect(parts.lock.connection).toMatchObject({
      user: "${each.value.user}",
      port: "${each.value.port}",
      bastion_host: "${each.value.bastion_host}",
      timeout: "${each.value.timeout}",
    });
  });

  test("is remembered by the hold, and by nothing else", () => {
    const memory = Object.fromEntries(NAMES.map((name) => [name, `\${each.value.${name}}`]));
    const { triggers, input } = parts.hold;
    expect(tracker === "null_resource" ? triggers : input).toEqual({
      ...memory,
      role: "ssh-only-firewall hold",
      ...(tracker === "null_resource" ? { address: "${each.value.address}" } : {}),
    });
    const { keys_checked: checked, ...others } = parts.lockdown.triggers ?? {};
    expect(JSON.stringify([others, parts.lockdown.triggers_replace])).not.toMatch(/user|port|key_path/);
    // Nothing of the keys is in a plan, but that they were looked at.
    expect(checked ?? parts.lockdown.input?.keys_checked).toMatch(/^\$\{lookup\(tomap\(\{ "" = "yes" \}\), /);
  });

  test("leaves to the unlock only what a destroy provisioner may use", () => {
    const memory = tracker === "null_resource" ? "self.triggers" : "self.input";
    const address = tracker === "null_resource" ? "self.triggers.address" : "self.triggers_replace.address";
    const key = tracker === "null_resource" ? ["each.key"] : [];
    expect(references(parts.unlock)).toEqual(
      [...key, "self.id", address, ...NAMES.map((n) => `${memory}.${n}`)].sort(),
    );
  });
});

test("a value that most hosts have stands in the entries of all", () => {
  const c = { address: "192.0.2.3", connection: { user: "ops" } };
  const { hosts: entries, lock } = partsOf(synth({ hosts: { ...hosts, c } }));
  expect(Object.values(entries).map(({ user }) => user)).toEqual(["root", "root", "ops"]);
  expect(lock.connection.user).toBe("${each.value.user}");
});

test("a null_resource ignores changes of whatever it may remember, and of nothing else", () => {
  const { hold, lockdown, ruleset } = partsOf(synth({ hosts }));
  expect(hold.lifecycle).toEqual({ ignore_changes: expect.any(Array) });
  const ignored = (hold.lifecycle?.ignore_changes as string[]).map((name) =>
    name.replace(/^triggers\["(.*)"\]$/, "$1"),
  );
  const knobs = ["backend", "confirm_within", "skip_preflight", "take_over"];
  expect(ignored.sort()).toEqual([...NAMES, ...knobs, "planned_at", "keys_checked", "role"].sort());
  expect([lockdown.lifecycle, ruleset.lifecycle]).toEqual([
    { ...hold.lifecycle, postcondition: [expect.anything()] },
    undefined,
  ]);
});

test("the port is connection.port, and by default that of sshd", () => {
  const port = (props: Partial<SshOnlyFirewallProps>): unknown =>
    partsOf(synth({ hosts, ...props })).lock.connection.port;
  expect(port({})).toBe(22);
  expect(port({ sshPort: 2222 })).toBe(2222);
  expect(port({ sshPort: 2222, connection: { port: 22022 } })).toBe(22022);
  const own = partsOf(synth({ hosts: { a: { address: "192.0.2.1", sshPort: 2222 }, b: "192.0.2.2" } }));
  expect([defined(own.hosts.a).port, defined(own.hosts.b).port]).toEqual([2222, 22]);
});

describe("onDestroy", () => {
  const unlockOf = (props: Partial<SshOnlyFirewallProps>): Provisioner | undefined =>
    partsOf(synth({ hosts, ...props })).unlock;

  test("unlocks, and fails if it cannot", () => {
    expect(unlockOf({})).toMatchObject({ when: "destroy" });
    expect(unlockOf({})).not.toHaveProperty("on_failure");
    expect(unlockOf({ onDestroy: "unlock" })).toEqual(unlockOf({}));
  });

  test("unlocks, and continues if it cannot", () => {
    expect(unlockOf({ onDestroy: "unlock-if-reachable" })).toEqual({ ...unlockOf({}), on_failure: "continue" });
  });

  test("confirms that over a new connection, for longer than any host waits, unless it goes on anyway", () => {
    const confirmOf = (props: Partial<SshOnlyFirewallProps>): Provisioner | undefined =>
      partsOf(synth({ hosts, connection: { timeoutSeconds: 20 }, ...props })).confirmUnlock;
    expect(confirmOf({})).toMatchObject({ when: "destroy", connection: { timeout: "150s" } });
    expect(confirmOf({})).not.toHaveProperty("on_failure");
    const slow = { a: { address: "192.0.2.1", confirmWithinSeconds: 300 }, b: "192.0.2.2" };
    expect(confirmOf({ hosts: slow })).toMatchObject({ connection: { timeout: "330s" } });
    const goesOn = confirmOf({ onDestroy: "unlock-if-reachable" });
    expect(goesOn).toMatchObject({ on_failure: "continue" });
    expect(goesOn?.connection.timeout).not.toBe("150s");
  });

  test("does nothing to hosts that stay locked", () => {
    expect(unlockOf({ onDestroy: "leave-locked" })).toBeUndefined();
    const { hold } = partsOf(synth({ hosts, onDestroy: "leave-locked" }));
    // For the day on which it is to unlock after all.
    expect(hold.triggers).toEqual({
      address: "${each.value.address}",
      port: "22",
      role: "ssh-only-firewall hold",
      user: "root",
    });
  });

  test.each(TRACKERS)("names the owner that the lock was given, with %s", (tracker) => {
    const { lock, confirm, unlock, confirmUnlock } = partsOf(synth({ hosts, tracker }), tracker);
    expect(lock.inline[0]).toContain("SSH_ONLY_OWNER='${replace(local.firewall_hold_ids[each.key], ");
    expect(confirm.inline[0]).toContain('join(" ", ["confirm", local.firewall_hold_ids[each.key], self.id, ');
    expect(unlock?.inline[0]).toContain('join(" ", ["unlock", self.id, "120"])');
    expect(confirmUnlock?.inline[0]).toContain('join(" ", ["confirm-unlock", self.id])');
  });
});

describe("attributes of other resources", () => {
  function withTokens(tracker: (typeof TRACKERS)[number]) {
    const stack = new TerraformStack(Testing.app(), "fleet");
    new NullProvider(stack, "null");
    const [vm, other, db] = items(
      ["vm", "other", "db"].map((name) => new Resource(stack, name)),
      3,
    );
    const token = attributeOf(vm);
    new SshOnlyFirewall(stack, "firewall", {
      tracker,
      allowFrom: [AllowedSource.ipv4(token), AllowedSource.ipv4(`${attributeOf(other)}/24`)],
      connection: {
        user: token,
        hostKey: token,
        bastion: { host: token, user: token },
        privateKeyPath: `/keys/${token}`,
      },
      hosts: { a: attributeOf(other), b: attributeOf(db) },
    });
    return partsOf(configurationOf(stack), tracker);
  }

  test.each(TRACKERS)("pass through as addresses, sources, users and bastions, with %s", (tracker) => {
    const { hosts: entries, rulesets } = withTokens(tracker);
    expect(entries).toEqual({
      a: {
        address: "${null_resource.other.id}",
        ruleset: "shared",
        user: "${null_resource.vm.id}",
        host_key: "${null_resource.vm.id}",
        bastion_host: "${null_resource.vm.id}",
        bastion_user: "${null_resource.vm.id}",
        private_key_path: "/keys/${null_resource.vm.id}",
      },
      b: expect.objectContaining({ address: "${null_resource.db.id}" }) as unknown,
    });
    expect(defined(rulesets.shared).allow_from).toContain("${null_resource.vm.id}");
    expect(defined(rulesets.shared).allow_from).toContain("${null_resource.other.id}/24");
    expect(defined(rulesets.shared).nftables).toContain("\t\tip saddr ${null_resource.vm.id} tcp dport 22 accept\n");
    expect(defined(rulesets.shared).nftables).toContain(
      "\t\tip saddr ${null_resource.other.id}/24 tcp dport 22 accept\n",
    );
  });

  test.each(TRACKERS)("are in the memory of the hold, and not in its destroy provisioner, with %s", (tracker) => {
    const { hold, unlock } = withTokens(tracker);
    expect(JSON.stringify(unlock)).not.toMatch(/null_resource|local\./);
    expect(tracker === "null_resource" ? hold.triggers : hold.input).toMatchObject({
      user: "${each.value.user}",
      host_key: "${each.value.host_key}",
      bastion_host: "${each.value.bastion_host}",
      bastion_user: "${each.value.bastion_user}",
      private_key_path: "${each.value.private_key_path}",
    });
    const memory = tracker === "null_resource" ? "self.triggers" : "self.input";
    expect(unlock?.connection.user).toContain(`${memory}.user`);
  });

  test("of one host leave the known values of the others to the unlock", () => {
    const stack = new TerraformStack(Testing.app(), "fleet");
    const user = attributeOf(new Resource(stack, "vm"));
    new SshOnlyFirewall(stack, "firewall", {
      hosts: {
        a: { address: "192.0.2.1", connection: { user } },
        b: { address: "192.0.2.2", connection: { user: "ops" } },
      },
    });
    const { unlock } = partsOf(configurationOf(stack));
    expect(unlock?.connection.user).toBe(
      '${try({"b 192.0.2.2" = "ops"}[join(" ", [each.key, self.triggers.address])], try(self.triggers.user, null))}',
    );
  });
});

test("no file is read and no key is written when the stack is", () => {
  const text = JSON.stringify(synth({ hosts, connection: { privateKeyPath: __filename } }));
  expect(text).not.toContain("no key is written when the stack is");
  expect(text).toContain(__filename);
});
