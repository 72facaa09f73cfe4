/** The null provider: without one synth fails, with two that have no alias Terraform does. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NullProvider } from "@cdktf/provider-null/lib/provider";
import { Resource } from "@cdktf/provider-null/lib/resource";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { items } from "../support/required";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { type Configuration, configurationOf, stackOf, synth, writingApp } from "./support/configuration";

const hosts = { "web-1": "192.0.2.1" };

function providersOf(build: (stack: TerraformStack) => unknown): unknown {
  return configurationOf(stackOf(build)).provider;
}

const firewall = (scope: Construct, id = "firewall", props: SshOnlyFirewallProps = { hosts }): SshOnlyFirewall =>
  new SshOnlyFirewall(scope, id, props);

test("is created if the stack has no provider of that kind", () => {
  expect(synth({ hosts }).provider).toEqual({ null: [{}] });
});

test("is created once, however many firewalls there are", () => {
  const providers = providersOf((stack) => {
    firewall(stack, "a");
    firewall(new Construct(stack, "nested"), "b");
  });
  expect(providers).toEqual({ null: [{}] });
});

test("is the user's own, whether it comes first, later, or in another construct", () => {
  const before = providersOf((stack) => {
    new NullProvider(stack, "own");
    firewall(stack);
  });
  const after = providersOf((stack) => {
    firewall(stack);
    new NullProvider(stack, "own");
  });
  const nested = providersOf((stack) => {
    firewall(stack);
    new NullProvider(new Construct(stack, "platform"), "own");
  });
  expect([before, after, nested]).toEqual(Array(3).fill({ null: [{}] }));
});

test("is created beside the user's own if that has an alias", () => {
  const configuration = configurationOf(
    stackOf((stack) => {
      new NullProvider(stack, "own", { alias: "special" });
      firewall(stack);
    }),
  );
  expect(configuration.provider).toEqual({ null: [{ alias: "special" }, {}] });
  expect(JSON.stringify(configuration.resource)).not.toContain("null.special");
});

test("serves the user's own resources too", () => {
  const configuration = configurationOf(
    stackOf((stack) => {
      firewall(stack);
      new Resource(stack, "other");
    }),
  );
  expect(configuration.provider).toEqual({ null: [{}] });
});

test("is absent for terraform_data, which needs none", () => {
  const configuration = synth({ hosts, tracker: "terraform_data" });
  expect(configuration.provider).toBeUndefined();
  expect(JSON.stringify(configuration)).not.toContain("null_resource");
});

test("is created if one of two firewalls needs it", () => {
  const providers = providersOf((stack) => {
    firewall(stack, "a", { hosts, tracker: "terraform_data" });
    firewall(stack, "b");
  });
  expect(providers).toEqual({ null: [{}] });
});

test("is in every stack that needs it, as an app writes them", () => {
  const outdir = mkdtempSync(join(tmpdir(), "provider-test-"));
  try {
    const app = writingApp(outdir);
    const [one, two, three] = items(
      ["one", "two", "three"].map((name) => new TerraformStack(app, name)),
      3,
    );
    firewall(one);
    new NullProvider(two, "own");
    firewall(two);
    firewall(three, "firewall", { hosts, tracker: "terraform_data" });
    app.synth();
    const providers = ["one", "two", "three"].map((name) => {
      const text = readFileSync(join(outdir, "stacks", name, "cdk.tf.json"), "utf8");
      return (JSON.parse(text) as Configuration).provider;
    });
    expect(providers).toEqual([{ null: [{}] }, { null: [{}] }, undefined]);
  } finally {
    rmSync(outdir, { recursive: true });
  }
});
