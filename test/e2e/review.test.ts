/** Reviews of plans that the real Terraform made, of what a fleet goes through with either tracker. */
import { DataResource, type TerraformStack } from "cdktf";
import { defined } from "../support/required";
import { PolicyException, SshOnlyFirewall } from "../../lib/index";
import { expectGolden } from "../review/support/golden";
import { type Configuration } from "./support/plan-project";
import {
  allowFrom,
  connection,
  describeReviews,
  details,
  hosts,
  kinds,
  outcomes,
  reviewed,
  TRACKERS,
} from "./support/describe-reviews";

describeReviews("the review of a plan", ({ project, firewall, change }) => {
  describe.each(TRACKERS)("with %s", (tracker) => {
    test("of a first lock shows who is locked, and the whole ruleset", async () => {
      const review = await change(undefined, { tracker, hosts: hosts(2) });
      expect(kinds(review)).toEqual([]);
      expect(outcomes(review)).toEqual({ "web-1": "first", "web-2": "first" });
      expectGolden("first-lock.md", review.markdown);
    });

    test("of no change reports that, and the state of the fleet", async () => {
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: hosts(2) });
      expect(review.planned.text).toContain("No changes.");
      expectGolden("nothing-to-do.md", review.markdown);
      const first = await change(undefined, { tracker, hosts: hosts(2) });
      expect(review.fingerprint).toBe(first.fingerprint);
    });

    test("of a removed host names it first", async () => {
      const review = await change({ hosts: hosts(3) }, { tracker, hosts: hosts(2) });
      expect(kinds(review)).toEqual(["opened"]);
      expectGolden("host-removed.md", review.markdown);
    });

    test("of a removed host that stays locked reports that nothing opens it", async () => {
      const review = await change({ hosts: hosts(3) }, { tracker, hosts: hosts(2), onDestroy: "leave-locked" });
      expect(details(review, "left-locked")).toEqual([
        "web-3: 10.0.0.3: no unlock runs, because onDestroy is leave-locked",
      ]);
      expect(kinds(review)).toEqual(["left-locked"]);
    });

    test("of a new address names both", async () => {
      const moved = { ...hosts(2), "web-2": "203.0.113.9" };
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: moved });
      expect(kinds(review)).toEqual(["address"]);
      expect(details(review, "address")).toEqual([
        "web-2: 10.0.0.2 becomes 203.0.113.9; the old address is unlocked and open",
      ]);
      expectGolden("address-changed.md", review.markdown);
    });

    test("of a removed firewall reports that its hosts stay locked", async () => {
      const made = await project(tracker);
      const keep = (stack: TerraformStack): void => void new DataResource(stack, "kept", { input: { a: "b" } });
      await made.apply(firewall(made, { tracker, hosts: hosts(3) }, keep));
      const review = reviewed(await made.plan(made.configuration(keep)));
      expect(kinds(review)).toEqual(["left-locked"]);
      expect(outcomes(review)).toEqual({ "web-1": "leave", "web-2": "leave", "web-3": "leave" });
      expect([...review.others]).toEqual([]);
      expectGolden("construct-deleted.md", review.markdown);
    });

    test("of a tainted host reports that it is locked again", async () => {
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

    test("of another host program reports that all hosts are locked again", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(2) });
      const locals = { ...(configuration.locals as object), ssh_only_firewall_version: "ba9876543210" };
      const older = { ...configuration, locals } as Configuration;
      await made.apply(older);
      const review = reviewed(await made.plan(configuration));
      expect(kinds(review)).toEqual([]);
      expect(review.rulesetChanges).toEqual([]);
      expect(review.markdown).toContain("`ba9876543210` becomes `0123456789ab`, the one of this version");
      const back = await made.plan(older);
      expect(reviewed(back).markdown).not.toContain("ba9876543210");
    });

    test("of a changed persist locks that host again, and shows the new value", async () => {
      const [on, off] = [hosts(3), { ...hosts(3), "web-2": { address: "10.0.0.2", persist: false } }];
      const only = { "web-1": "stay", "web-2": "relock", "web-3": "stay" };
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: on }));
      const without = reviewed(await made.plan(firewall(made, { tracker, hosts: off })));
      expect([outcomes(without), kinds(without)]).toEqual([only, []]);
      expect(defined(without.hosts[1]).why).toEqual(["its persist changes"]);
      expect(without.planned.text).toMatch(/\+ "?persist"? += "false"/);
      expect(without.markdown).toContain("- Locked across restarts: `no, a restart opens the host`.");

      await made.apply(firewall(made, { tracker, hosts: off }));
      expect((await made.plan(firewall(made, { tracker, hosts: off }))).text).toContain("No changes.");
      const again = reviewed(await made.plan(firewall(made, { tracker, hosts: on })));
      expect([outcomes(again), kinds(again)]).toEqual([only, []]);
      expect(again.markdown).toContain("- Locked across restarts: `yes`.");
      // For all hosts together: those that had it already are left alone.
      const all = reviewed(await made.plan(firewall(made, { tracker, hosts: on, persist: false })));
      expect(outcomes(all)).toEqual({ "web-1": "relock", "web-2": "stay", "web-3": "relock" });
    });

    test("of hosts without a pinned host key names them, and only those", async () => {
      const one = { ...hosts(2), "web-1": { address: "10.0.0.1", connection } };
      expect(details(await change(undefined, { tracker, hosts: one, connection: {} }), "host-key")).toEqual([
        "web-2: another machine could answer in its place; set connection.hostKey",
      ]);
      const none = await change(undefined, { tracker, hosts: hosts(2), connection: {} });
      expect(details(none, "host-key")).toHaveLength(2);
    });

    test("of hosts without the usual checks names them, even if the setting is one host's own", async () => {
      const own = { ...hosts(2), "web-1": { address: "10.0.0.1", takeOver: true } };
      const review = await change(undefined, { tracker, hosts: own, skipPreflight: true });
      expect(details(review, "unguarded").map((one) => one.split(":").slice(0, 2).join(":"))).toEqual([
        "web-1: skipPreflight is set",
        "web-1: takeOver is set",
        "web-2: skipPreflight is set",
      ]);
    });

    test("of a plan by an older construct reports what it does not contain", async () => {
      const made = await project(tracker);
      const older = firewall(made, { tracker, hosts: hosts(1) });
      for (const part of ["hold", "lockdown"]) {
        const resource = defined(older.resource?.[tracker])[`fleet_${part}`] as Record<string, Record<string, unknown>>;
        delete resource.input;
        delete resource.lifecycle;
        delete resource.triggers?.host_key;
        delete resource.triggers?.role;
      }
      expect(details(reviewed(await made.plan(older)), "host-key")).toEqual([
        "web-1: this plan does not show whether it is pinned",
      ]);
      // And the newer one locks nothing again.
      await made.apply(older);
      const newer = reviewed(await made.plan(firewall(made, { tracker, hosts: hosts(1) })));
      expect(outcomes(newer)).toEqual({ "web-1": tracker === "terraform_data" ? "update" : "stay" });
      expect(defined(newer.hosts[0]).locks).toBe(false);
    });

    test("of -replace names the hosts that are open in between", async () => {
      const args = [`-replace=${tracker}.fleet_hold["web-1"]`, `-replace=${tracker}.fleet_lockdown["web-2"]`];
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: hosts(2) }, ...args);
      expect(outcomes(review)).toEqual({ "web-1": "reopen", "web-2": "relock" });
      expect(details(review, "reopened")).toEqual(["web-1: 10.0.0.1: its hold is replaced (replace_by_request)"]);
      expect(defined(review.hosts[1]).why).toEqual(["it was requested (-replace)"]);
    });

    test("of a replaced hold alone reports that nothing locks the host again", async () => {
      const hold = `${tracker}.fleet_hold["web-1"]`;
      const props = { tracker, hosts: hosts(2) };
      const review = await change({ hosts: hosts(2) }, props, `-replace=${hold}`, `-target=${hold}`);
      expect(kinds(review)).toEqual(["incomplete", "opened"]);
      expect(details(review, "opened")[0]).toMatch(/^web-1: 10.0.0.1: .* does not lock it again$/);
      expect(review.lockedAfter).toBe(1);
    });

    test("of a tainted hold reports that the old one keeps the lock", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(1) });
      await made.apply(configuration);
      await made.terraform("taint", `${tracker}.fleet_hold["web-1"]`);
      expect(kinds(reviewed(await made.plan(configuration)))).toEqual(["owner", "tainted"]);
      const gone = reviewed(await made.plan(firewall(made, { tracker, hosts: { other: "10.0.0.9" } })));
      expect(details(gone, "left-locked")).toEqual(["web-1: 10.0.0.1: no unlock runs, because its hold is tainted"]);
    });

    test("of create_before_destroy, which spreads from other resources, reports that no unlock runs", async () => {
      const made = await project(tracker);
      const spread = (stack: TerraformStack): void => {
        const { lockdowns } = stack.node.findChild("fleet") as SshOnlyFirewall;
        new DataResource(stack, "later", { dependsOn: [...lockdowns], lifecycle: { createBeforeDestroy: true } });
      };
      await made.apply(firewall(made, { tracker, hosts: hosts(1) }, spread));
      const review = reviewed(await made.plan(firewall(made, { tracker, hosts: { "web-1": "10.0.0.7" } }, spread)));
      expect(kinds(review)).toEqual(["left-locked", "address"]);
      expect(details(review, "left-locked")[0]).toContain(
        "10.0.0.1: no unlock runs, because its hold is replaced with create_before_destroy",
      );
    });

    test("of a host that is only observed from now on reports that it is opened, whatever else happens to it", async () => {
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

    test("of a lockdown that alone left the state reports that its host may be locked already", async () => {
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: hosts(2) }));
      await made.terraform("state", "rm", `${tracker}.fleet_lockdown["web-1"]`);
      const review = reviewed(await made.plan(firewall(made, { tracker, hosts: hosts(2), mode: "observe" })));
      expect(outcomes(review)).toEqual({ "web-1": "observe", "web-2": "observe" });
      expect(details(review, "opened")).toEqual([
        "web-1: 10.0.0.1: may be locked already, and becomes observed, which denies nothing",
        "web-2: 10.0.0.2: becomes observed, which denies nothing",
      ]);
      const locked = reviewed(await made.plan(firewall(made, { tracker, hosts: hosts(2) })));
      expect(outcomes(locked)).toEqual({ "web-1": "perhaps", "web-2": "stay" });
      expect(kinds(locked)).toEqual(["cut-off"]);
    });

    test("of a hold that is all that is left of a host reports that the host is opened, or may stay locked", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(1) });
      await made.apply(configuration);
      const others = [`${tracker}.fleet_lockdown["web-1"]`, `${tracker}.fleet_ruleset["shared"]`];
      await made.terraform("state", "rm", ...others);
      const opened = reviewed(await made.plan(configuration, "-destroy"));
      expect([outcomes(opened), kinds(opened)]).toEqual([{ "web-1": "unlock" }, ["opened"]]);
      const left = reviewed(await made.plan(made.configuration(() => undefined)));
      expect([outcomes(left), kinds(left)]).toEqual([{ "web-1": "leave" }, ["left-locked"]]);
      expect([...opened.others, ...left.others]).toEqual([]);
    });

    test("of a lockdown that alone leaves the state reports whether a later deploy can unlock the host", async () => {
      const made = await project(tracker);
      const configuration = firewall(made, { tracker, hosts: hosts(2) });
      await made.apply(configuration);
      const args = ["-destroy", `-target=${tracker}.fleet_lockdown["web-1"]`];
      const kept = reviewed(await made.plan(configuration, ...args));
      expect(outcomes(kept)).toEqual({ "web-1": "hold", "web-2": "stay" });
      expectGolden("lockdown-leaves.md", kept.markdown);
      await made.terraform("state", "rm", `${tracker}.fleet_hold["web-1"]`);
      const left = reviewed(await made.plan(firewall(made, { tracker, hosts: { "web-2": "10.0.0.2" } })));
      expect([outcomes(left), kinds(left)]).toEqual([{ "web-1": "leave", "web-2": "stay" }, ["left-locked"]]);
    });

    test("of changed waves names the hosts that move to another lockdown, and what happens to them", async () => {
      const narrower = { tracker, hosts: hosts(2), allowFrom: ["192.0.2.0/25", "2001:db8:1::/48"] };
      const into = await change({ hosts: hosts(2) }, { ...narrower, waves: [["web-1"]] });
      expect(outcomes(into)).toEqual({ "web-1": "relock", "web-2": "relock" });
      expect(into.hosts).toHaveLength(2);
      expect(defined(into.hosts[0]).why).toContain("its lockdown is now another resource");
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

    test("of `removed` blocks reports that the hosts are forgotten", async () => {
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: hosts(1) }));
      const removed = ["ruleset", "hold", "lockdown"].map((part) => ({
        from: `${tracker}.fleet_${part}`,
        lifecycle: { destroy: false },
      }));
      const review = reviewed(await made.plan({ ...made.configuration(() => undefined), removed }));
      expect(details(review, "left-locked")).toEqual([
        "web-1: 10.0.0.1: no unlock runs, because Terraform only forgets it (forget)",
      ]);
    });

    test("of a plan with targets reports that it is incomplete, and counts what it leaves out", async () => {
      const made = await project(tracker);
      await made.apply(firewall(made, { tracker, hosts: hosts(3) }));
      const after = firewall(made, { tracker, hosts: hosts(2), allowFrom: [...allowFrom, "198.51.100.7"] });
      const review = reviewed(await made.plan(after, `-target=${tracker}.fleet_lockdown["web-1"]`));
      // Terraform takes the holds as a whole for what the target needs: the one that was taken out goes too.
      // No lockdown depends on the ruleset, which stays out of this plan.
      expect(kinds(review)).toEqual(["incomplete", "opened", "unknown"]);
      expect(outcomes(review)).toEqual({ "web-1": "relock", "web-2": "stay", "web-3": "unlock" });
      expect(review.lockedAfter).toBe(2);
    });

    test("of a destroy opens every host, and leaves none", async () => {
      const review = await change({ hosts: hosts(2) }, { tracker, hosts: hosts(2) }, "-destroy");
      expect(outcomes(review)).toEqual({ "web-1": "unlock", "web-2": "unlock" });
      expect(review.lockedAfter).toBe(0);
    });

    test("finds firewalls whatever they and their resources are called", async () => {
      const made = await project(tracker);
      const two = (address: string) => (stack: TerraformStack) => {
        const first = new SshOnlyFirewall(stack, "a_hold", { tracker, allowFrom, connection, hosts: hosts(1) });
        const second = new SshOnlyFirewall(stack, "b", { tracker, allowFrom, connection, hosts: { "web-1": address } });
        [first.holds[0], first.lockdowns[0], first.ruleset].forEach((one, index) =>
          defined(one).overrideLogicalId(`x${index}`),
        );
        defined(second.holds[0]).overrideLogicalId("second_ruleset");
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
});
