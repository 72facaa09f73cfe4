import { Testing } from "cdktf";
import { defined } from "../support/required";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { FleetStack } from "../../lib/fleet/fleet-stack";

interface Written {
  readonly resource: { readonly terraform_data: Readonly<Record<string, unknown>> };
  readonly output: Readonly<Record<string, { readonly value: string }>>;
}

function stackOf(text: string): FleetStack {
  return new FleetStack(Testing.app(), parseFleet(text).fleet!);
}

function written(text: string): Written {
  return JSON.parse(Testing.synth(stackOf(text), true)) as Written;
}

const FLEET = "tracker: terraform_data\nhosts:\n  web-1: 192.0.2.10\n";

test("the stack bears the fleet's name", () => {
  expect(stackOf(`name: old-servers\n${FLEET}`).node.id).toBe("old-servers");
  expect(stackOf(FLEET).node.id).toBe("fleet");
});

test.each(["fleet", "old-servers"])("Terraform's addresses begin with fleet in a stack named %s", (name) => {
  const resources = written(`name: ${name}\n${FLEET}`).resource.terraform_data;
  expect(Object.keys(resources).sort()).toEqual([
    "fleet_hold",
    "fleet_lockdown",
    expect.stringMatching(/^fleet_relock_host_[0-9a-f]{12}$/),
    expect.stringMatching(/^fleet_reseal_host_[0-9a-f]{12}$/),
    "fleet_ruleset",
    expect.stringMatching(/^fleet_seal_host_[0-9a-f]{12}$/),
  ]);
});

test("an output lists which hosts are locked", () => {
  const { output } = written(FLEET);
  expect(Object.keys(output)).toEqual(["locked_hosts"]);
  expect(defined(output.locked_hosts).value).toBe("${local.fleet_locked_hosts}");
});
