/** What `detectDrift` writes into the configuration. What Terraform makes of it: test/e2e/drift.test.ts. */
import { TerraformProvider, TerraformStack } from "cdktf";
import { defined } from "../support/required";
import { SshOnlyFirewall, type SshOnlyFirewallProps, type TrackerKind } from "../../lib/index";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { type Configuration, configurationOf, partsOf, stackOf, synth, synthErrorOf } from "./support/configuration";

interface WithDrift extends Configuration {
  readonly data?: {
    readonly external: Readonly<Record<string, { readonly program: string[]; readonly query: Record<string, string> }>>;
  };
  readonly check?: Readonly<Record<string, unknown>>;
}

const hosts = { "web-1": "192.0.2.1", "web-2": "192.0.2.2" };
const connection = { user: "ops", privateKeyPath: "~/.ssh/id_ed25519" };
const TRACKERS: readonly TrackerKind[] = ["null_resource", "terraform_data"];

const drifting = (props: Partial<SshOnlyFirewallProps> = {}): WithDrift =>
  synth({ hosts, connection, detectDrift: true, ...props }) as WithDrift;

test.each(TRACKERS)("with %s, nothing of it is written unless detectDrift is true", (tracker) => {
  const configuration = synth({ hosts, tracker });
  expect(synth({ hosts, tracker, detectDrift: false })).toEqual(configuration);
  expect(configuration).not.toHaveProperty("data");
  expect(configuration).not.toHaveProperty("check");
  expect(configuration.provider).toEqual(tracker === "null_resource" ? { null: [{}] } : undefined);
  const { lockdown } = partsOf(configuration, tracker);
  expect(Object.keys(lockdown.triggers ?? lockdown.triggers_replace ?? {})).not.toContain("drift");
});

test.each(TRACKERS)("with %s, only the triggers of the lockdown differ by it", (tracker) => {
  const [without, { data, check, ...rest }] = [synth({ hosts, tracker }), drifting({ connection: {}, tracker })];
  expect([Object.keys(data?.external ?? {}), Object.keys(check ?? {})]).toEqual([
    ["firewall_drift"],
    ["firewall_drift"],
  ]);
  const triggers = tracker === "null_resource" ? "triggers" : "triggers_replace";
  const lockdownOf = (configuration: Configuration) => partsOf(configuration, tracker).lockdown;
  expect({ ...lockdownOf(rest as Configuration), [triggers]: 0 }).toEqual({ ...lockdownOf(without), [triggers]: 0 });
  expect(partsOf(rest as Configuration, tracker).hold).toEqual(partsOf(without, tracker).hold);
  const written = lockdownOf(rest as Configuration)[triggers] as unknown as string;
  for (const [name, value] of Object.entries(lockdownOf(without)[triggers] ?? {})) {
    expect(written).toContain(`"${name}" = ${/^\$\{(.*)\}$/.exec(String(value))?.[1] ?? JSON.stringify(value)}`);
  }
  expect(written).toMatch(/drift = lookup\(data\.external\.firewall_drift\.result, each\.key, "0"\)/);
});

test("asks with what is the same for all hosts, and refers to nothing that a plan may not know yet", () => {
  const { data } = drifting({ tracker: "terraform_data" });
  expect(data?.external.firewall_drift).toEqual({
    program: ["npx", "--no", "--package=cdktf-ssh-only-firewall", "--", "ssh-only-firewall", "drift"],
    query: {
      lockdowns: "terraform_data.firewall_lockdown",
      port: "22",
      private_key_path: "~/.ssh/id_ed25519",
      user: "ops",
    },
  });
  const own = { "web-1": "192.0.2.1", "web-2": { address: "192.0.2.2", connection: { user: "root" }, sshPort: 2222 } };
  expect(defined(drifting({ hosts: own }).data?.external.firewall_drift).query).toEqual({
    lockdowns: "null_resource.firewall_lockdown",
    private_key_path: "~/.ssh/id_ed25519",
  });
});

test("runs driftProgram word for word if it is given", () => {
  const driftProgram = ["/opt/drift", "--ssh-option", "User=${USER}"];
  expect(defined(drifting({ driftProgram }).data?.external.firewall_drift).program).toEqual([
    "/opt/drift",
    "--ssh-option",
    "User=$${USER}",
  ]);
});

test("creates the provider, or uses the user's own", () => {
  class OwnProvider extends TerraformProvider {
    public constructor(scope: TerraformStack) {
      super(scope, "own", {
        terraformResourceType: "external",
        terraformGeneratorMetadata: { providerName: "external", providerVersion: "2.3.4" },
        terraformProviderSource: "example/external",
      });
    }
  }
  const firewalls = (stack: TerraformStack): void => {
    ["a", "b"].forEach((id) => new SshOnlyFirewall(stack, id, { hosts, detectDrift: true }));
  };
  const created = configurationOf(stackOf(firewalls)) as WithDrift & { readonly terraform: unknown };
  expect(created.provider).toEqual({ external: [{}], null: [{}] });
  expect(created.terraform).toMatchObject({ required_providers: { external: { source: "hashicorp/external" } } });
  expect(Object.keys(created.check ?? {})).toEqual(["a_drift", "b_drift"]);
  const own = configurationOf(
    stackOf((stack) => {
      firewalls(stack);
      new OwnProvider(stack);
    }),
  );
  expect(own.provider?.external).toEqual([{}]);
  expect(own).toMatchObject({ terraform: { required_providers: { external: { source: "example/external" } } } });
});

test("is rejected if it makes no sense, with place and remedy", () => {
  const props = { hosts, detectDrift: "yes", driftProgram: "drift.sh" } as unknown as SshOnlyFirewallProps;
  const error = synthErrorOf((stack) => new SshOnlyFirewall(stack, "firewall", props));
  expect(error).toMatch(/detectDrift: must be true or false, not "yes"/);
  expect(error).toMatch(
    /driftProgram: must be a program and its arguments, a list of texts such as .*, not "drift\.sh"/,
  );
});

test.each([{}, { detectDrift: false }])("has no program to run with %p", (props) => {
  const error = synthErrorOf(
    (stack) => new SshOnlyFirewall(stack, "f", { hosts, driftProgram: ["drift.sh"], ...props }),
  );
  expect(error).toContain("driftProgram: has no effect unless detectDrift is true; set it, or leave this out");
});

test("can be set in a fleet file", () => {
  const { fleet, problems } = parseFleet("detectDrift: true\ndriftProgram: [drift.sh]\nhosts: { a: 192.0.2.1 }\n");
  expect(problems).toEqual([]);
  expect(fleet?.firewall.settings.driftProgram).toEqual(["drift.sh"]);
});
