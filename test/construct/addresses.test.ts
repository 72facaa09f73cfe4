/** What resources are called in plans and states: the names by which people know them, and Terraform keeps them. */
import { Construct } from "constructs";
import { TerraformStack, Testing } from "cdktf";
import { defined } from "../support/required";
import { SshOnlyFirewall } from "../../lib/index";
import { type Configuration, configurationOf, stackOf, synth } from "./support/configuration";

const hosts = { "web-1": "192.0.2.1" };

function addresses(configuration: Configuration): string[] {
  const resources = Object.entries(configuration.resource).flatMap(([type, named]) =>
    Object.keys(named).map((name) => `${type}.${name}`),
  );
  return [...resources, ...Object.keys(configuration.locals).map((name) => `local.${name}`)].sort();
}

test("the resources and locals of a firewall are named after it", () => {
  expect(addresses(synth({ hosts }))).toEqual([
    "local.firewall_hold_ids",
    "local.firewall_hosts",
    "local.firewall_key_problems",
    "local.firewall_locked_hosts",
    "local.firewall_ruleset_sha256",
    "local.firewall_rulesets",
    "local.firewall_runs",
    "local.firewall_seal_runs_host_c4719afa76fa",
    "local.firewall_seal_times_host_c4719afa76fa",
    "local.firewall_sealed_host_c4719afa76fa",
    "local.ssh_only_firewall_host_program",
    "local.ssh_only_firewall_host_program_parts",
    "local.ssh_only_firewall_launcher",
    "local.ssh_only_firewall_version",
    "null_resource.firewall_hold",
    "null_resource.firewall_lockdown",
    "null_resource.firewall_ruleset",
    "terraform_data.firewall_relock_host_c4719afa76fa",
    "terraform_data.firewall_reseal_host_c4719afa76fa",
    "terraform_data.firewall_seal_host_c4719afa76fa",
  ]);
});

test("the tracker changes the type and nothing else of the names", () => {
  const other = addresses(synth({ hosts, tracker: "terraform_data" }));
  expect(other).toEqual(
    addresses(synth({ hosts }))
      .map((name) => name.replace("null_resource", "terraform_data"))
      .sort(),
  );
});

test("two firewalls in a stack share only the host program", () => {
  const both = configurationOf(
    stackOf((stack) => {
      new SshOnlyFirewall(stack, "web", { hosts });
      new SshOnlyFirewall(stack, "db", { hosts: { "db-1": "192.0.2.2" }, sshPort: 2222 });
    }),
  );
  expect(addresses(both)).toHaveLength(2 * 16 + 4);
  const text = (name: string): string => JSON.stringify(defined(both.resource.null_resource)[name]);
  for (const part of ["ruleset", "hold", "lockdown"]) {
    expect(text(`web_${part}`)).not.toMatch(/(local|null_resource)\.db_/);
    expect(text(`db_${part}`)).not.toMatch(/(local|null_resource)\.web_/);
  }
  expect(Object.keys(defined(both.locals.web_hosts))).toEqual(["web-1"]);
  expect(Object.keys(defined(both.locals.db_hosts))).toEqual(["db-1"]);
});

test("firewalls with one name in different constructs keep apart, and stay readable", () => {
  const both = configurationOf(
    stackOf((stack) => {
      for (const [index, site] of ["berlin", "oslo"].entries()) {
        new SshOnlyFirewall(new Construct(stack, site), "firewall", { hosts: { "web-1": `192.0.2.${index}` } });
      }
    }),
  );
  const names = addresses(both).filter((name) => name.startsWith("null_resource."));
  expect(names).toEqual([
    expect.stringMatching(/^null_resource\.berlin_firewall_[0-9A-F]{8}_hold$/),
    expect.stringMatching(/^null_resource\.berlin_firewall_[0-9A-F]{8}_lockdown$/),
    expect.stringMatching(/^null_resource\.berlin_firewall_[0-9A-F]{8}_ruleset$/),
    expect.stringMatching(/^null_resource\.oslo_firewall_[0-9A-F]{8}_hold$/),
    expect.stringMatching(/^null_resource\.oslo_firewall_[0-9A-F]{8}_lockdown$/),
    expect.stringMatching(/^null_resource\.oslo_firewall_[0-9A-F]{8}_ruleset$/),
  ]);
  expect(new Set(addresses(both)).size).toBe(2 * 16 + 4);
});

test("a firewall may be given another name in the state", () => {
  const stack = stackOf((scope) => {
    const firewall = new SshOnlyFirewall(scope, "firewall", { hosts });
    defined(firewall.holds[0]).overrideLogicalId("kept_hold");
    defined(firewall.lockdowns[0]).overrideLogicalId("kept_lockdown");
    firewall.ruleset.overrideLogicalId("kept_ruleset");
  });
  const configuration = configurationOf(stack);
  const { kept_hold: hold, kept_lockdown: lockdown } = defined(configuration.resource.null_resource);
  expect(hold?.provisioner).toHaveLength(2);
  expect(lockdown?.triggers?.hold).toBe("${local.firewall_hold_ids[each.key]}");
  expect(configuration.locals.firewall_hold_ids).toContain("null_resource.kept_hold ");
  expect(JSON.stringify(configuration)).not.toContain("null_resource.firewall_");
});

test("each of several stacks has its own host program", () => {
  const app = Testing.app();
  const stacks = ["one", "two"].map((name) => {
    const stack = new TerraformStack(app, name);
    new SshOnlyFirewall(stack, "firewall", { hosts });
    return configurationOf(stack);
  });
  expect(JSON.stringify(defined(stacks[0]).locals.ssh_only_firewall_host_program_parts)).toContain("verb_lock()");
  expect(defined(stacks[1]).locals).toEqual(defined(stacks[0]).locals);
});

test("no text has so many lines that Terraform, whose time grows with their square, takes long for it", () => {
  const texts: string[] = [];
  JSON.stringify(synth({ hosts }), (_, value: unknown) => {
    if (typeof value === "string") {
      texts.push(value);
    }
    return value;
  });
  expect(texts.filter((text) => text.split("\n").length > 200)).toEqual([]);
});

test("the host program stands once in a stack, and its text nowhere else", () => {
  const text = JSON.stringify(synth({ hosts }));
  expect(text.split("verb_lock() {")).toHaveLength(2);
});
