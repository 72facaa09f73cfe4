/** Which hosts are sealed together: what Terraform makes of it is in test/e2e/killed.test.ts and killed-in-groups.test.ts. */
import { Lazy } from "cdktf";
import { hostSuffix } from "../../lib/contract/names";
import { AllowedSource } from "../../lib/index";
import { defined } from "../support/required";
import { type Configuration, synth } from "./support/configuration";

const hostsIn = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`web-${index}`, `192.0.2.${index}`]));

const sealsOf = ({ resource }: Configuration): string[] =>
  Object.keys(defined(resource.terraform_data)).filter((name) => name.startsWith("firewall_seal"));

test("up to 64 hosts are sealed each by itself, and more in 16 groups", () => {
  expect(sealsOf(synth({ hosts: hostsIn(64) }))).toHaveLength(64);
  const seals = sealsOf(synth({ hosts: hostsIn(100) }));
  expect(seals).toHaveLength(16);
  expect(sealsOf(synth({ hosts: hostsIn(65) })).length).toBeLessThanOrEqual(16);
  expect(seals).toContain("firewall_seal_16_00");
});

test("hosts that move between shards and waves keep their seals", () => {
  const hosts = hostsIn(100);
  const runs = (more: object): unknown[] =>
    Object.entries(synth({ hosts, ...more }).locals)
      .filter(([name]) => name.startsWith("firewall_seal_runs"))
      .map(([name, text]) => [name, [...String(text).matchAll(/"(web-\d+)"/g)].map(([, key]) => key).sort()]);
  const before = runs({});
  expect(before).toHaveLength(16);
  for (const layout of [{ shards: 4, movedFromShards: 1 }, { waves: [["web-1", "web-2"]] }, { shards: 10 }]) {
    expect(runs(layout)).toEqual(before);
  }
});

test("each host is in the runs of its group once, from its own lockdown", () => {
  const { locals } = synth({ hosts: hostsIn(100), shards: 10, waves: [["web-1"]] });
  const texts = Object.entries(locals).filter(([name]) => name.startsWith("firewall_seal_runs"));
  const keys = texts.flatMap(([, text]) => [...String(text).matchAll(/"(web-\d+)"/g)].map(([, key]) => key));
  expect(keys.sort()).toEqual(Object.keys(hostsIn(100)).sort());
  const ofWave = texts.filter(([, text]) =>
    /\["web-1"\] : key => local\.firewall_runs_wave_1_10_\d\[key\]/.test(String(text)),
  );
  expect(ofWave).toHaveLength(1);
});

/** The verbs that each resource runs, by its name; what goes on after a failure is marked. */
const verbsOf = ({ resource }: Configuration): Record<string, string> =>
  Object.fromEntries(
    [resource.null_resource, resource.terraform_data].flatMap((all) =>
      Object.entries(defined(all)).flatMap(([name, { provisioner = [] }]) =>
        /lockdown|relock/.test(name)
          ? [
              [
                name,
                provisioner
                  .map(({ "remote-exec": { inline, on_failure: goesOn } }) => {
                    const verb = /SSH_ONLY_VERB='(?:\$\{replace\(join\(" ", \["|)([a-z-]+)/.exec(inline.join(""))?.[1];
                    return `${verb}${goesOn === undefined ? "" : "?"}`;
                  })
                  .join(" "),
              ],
            ]
          : [],
      ),
    ),
  );

test("a probation is for the first wave, or for all hosts where there are none", () => {
  const [without, first] = ["lock confirm", "lock probation? confirm"];
  const hosts = hostsIn(2);
  const waves = [["web-0"]];
  expect(new Set(Object.values(verbsOf(synth({ hosts, waves }))))).toEqual(new Set([without]));
  expect(verbsOf(synth({ hosts, waves, probationSeconds: 600 }))).toEqual({
    firewall_lockdown_wave_1: first,
    firewall_lockdown: without,
    [`firewall_relock_${hostSuffix("web-0").slice(1)}`]: first,
    [`firewall_relock_${hostSuffix("web-1").slice(1)}`]: without,
  });
  expect(new Set(Object.values(verbsOf(synth({ hosts, probationSeconds: 600 }))))).toEqual(new Set([first]));
});

test("a lockdown waits for the ruleset only where Terraform checks that one", () => {
  const hash = (source: AllowedSource): unknown =>
    synth({ hosts: hostsIn(1), allowFrom: [source] }).locals.firewall_ruleset_sha256;
  expect(hash(AllowedSource.of("192.0.2.0/24"))).not.toContain("null_resource");
  expect(hash(AllowedSource.ipv4(Lazy.stringValue({ produce: () => "192.0.2.9" })))).toContain(
    "null_resource.firewall_ruleset",
  );
});
