/** Hosts spread over shards and waves: which resources there are, and what each knows of the others. */
import { hostSuffix } from "../../lib/contract/names";
import { defined, items } from "../support/required";
import { type HostProps, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { shardOf } from "../../lib/terraform/layout";
import {
  type Block,
  type Configuration,
  configurationOf,
  stackOf,
  synth,
  synthErrorOf,
  textOf,
  warningsOf,
} from "./support/configuration";

const hosts = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`web-${index}`, `192.0.2.${index + 1}`]));
const resources = (configuration: Configuration): Readonly<Record<string, Block>> =>
  defined(configuration.resource.null_resource);
const moved = (configuration: Configuration): Array<{ from: string; to: string }> | undefined =>
  (configuration as unknown as { moved?: Array<{ from: string; to: string }> }).moved;
const local = (configuration: Configuration, name: string): unknown => configuration.locals[`firewall_${name}`];
const problemsWith = (props: SshOnlyFirewallProps): string =>
  synthErrorOf((stack) => new SshOnlyFirewall(stack, "firewall", props));

describe("shards", () => {
  const configuration = synth({ hosts, shards: 4 });

  test("have a hold and a lockdown each, with the hosts whose names fall into them", () => {
    const shards = [0, 1, 2, 3];
    expect(Object.keys(resources(configuration)).sort()).toEqual(
      [
        ...shards.flatMap((shard) => [`firewall_hold_4_${shard}`, `firewall_lockdown_4_${shard}`]),
        "firewall_ruleset",
      ].sort(),
    );
    for (const shard of shards) {
      expect(Object.keys(local(configuration, `hosts_4_${shard}`) as object)).toEqual(
        Object.keys(hosts)
          .sort()
          .filter((key) => shardOf(key, 4) === shard),
      );
      expect(defined(resources(configuration)[`firewall_lockdown_4_${shard}`]).triggers?.hold).toBe(
        `\${local.firewall_hold_ids_4_${shard}[each.key]}`,
      );
      expect(local(configuration, `hold_ids_4_${shard}`)).toContain(` null_resource.firewall_hold_4_${shard} `);
    }
  });

  test("keep the other hosts in place if one is removed", () => {
    const { "web-3": address, ...others } = hosts;
    const after = synth({ hosts: others, shards: 4 });
    for (const name of [0, 1, 2, 3].map((shard) => `hosts_4_${shard}`)) {
      const here = name === `hosts_4_${shardOf("web-3", 4)}` ? { "web-3": { address, ruleset: "shared" } } : {};
      expect({ ...(local(after, name) as object), ...here }).toEqual(local(configuration, name));
    }
  });

  test("are all in the output of what is locked", () => {
    const locked = local(configuration, "locked_hosts") as string;
    const all = Object.keys(hosts).map((key) => hostSuffix(key));
    expect(locked).toContain(
      `{ for key, run in merge(${all
        .map((suffix) => `local.firewall_sealed${suffix}`)
        .sort()
        .join(", ")}) : key => `,
    );
    all.forEach((suffix) =>
      expect(local(configuration, `seal_runs${suffix}`)).toContain("null_resource.firewall_lockdown_4_"),
    );
    expect(local(configuration, "runs_4_3")).toContain(" in null_resource.firewall_lockdown_4_3 ");
  });

  test("know at unlock only the hosts that can be in them", () => {
    const mixed = synth({
      shards: 4,
      hosts: Object.fromEntries(
        Object.entries(hosts).map(([key, address]) => [key, { address, connection: { user: `user-of-${key}` } }]),
      ),
    });
    // In both provisioners: unlock, and its confirm.
    const users = JSON.stringify(defined(resources(mixed).firewall_hold_4_2).provisioner).match(/user-of-web-\d+/g);
    expect([...new Set(users)]).toEqual(
      Object.keys(hosts)
        .sort()
        .filter((key) => shardOf(key, 4) === 2)
        .map((key) => `user-of-${key}`),
    );
  });

  test("move each host's hold and lockdown if their number changes", () => {
    const few = { hosts: { "web-1": "192.0.2.1", "web-2": "192.0.2.2" }, waves: [["web-2"]] };
    const [one, two] = [shardOf("web-1", 4), shardOf("web-2", 4)];
    expect(moved(synth({ ...few, shards: 4, movedFromShards: 1 }))).toEqual([
      { from: 'null_resource.firewall_hold["web-1"]', to: `null_resource.firewall_hold_4_${one}["web-1"]` },
      { from: 'null_resource.firewall_lockdown["web-1"]', to: `null_resource.firewall_lockdown_4_${one}["web-1"]` },
      { from: 'null_resource.firewall_hold["web-2"]', to: `null_resource.firewall_hold_4_${two}["web-2"]` },
      {
        from: 'null_resource.firewall_lockdown_wave_1["web-2"]',
        to: `null_resource.firewall_lockdown_wave_1_4_${two}["web-2"]`,
      },
    ]);
    expect(moved(synth({ ...few, shards: 4 }))).toBeUndefined();
  });

  test("move from one number to the next if there were several", () => {
    const one = { hosts: { "web-1": "192.0.2.1" }, shards: 4 };
    const ways = moved(synth({ ...one, movedFromShards: [1, 2] }))?.filter(({ from }) => from.includes("hold"));
    const [, middle] = [1, 2].map((shards) => `null_resource.firewall_hold_2_${shardOf("web-1", shards)}["web-1"]`);
    expect(ways).toEqual([
      { from: 'null_resource.firewall_hold["web-1"]', to: middle },
      { from: middle, to: `null_resource.firewall_hold_4_${shardOf("web-1", 4)}["web-1"]` },
    ]);
  });

  test("keep the previous holds without hosts, for hosts that are removed meanwhile", () => {
    const connection = { user: "ops", port: 2222 };
    const before = synth({ hosts: { "web-1": { address: "192.0.2.1", connection } } });
    const after = synth({ hosts: { "web-2": "192.0.2.2" }, shards: 2, movedFromShards: 1 });
    const { firewall_hold: former } = resources(after);
    expect(defined(former).for_each).toBe("${local.firewall_no_hosts}");
    expect(local(after, "no_hosts")).toEqual({});
    const [unlock] = items(defined(former).provisioner ?? [], 1);
    expect(unlock["remote-exec"].when).toBe("destroy");
    expect(unlock["remote-exec"].inline).toEqual(
      defined(defined(resources(before).firewall_hold).provisioner?.[0])["remote-exec"].inline,
    );
    expect(unlock["remote-exec"].connection).toMatchObject({
      host: "${self.triggers.address}",
      user: "${try(self.triggers.user, null)}",
    });
  });

  test("of two firewalls in a stack move side by side", () => {
    const stack = stackOf((scope) => {
      new SshOnlyFirewall(scope, "one", { hosts: { a: "192.0.2.1" }, shards: 2, movedFromShards: 1 });
      new SshOnlyFirewall(scope, "two", { hosts: { a: "192.0.2.2" }, shards: 2, movedFromShards: 1 });
    });
    expect(moved(configurationOf(stack))?.map(({ from }) => from)).toEqual([
      'null_resource.one_hold["a"]',
      'null_resource.one_lockdown["a"]',
      'null_resource.two_hold["a"]',
      'null_resource.two_lockdown["a"]',
    ]);
  });

  test("are suggested for a large fleet, with the way to get there", () => {
    const many = Object.fromEntries(
      Array.from({ length: 501 }, (_, index) => [`h-${index}`, `h-${index}.example.com`]),
    );
    const [without, sharded] = [1, 2].map((shards) => {
      const made: SshOnlyFirewall[] = [];
      textOf(stackOf((scope) => made.push(new SshOnlyFirewall(scope, "firewall", { hosts: many, shards }))));
      return made.flatMap(warningsOf).join("\n");
    });
    expect(without).toContain("set shards to 64, and movedFromShards to 1");
    expect(sharded).not.toContain("shards");
  });
});

describe("waves", () => {
  const waves = [["web-1"], ["web-2", "web-3"]];
  const configuration = synth({ hosts, waves });

  test("have a lockdown each, which waits for that of the wave before", () => {
    expect(Object.keys(resources(configuration)).sort()).toEqual([
      "firewall_hold",
      "firewall_lockdown",
      "firewall_lockdown_wave_1",
      "firewall_lockdown_wave_2",
      "firewall_ruleset",
    ]);
    const {
      firewall_lockdown: rest,
      firewall_lockdown_wave_1: first,
      firewall_lockdown_wave_2: second,
    } = resources(configuration);
    expect([first, second, rest].map((block) => block?.depends_on)).toEqual([
      [],
      ["null_resource.firewall_lockdown_wave_1"],
      ["null_resource.firewall_lockdown_wave_2"],
    ]);
    expect([first, second, rest].map((block) => block?.for_each)).toEqual([
      "${local.firewall_hosts_wave_1}",
      "${local.firewall_hosts_wave_2}",
      "${local.firewall_hosts_rest}",
    ]);
  });

  test("select their hosts from the entries of all", () => {
    expect(["hosts_wave_2", "hosts_rest"].map((name) => local(configuration, name))).toEqual([
      '${{ for key, host in local.firewall_hosts : key => host if contains(["web-2", "web-3"], key) }}',
      '${{ for key, host in local.firewall_hosts : key => host if !contains(["web-1", "web-2", "web-3"], key) }}',
    ]);
  });

  test("of which one is empty keep their numbers and their order", () => {
    const { resource } = synth({ hosts, waves: [["web-1"], [], ["web-2"]], tracker: "terraform_data" });
    const resources = defined(resource.terraform_data);
    expect(Object.keys(resources).filter((name) => name.includes("wave"))).toEqual([
      "firewall_lockdown_wave_1",
      "firewall_lockdown_wave_3",
    ]);
    expect(defined(resources.firewall_lockdown_wave_3).depends_on).toEqual(["terraform_data.firewall_lockdown_wave_1"]);
  });

  test("come after what the firewall depends on, and all wait for all shards of the wave before", () => {
    const many = { hosts, waves: [["web-1"], ["web-2", "web-3", "web-4", "web-5"]], shards: 2 };
    const both = synth(many);
    const first = `firewall_lockdown_wave_1_2_${shardOf("web-1", 2)}`;
    const second = ["firewall_lockdown_wave_2_2_0", "firewall_lockdown_wave_2_2_1"];
    for (const [name, waitsFor] of [
      [first, []],
      // Of one resource, itself; of several, one local that needs them all, or the graph would grow with their product.
      ...second.map((one) => [one, [`null_resource.${first}`]] as const),
      ...["firewall_lockdown_2_0", "firewall_lockdown_2_1"].map(
        (one) => [one, ["local.firewall_locked_wave_2"]] as const,
      ),
    ] as const) {
      expect([name, defined(resources(both)[name]).depends_on]).toEqual([name, waitsFor]);
    }
    expect(local(both, "locked_wave_2")).toBe(
      `\${[${second.map((one) => `length(null_resource.${one})`).join(", ")}]}`,
    );
    expect(local(both, "locked_wave_1")).toBeUndefined();
  });
});

describe("the configuration of a large fleet", () => {
  const sizeOf = (count: number): number =>
    textOf(
      stackOf((stack) => {
        const many = Array.from({ length: count }, (_, index): [string, string] => [
          `host-${String(index).padStart(4, "0")}`,
          `10.0.${100 + Math.floor(index / 100)}.${100 + (index % 100)}`,
        ]);
        new SshOnlyFirewall(stack, "firewall", { hosts: Object.fromEntries(many), shards: 16 });
      }),
    ).length;

  test("grows by as much for every host, and by less than 500 characters", () => {
    const [few, more, most] = items([1000, 2000, 3000].map(sizeOf), 3);
    expect(Math.abs(most - more - (more - few)) / 1000).toBeLessThan(2);
    // Unlock and its confirm each have all names and addresses, for a destroy provisioner may refer to no local.
    expect((most - few) / 2000).toBeLessThan(500);
  });

  test("grows by as much for every host that has rules of its own, and by little more than their text", () => {
    const lengthOf = (count: number): number =>
      textOf(
        stackOf((stack) => {
          const own = Array.from({ length: count }, (_, index): [string, HostProps] => [
            `host-${String(100 + index)}`,
            { address: `10.0.0.${index}`, sshPort: 20_000 + index },
          ]);
          new SshOnlyFirewall(stack, "firewall", { hosts: Object.fromEntries(own), shards: 4 });
        }),
      ).length;
    const [few, more, most] = items([150, 200, 250].map(lengthOf), 3);
    expect(Math.abs(most - more - (more - few)) / 50).toBeLessThan(2);
    const { nftables, iptables, ip6tables } = (local(synth({ hosts }), "rulesets") as Record<string, Block>)
      .shared as unknown as Record<string, string>;
    expect((most - few) / 100).toBeLessThan(1.3 * JSON.stringify([nftables, iptables, ip6tables]).length);
  });

  test("has no edge between its rulesets and its lockdowns, which have the texts from the same local", () => {
    const configuration = synth({ hosts, shards: 4 });
    const lockdowns = Object.entries(resources(configuration)).filter(([name]) => name.includes("lockdown"));
    expect(JSON.stringify(lockdowns)).not.toContain("null_resource.firewall_ruleset");
    expect(JSON.stringify(lockdowns)).toContain("local.firewall_rulesets[each.value.ruleset].nftables");
    expect(defined(resources(configuration).firewall_ruleset).for_each).toBe("${local.firewall_rulesets}");
  });

  test("has each ruleset and the host program once", () => {
    const text = JSON.stringify(synth({ hosts, shards: 4 }));
    expect(text.match(/SSH-only firewall, for nftables/g)).toHaveLength(1);
    expect(text.match(/arm_watchdog\(\) \{/g)).toHaveLength(1);
  });
});

describe("an impossible layout", () => {
  test.each([
    [{ shards: 0 }, "shards: must be a whole number from 1 to 256, not 0"],
    [
      { shards: 4, movedFromShards: 4 },
      "movedFromShards: has 4, which is the current value of shards, so there is nothing to move from there; take it out",
    ],
    [{ shards: 4, movedFromShards: [1, 4] }, "movedFromShards: has 4, which is the current value of shards"],
    [
      { shards: 4, movedFromShards: [1, 2, 1] },
      "movedFromShards: has 1 twice; name each number once, the oldest first",
    ],
    [
      { shards: 4, movedFromShards: [1, "2"] },
      "movedFromShards[1]: must be a number, not text; did you mean 2 without quotes?",
    ],
    [{ waves: ["web-1"] }, 'waves[0]: must be a list; did you mean ["web-1"]?'],
    [{ waves: [["wb-1"]] }, 'waves[0][0]: "wb-1" is not a host of this firewall; did you mean "web-1"?'],
    [{ waves: [["web-1"], ["web-2", "web-1"]] }, 'waves[1][1]: "web-1" is in a wave already; take it out of one'],
    [{ waves: [[7]] }, "waves[0][0]: must be text, not 7"],
  ])("%j is rejected with its place", (props, problem) => {
    expect(problemsWith({ hosts, ...(props as object) })).toContain(problem);
  });
});
