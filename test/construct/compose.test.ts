/** A firewall among other constructs: what comes before and after it, and what others do to its resources. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NullProvider } from "@cdktf/provider-null/lib/provider";
import { Resource } from "@cdktf/provider-null/lib/resource";
import { Aspects, Lazy, TerraformOutput, TerraformResource, TerraformStack } from "cdktf";
import { type IConstruct } from "constructs";
import { defined, items } from "../support/required";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import {
  type Configuration,
  attributeOf,
  configurationOf,
  partsOf,
  stackOf,
  writingApp,
} from "./support/configuration";

const hosts = { "web-1": "192.0.2.1" };
const TRACKERS = ["null_resource", "terraform_data"] as const;

function configured(
  change: (firewall: SshOnlyFirewall, stack: TerraformStack) => void,
  props: Partial<SshOnlyFirewallProps> = {},
): Configuration {
  return configurationOf(
    stackOf((stack) => change(new SshOnlyFirewall(stack, "firewall", { hosts, ...props }), stack)),
  );
}

describe("dependsOn", () => {
  test.each(TRACKERS)("makes hold and lockdown wait, not the ruleset, with %s", (tracker) => {
    const stack = stackOf((scope) => {
      const network = new Resource(scope, "network");
      new NullProvider(scope, "null");
      new SshOnlyFirewall(scope, "firewall", { hosts, tracker, dependsOn: [network] });
    });
    const { ruleset, hold, lockdown } = partsOf(configurationOf(stack), tracker);
    expect(hold.depends_on).toEqual(["null_resource.network"]);
    expect(lockdown.depends_on).toEqual(["null_resource.network"]);
    expect(ruleset.depends_on).toBeUndefined();
  });

  test("of another resource on a firewall waits until the hosts are locked", () => {
    const configuration = configured((firewall, stack) => {
      new Resource(stack, "after", { dependsOn: [firewall] });
    });
    expect(defined(defined(configuration.resource.null_resource).after).depends_on).toEqual([
      "local.firewall_locked_hosts",
    ]);
  });

  test("of a firewall on another firewall waits until that one's hosts are locked", () => {
    const configuration = configured((firewall, stack) => {
      new SshOnlyFirewall(stack, "second", { hosts: { "db-1": "192.0.2.2" }, dependsOn: [firewall] });
    });
    expect(defined(defined(configuration.resource.null_resource).second_hold).depends_on).toEqual([
      "local.firewall_locked_hosts",
    ]);
  });
});

describe("an output", () => {
  test("can show the inventory and the locked hosts", () => {
    const configuration = configured((firewall, stack) => {
      new TerraformOutput(stack, "inventory", { value: firewall.inventory });
      new TerraformOutput(stack, "locked", { value: firewall.lockedHosts });
    });
    expect(configuration.output).toEqual({
      inventory: { value: { "web-1": { address: "192.0.2.1", sshPort: 22, ruleset: "shared" } } },
      locked: { value: "${local.firewall_locked_hosts}" },
    });
  });
});

describe("escape hatches", () => {
  test.each(TRACKERS)("reach all three resources, with %s", (tracker) => {
    const configuration = configured(
      (firewall) => {
        defined(firewall.holds[0]).addOverride("lifecycle.prevent_destroy", true);
        defined(firewall.lockdowns[0]).addOverride("provisioner.0.remote-exec.connection.timeout", "9s");
        firewall.ruleset.addOverride("lifecycle.precondition", [{ condition: true, error_message: "no" }]);
      },
      { tracker },
    );
    const { hold, lock, ruleset, lockdown } = partsOf(configuration, tracker);
    expect(hold.lifecycle).toMatchObject({ prevent_destroy: true });
    expect(hold.lifecycle?.ignore_changes).toEqual(tracker === "null_resource" ? expect.any(Array) : undefined);
    expect(lock.connection).toMatchObject({ timeout: "9s", host: "${each.value.address}" });
    expect(lockdown.provisioner).toHaveLength(2);
    expect(ruleset.lifecycle).toEqual({ precondition: [{ condition: true, error_message: "no" }] });
  });

  test.each(TRACKERS)("may hold tokens, with %s", (tracker) => {
    const configuration = configured(
      ({ lockdowns: [lockdown] }) => {
        const user = Lazy.stringValue({ produce: () => "deploy" });
        defined(lockdown).addOverride("provisioner.1.remote-exec.connection.user", user);
      },
      { tracker },
    );
    const [, confirm] = items(partsOf(configuration, tracker).lockdown.provisioner ?? [], 2);
    expect(confirm["remote-exec"].connection).toMatchObject({ user: "deploy" });
  });

  test.each(TRACKERS)("of the stack reach into locals and provisioners, with %s", (tracker) => {
    const configuration = configured(
      (_, stack) => {
        stack.addOverride("locals.firewall_hosts.web-1.address", "198.51.100.7");
        stack.addOverride(`resource.${tracker}.firewall_lockdown.depends_on`, ["null_resource.vpn"]);
      },
      { tracker },
    );
    const { hosts, lockdown } = partsOf(configuration, tracker);
    expect(hosts["web-1"]).toEqual({ address: "198.51.100.7", ruleset: "shared" });
    expect(lockdown.depends_on).toEqual(["null_resource.vpn"]);
    expect(lockdown.provisioner).toHaveLength(2);
  });

  test.each(TRACKERS)("set before the synth are kept, with %s", (tracker) => {
    const configuration = configured(
      (firewall) => {
        for (const resource of [firewall.ruleset, ...firewall.holds, ...firewall.lockdowns]) {
          resource.lifecycle = { preventDestroy: true };
        }
      },
      { tracker },
    );
    const { ruleset, hold, lockdown } = partsOf(configuration, tracker);
    for (const { lifecycle } of [ruleset, hold, lockdown]) {
      expect(lifecycle).toMatchObject({ prevent_destroy: true });
    }
    expect(hold.lifecycle?.ignore_changes).toEqual(tracker === "null_resource" ? expect.any(Array) : undefined);
  });
});

describe("Aspects", () => {
  test("of the user see the resources, and what they change is written", () => {
    const seen: string[] = [];
    const configuration = configured((_, stack) => {
      Aspects.of(stack).add({
        visit(node: IConstruct) {
          if (node instanceof TerraformResource) {
            seen.push(node.friendlyUniqueId);
            node.addOverride("lifecycle.prevent_destroy", true);
          }
        },
      });
    });
    expect(seen).toEqual(["firewall_ruleset", "firewall_hold", "firewall_lockdown"]);
    const { ruleset, hold, lockdown } = partsOf(configuration);
    expect([ruleset, hold, lockdown].map(({ lifecycle }) => lifecycle?.prevent_destroy)).toEqual([true, true, true]);
  });

  test("may add hosts", () => {
    const configuration = configured((firewall, stack) => {
      let done = false;
      Aspects.of(stack).add({
        visit(node: IConstruct) {
          if (node === stack && !done) {
            done = true;
            firewall.addHost("db-1", "192.0.2.2");
          }
        },
      });
    });
    expect(Object.keys(partsOf(configuration).hosts)).toEqual(["db-1", "web-1"]);
  });
});

test("hosts may have the names of properties of JavaScript objects and cdktf tokens", () => {
  const names = ["constructor", "creationStack", "hasOwnProperty", "resolve", "toJSON", "toString", "valueOf"];
  const hosts = Object.fromEntries(names.map((name, index) => [name, `192.0.2.${index + 1}`]));
  const configuration = configured(() => undefined, { hosts });
  expect(partsOf(configuration).hosts).toEqual(
    Object.fromEntries(names.map((name) => [name, { address: hosts[name], ruleset: "shared" }])),
  );
});

test("attributes of a resource in another stack come from that stack's outputs", () => {
  const outdir = mkdtempSync(join(tmpdir(), "compose-test-"));
  try {
    const app = writingApp(outdir);
    const [machines, fleet] = items(
      ["machines", "fleet"].map((name) => new TerraformStack(app, name)),
      2,
    );
    new NullProvider(machines, "null");
    const vm = new Resource(machines, "vm");
    new SshOnlyFirewall(fleet, "firewall", { hosts: { vm: attributeOf(vm) }, connection: { user: attributeOf(vm) } });
    app.synth();
    const read = (name: string): Configuration =>
      JSON.parse(readFileSync(join(outdir, "stacks", name, "cdk.tf.json"), "utf8")) as Configuration;
    const [output] = items(Object.keys(read("machines").output ?? {}), 1);
    expect(defined(read("machines").output?.[output]).value).toBe("${null_resource.vm.id}");
    const remote = `\${data.terraform_remote_state.cross-stack-reference-input-machines.outputs.${output}}`;
    expect(partsOf(read("fleet")).hosts).toEqual({ vm: { address: remote, user: remote, ruleset: "shared" } });
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

test("the members for other code are the resources themselves, and the firewall stands for its locks", () => {
  const configuration = configured((firewall, stack) => {
    expect(firewall.problems).toEqual([]);
    const { ruleset, holds, lockdowns } = firewall;
    const [hold, lockdown] = items([...holds, ...lockdowns], 2);
    for (const [name, { fqn }] of Object.entries({ ruleset, hold, lockdown, itself: firewall })) {
      new TerraformOutput(stack, name, { value: fqn });
    }
  });
  expect(configuration.output).toEqual({
    ruleset: { value: "${null_resource.firewall_ruleset}" },
    hold: { value: "${null_resource.firewall_hold}" },
    lockdown: { value: "${null_resource.firewall_lockdown}" },
    itself: { value: "${local.firewall_locked_hosts}" },
  });
});
