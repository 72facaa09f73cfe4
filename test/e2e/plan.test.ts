/** What a reviewer sees before a deploy, and what nobody sees in it. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { defined, items } from "../support/required";
import { type HostProps, SshOnlyFirewall } from "../../lib/index";
import { hostSuffix } from "../../lib/contract/names";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { cdktf, nullProvider, synthStack } from "../lab/terraform";
import { controllerOnly, type DeploymentProps, hostEntry } from "./support/deployment";
import {
  changesIn,
  lockIdOf,
  lockedHosts,
  type PlanJson,
  TRACKERS,
  type TrackedDeployment,
  Tracking,
} from "./support/tracked-deployment";

jest.setTimeout(300_000);

const oneMore = [...controllerOnly, "198.51.100.7"];

/** A host that says nothing of its own policy, so that it has the shared ruleset. */
const entryOf = (lab: Lab, host: Host): HostProps => hostEntry(lab, host, { sshPort: undefined });
const entriesOf = (lab: Lab, hosts: readonly Host[]): Record<string, HostProps> =>
  Object.fromEntries(hosts.map((host) => [host.name, entryOf(lab, host)]));

/** The part of a plan that is about one resource. */
function blocksIn(plan: string): Map<string, string> {
  const parts = plan.split(/^ {2}# (?=\w+\.\S+ (?:must|will))/m).slice(1);
  return new Map(parts.map((part) => [part.replace(/ .*/s, ""), part.replace(/^Plan:.*/ms, "")]));
}

/** Lines that a plan would add or take away, without their mark and indent. */
function changedLines(block: string): Array<[string, string]> {
  const lines = [...block.matchAll(/^ *([-+~]) (?!resource)(.*)$/gm)];
  return lines.map(([, mark = "", line = ""]) => [mark, line.trim()]);
}

const number = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `web-${String(i + 1).padStart(2, "0")}`);

describeLab("a plan", () => {
  describe.each(TRACKERS)("with %s", (tracker) => {
    let lab: Lab;
    let tracking: Tracking;
    let deployment: TrackedDeployment;
    /** Thirty hosts are deployed from the start; four others are for further deployments. */
    let hosts: Record<string, HostProps>;
    let three: readonly Host[];
    let spare: Host;
    let applied: DeploymentProps;
    const planOf = async (props: DeploymentProps): Promise<string> =>
      (await (await deployment.prepare(props)).plan()).stdout;

    beforeAll(async () => {
      const firewalls = ["nftables", "iptables-nft", "iptables-legacy"] as const;
      lab = await Lab.create({
        hosts: number(34).map((name, index) => ({ name, firewall: firewalls[index] ?? "nftables" })),
      });
      tracking = await Tracking.with(lab, tracker);
      deployment = tracking.deployment();
      hosts = entriesOf(lab, lab.hosts.slice(0, 30));
      three = lab.hosts.slice(30, 33);
      spare = defined(lab.hosts[33]);
      applied = { hosts };
      await deployment.apply(applied);
    });
    afterAll(async () => {
      tracking?.stop();
      await lab?.destroy();
    });

    test("of an unchanged configuration is empty", async () => {
      const plan = await (await deployment.prepare(applied)).plan();
      expect(plan.hasChanges).toBe(false);
      expect(plan.stdout).toContain("No changes. Your infrastructure matches the configuration.");
    });

    test("of one more source shows the lines of the ruleset once, and for each of 30 hosts one line and its seal", async () => {
      const blocks = blocksIn(await planOf({ ...applied, allowFrom: oneMore }));
      const names = Object.keys(hosts);
      expect([...blocks.keys()].sort()).toEqual(
        [
          ...names.map((name) => `${tracker}.firewall_lockdown["${name}"]`),
          `${tracker}.firewall_ruleset["shared"]`,
          ...names.map((name) => `terraform_data.firewall_seal${hostSuffix(name)}["${name}"]`),
        ].sort(),
      );

      // Whatever is not about the source is shown as unchanged.
      const changed = changedLines(blocks.get(`${tracker}.firewall_ruleset["shared"]`) as string);
      const rules = changed.filter(([mark, line]) => mark !== "~" && !/^#|triggers/.test(line));
      expect(rules.filter(([mark]) => mark === "+").every(([, line]) => line.includes("198.51.100.7"))).toBe(true);
      expect(rules.filter(([mark]) => mark === "-").every(([, line]) => line.includes("10.77.0.1"))).toBe(true);
      expect(rules).toContainEqual(["+", "-A SSH_ONLY_IN -s 198.51.100.7 -p tcp -m tcp --dport 22 -j ACCEPT"]);
      expect(rules).toContainEqual(["+", "ip saddr { 10.77.0.1, 198.51.100.7 } tcp dport 22 accept"]);
      expect(changed).toContainEqual(["+", "#       from 198.51.100.7"]);
      expect(changed.length).toBeLessThan(25);
      expect([...blocks.values()].filter((block) => block.includes("198.51.100.7"))).toHaveLength(1);

      for (const name of names) {
        const lines = changedLines(blocks.get(`${tracker}.firewall_lockdown["${name}"]`) as string);
        const isKept = ([, line]: readonly [string, string]): boolean =>
          /^"?(planned_at|keys_checked|input|output)\b/.test(line);
        expect(lines.filter((line) => !isKept(line))).toEqual([
          ["~", expect.stringMatching(/^id +=/)],
          ["~", expect.stringMatching(/^triggers/)],
          ["~", expect.stringMatching(/^"?ruleset_sha256"? += "[0-9a-f]{64}" -> "[0-9a-f]{64}"/)],
        ]);
      }
    });

    test("of one more source shows the same of the ruleset for three hosts as for thirty", async () => {
      const rulesetIn = (plan: string): string =>
        (blocksIn(plan).get(`${tracker}.firewall_ruleset["shared"]`) as string).replace(/ id +=.*/, "");
      const smaller = tracking.deployment();
      const few = entriesOf(lab, three);
      await smaller.apply({ hosts: few });
      const terraform = await smaller.prepare({ hosts: few, allowFrom: oneMore });
      const plan = (await terraform.plan()).stdout;
      expect(blocksIn(plan).size).toBe(1 + 2 * 3);
      expect(rulesetIn(plan)).toBe(rulesetIn(await planOf({ ...applied, allowFrom: oneMore })));
    });

    test("of one more or one fewer host contains that host only", async () => {
      const { "web-30": last, ...others } = hosts;
      expect(await deployment.planned({ hosts: others })).toEqual(["delete hold.web-30", "delete lockdown.web-30"]);
      expect(
        await deployment.planned({ hosts: { ...hosts, another: { ...defined(last), address: "10.77.0.253" } } }),
      ).toEqual(["create hold.another", "create lockdown.another"]);
    });

    test("of one host with its own ruleset contains that host and its ruleset only", async () => {
      const own = { ...hosts, "web-02": { ...defined(hosts["web-02"]), allowFrom: oneMore } };
      expect(await deployment.planned({ hosts: own })).toEqual([
        "create ruleset.web-02",
        "delete,create lockdown.web-02",
      ]);
    });

    test.each<[string, DeploymentProps]>([
      ["confirmWithinSeconds", { confirmWithinSeconds: 30 }],
      ["skipPreflight", { skipPreflight: true }],
      ["takeOver", { takeOver: true }],
      ["takeOver of the same stack", { takeOver: "same-stack" }],
      ["onDestroy", { onDestroy: "leave-locked" }],
    ])("of %s alone is empty", async (_, props) => {
      expect((await (await deployment.prepare({ ...applied, ...props })).plan()).hasChanges).toBe(false);
    });

    test("of a shared timeout alone is empty", async () => {
      const withTimeout = (timeoutSeconds: number): DeploymentProps => ({
        hosts: Object.fromEntries(
          Object.entries(hosts).map(([name, host]) => [
            name,
            { ...host, connection: { ...host.connection, timeoutSeconds } },
          ]),
        ),
      });
      expect((await (await deployment.prepare(withTimeout(17))).plan()).hasChanges).toBe(false);
    });

    test("needs no private key", async () => {
      const key = join(lab.makeFolder("key"), "id");
      copyFileSync(lab.privateKeyPath, key);
      const another = tracking.deployment();
      const connection = { privateKeyPath: key, hostKey: spare.hostKey };
      const props = (allowFrom: string[]): DeploymentProps => ({
        allowFrom,
        hosts: { [spare.name]: { address: spare.ipv4, connection } },
      });
      await another.apply(props(controllerOnly));
      rmSync(key);
      const changes = [`delete,create lockdown.${spare.name}`, "delete,create ruleset.shared"];
      expect(await another.planned(props(oneMore))).toEqual(changes);
      const terraform = await another.prepare(props(controllerOnly));
      expect((await terraform.plan()).hasChanges).toBe(false);
      expect((await terraform.plan(["-destroy"])).stdout).toContain("Plan: 0 to add, 0 to change, 4 to destroy.");

      // The apply that needs it names it.
      const failed = await another.tryApply(props(oneMore));
      expect(failed.code).toBe(1);
      expect(failed.stderr.replace(/[\s│]/g, "")).toContain(
        `theprivatekey${key}cannotbereadwhereTerraformruns:correctthepath`,
      );
      copyFileSync(lab.privateKeyPath, key);
      await another.destroy();
      expect(await lockedHosts([spare])).toEqual([]);
    });

    test("and the state hold byte for byte what the hosts loaded", async () => {
      interface State {
        values: {
          root_module: {
            resources: Array<{ name: string; index: string; values: Record<"triggers" | "triggers_replace", unknown> }>;
          };
        };
      }
      const terraform = await deployment.prepare(applied);
      const state = await terraform.showJson<State>();
      const [ruleset] = items(
        state.values.root_module.resources.filter(({ name }) => name === "firewall_ruleset"),
        1,
      );
      const texts = (ruleset.values.triggers ?? ruleset.values.triggers_replace) as Record<string, string>;
      const sha256 = createHash("sha256")
        .update(defined(texts.nftables) + defined(texts.iptables) + texts.ip6tables)
        .digest("hex");

      const plan = await (await deployment.prepare(applied)).plan(["-destroy"]);
      for (const line of defined(texts.nftables)
        .split("\n")
        .filter((one) => one !== "")) {
        expect(plan.stdout).toContain(line);
      }
      const kinds = {
        "web-01": ["nftables"],
        "web-02": ["iptables", "ip6tables"],
        "web-03": ["iptables", "ip6tables"],
      };
      for (const [name, files] of Object.entries(kinds)) {
        const record = `/var/lib/ssh-only-firewall/records/${await lockIdOf(lab.host(name))}`;
        const read = async (file: string): Promise<string> =>
          (await lab.host(name).exec(`cat ${record}/${file} && printf .`)).stdout.slice(0, -1);
        for (const file of files) {
          expect(await read(file)).toBe(texts[file]);
        }
        expect(await read("meta")).toContain(`\nruleset=${sha256}\n`);
      }
    });

    test("and state, logs and files hold no line of the private key", async () => {
      const key = readFileSync(lab.privateKeyPath, "utf8");
      // The first lines of every such key say what kind of key it is.
      const secrets = key
        .split("\n")
        .filter((line) => line.length > 20 && !line.startsWith("-----"))
        .slice(2);
      expect(secrets.length).toBeGreaterThan(1);

      const logs = lab.makeFolder("logs");
      const log = (name: string): { env: Record<string, string> } => ({
        env: { TF_LOG: "debug", TF_LOG_PATH: join(logs, name) },
      });
      const terraform = await deployment.prepare({ ...applied, allowFrom: oneMore });
      const plan = await terraform.plan([], log("plan"));
      const shown = JSON.stringify(await terraform.showJson(plan.file));
      const result = await terraform.apply([plan.file], log("apply"));
      const state = JSON.stringify(await terraform.showJson());
      const [one] = items(Object.keys(hosts), 1);
      const { [one]: taken, ...others } = hosts;
      expect(taken).toBeDefined();
      const unlocked = await (await deployment.prepare({ hosts: others })).apply([], log("destroy"));
      await deployment.apply(applied);

      expect(changesIn(JSON.parse(shown) as PlanJson)).toHaveLength(31);
      const texts = new Map([
        ...[plan.stdout, shown, result.stdout, result.stderr, state, unlocked.stdout, unlocked.stderr].map(
          (text, index) => [`output ${index}`, text] as const,
        ),
        ...[...filesIn(logs), ...filesIn(terraform.folder)].map(
          (file) => [file, readFileSync(file, "latin1")] as const,
        ),
      ]);
      expect([...texts.values()].join("").length).toBeGreaterThan(100_000);
      for (const name of ["plan", "apply", "destroy"]) {
        expect(texts.get(join(logs, name))).toContain("[DEBUG]");
      }
      const found = [...texts].filter(([, text]) => secrets.some((secret) => text.includes(secret)));
      expect(found.map(([name]) => name)).toEqual([]);
    });
  });
});

describeLab("cdktf with its own command", () => {
  test("deploys, shows the difference, and destroys", async () => {
    const lab = await Lab.create({
      hosts: [{ name: "web-1" }, { name: "db-1", user: "ops", firewall: "iptables-nft" }],
    });
    const provider = await nullProvider(lab);
    try {
      const synth = (allowFrom: readonly string[], outdir?: string) =>
        synthStack(
          lab,
          (stack) => new SshOnlyFirewall(stack, "firewall", { allowFrom, hosts: entriesOf(lab, lab.hosts) }),
          { outdir },
        );
      const stack = synth(controllerOnly);
      const deployed = await cdktf(lab, stack, "deploy", { provider });
      expect(deployed.stdout).toMatch(/firewall_lockdown .*\["web-1"\] \(remote-exec\): .*The host is locked\./);
      expect(await lockedHosts(lab.hosts)).toEqual(["web-1", "db-1"]);

      const same = await cdktf(lab, stack, "diff", { provider });
      expect(same.stdout).toContain("No changes. Your infrastructure matches the configuration.");
      synth(oneMore, stack.outdir);
      const diff = await cdktf(lab, stack, "diff", { provider });
      expect(diff.stdout).toContain("Plan: 5 to add, 0 to change, 5 to destroy.");
      expect(diff.stdout.match(/\+\s+-A SSH_ONLY_IN -s 198\.51\.100\.7 -p tcp/g)).toHaveLength(1);
      expect(await lockedHosts(lab.hosts)).toEqual(["web-1", "db-1"]);

      await cdktf(lab, stack, "destroy", { provider });
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    } finally {
      provider.stop();
      await lab.destroy();
    }
  });
});

function filesIn(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => existsSync(file) && statSync(file).isFile());
}
