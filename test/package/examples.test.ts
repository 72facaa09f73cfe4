import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../support/required";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { EXCEPTION_KINDS } from "../../lib/policy/exception";
import { SHARED_KEYS } from "../../lib/policy/host";
import { type Argv, emptyFolder, program, ROOT, run, source } from "../cli/support/run";

interface Stack {
  readonly locals: { readonly fleet_hosts: Readonly<Record<string, { readonly address: string }>> };
  readonly output?: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, Readonly<Record<string, { readonly depends_on?: string[] }>>>>;
}

function synthesized(command: Argv, stack: string): Stack {
  const folder = emptyFolder();
  expect(run(command, folder)).toEqual({ code: 0, stdout: "", stderr: "" });
  return JSON.parse(readFileSync(join(folder, "cdktf.out/stacks", stack, "cdk.tf.json"), "utf8")) as Stack;
}

test("three lines lock a host", () => {
  const { locals, resource } = synthesized(source("examples/three-lines.ts"), "old-servers");
  expect(locals.fleet_hosts).toEqual({ "web-1": expect.objectContaining({ address: "192.0.2.10" }) });
  expect(Object.keys(defined(resource.null_resource))).toContain("fleet_lockdown");
});

test("the composed example takes addresses from elsewhere, and an order", () => {
  const { locals, output, resource } = synthesized(source("examples/composed.ts"), "old-servers");
  expect(Object.keys(locals.fleet_hosts)).toEqual(["database", "web-1", "web-2"]);
  expect(defined(locals.fleet_hosts.database).address).toBe(
    "${data.terraform_remote_state.network.outputs.database_ip}",
  );
  expect(defined(defined(resource.terraform_data).fleet_hold).depends_on).toContain("terraform_data.backup");
  expect(Object.keys(output ?? {})).toEqual(["locked"]);
});

describe("the example of a fleet file", () => {
  const file = join(ROOT, "examples/fleet.yaml");
  const text = readFileSync(file, "utf8");

  test("synthesizes, with every host", () => {
    const { locals } = synthesized(program("fleet", file), "fleet");
    expect(Object.keys(locals.fleet_hosts)).toEqual(["db-1", "db-2", "legacy", "web-1", "web-2"]);
  });

  test("shows every property and every kind of exception", () => {
    const properties = [
      "name",
      ...SHARED_KEYS,
      "tracker",
      "onDestroy",
      "detectDrift",
      "shards",
      "movedFromShards",
      "waves",
      "probationSeconds",
      "driftProgram",
      "stacks",
      "terraform",
      "hosts",
    ];
    expect(properties.filter((name) => !new RegExp(`^(# )?${name}:`, "m").test(text))).toEqual([]);
    expect(EXCEPTION_KINDS.filter((kind) => !new RegExp(`^  - (kind: )?${kind}\\b`, "m").test(text))).toEqual([]);
  });

  test("stays sound with every default uncommented", () => {
    const uncommented = text.replace(/^( *)# (\w+: .*)$/gm, "$1$2");
    expect(uncommented.length).toBeLessThan(text.length);
    expect(parseFleet(uncommented).problems).toEqual([]);
  });
});
