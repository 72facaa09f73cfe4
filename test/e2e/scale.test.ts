/** What a change of a large fleet touches, by plans that the real Terraform made. */
import { defined, items } from "../support/required";
import { PolicyException, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { describeWith } from "../terraform/support/real-tools";
import { Project } from "./support/plan-project";
import { changesIn, type PlanJson } from "./support/tracked-deployment";

jest.setTimeout(300_000);

const address = (index: number): string => `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
const entries = Array.from({ length: 400 }, (_, index): [string, string] => [`web-${index}`, address(index)]);
const [[firstKey, firstAddress], ...others] = items(entries, 1);
const hosts = Object.fromEntries(entries);
const shards = 16;

describeWith("a fleet of 400 hosts in 16 shards", ["terraform"], () => {
  const project = new Project();
  const configuration = (props: SshOnlyFirewallProps) =>
    project.configuration((stack) => {
      new SshOnlyFirewall(stack, "firewall", { tracker: "terraform_data", allowFrom: ["192.0.2.0/24"], ...props });
    });
  const planned = async (props: SshOnlyFirewallProps): Promise<string[]> => {
    const { json } = await project.plan(configuration({ shards, hosts, ...props }));
    return changesIn(JSON.parse(json) as PlanJson).map((change) => change.replace(/_16_\d\d\./, "."));
  };

  beforeAll(async () => {
    await project.apply(configuration({ hosts: { [firstKey]: firstAddress } }));
    project.multiply(firstKey, firstAddress, others);
    await project.apply(configuration({ hosts, shards, movedFromShards: 1 }));
  });
  afterAll(() => project.remove());

  test("that came from one shard has an empty plan", async () => {
    expect(await planned({})).toEqual([]);
  });

  test("with one host removed and one added plans these two and no other", async () => {
    const without = Object.fromEntries(entries.filter(([key]) => key !== "web-7"));
    expect(await planned({ hosts: { ...without, "new-1": "10.1.0.1" } })).toEqual([
      "create hold.new-1",
      "create lockdown.new-1",
      "delete hold.web-7",
      "delete lockdown.web-7",
    ]);
  });

  test("with one host that gets its own rules plans that host's lockdown and its ruleset", async () => {
    const own = { address: defined(hosts["web-7"]), exceptions: [PolicyException.ping()] };
    expect(await planned({ hosts: { ...hosts, "web-7": own } })).toEqual([
      "create ruleset.web-7",
      "delete,create lockdown.web-7",
    ]);
  });

  test("with another ruleset plans one text, and every lockdown once", async () => {
    const changes = await planned({ exceptions: [PolicyException.ping()] });
    expect(changes.filter((change) => !change.includes("lockdown."))).toEqual(["delete,create ruleset.shared"]);
    expect(changes.filter((change) => change.startsWith("delete,create lockdown."))).toHaveLength(400);
  });
});
