/** A destroy of hosts that another firewall cuts off without our rules. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab, type RunResult } from "../lab/lab";
import { controllerOnly, Deployment } from "./support/deployment";
import { isAtRest, saidBy, statusOf } from "./support/drill";
import { elsewhere } from "./support/elsewhere";

describeLab(
  "a destroy",
  () => {
    /** Of another firewall, behind ours or in a table that ours joins; loaded while the host is locked. */
    const cases: ReadonlyArray<{ name: string; firewall: HostFirewall; rule: string; mended: string }> = [
      {
        name: "new-connections",
        firewall: "iptables-nft",
        rule: "iptables-nft -A INPUT -p tcp --syn --dport 22 -j DROP",
        mended: "iptables-nft -D INPUT -p tcp --syn --dport 22 -j DROP",
      },
      {
        name: "all-packets",
        firewall: "nftables",
        rule: "iptables-legacy -P INPUT DROP",
        mended: "iptables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT",
      },
      { name: "harmless", firewall: "iptables-legacy", rule: "iptables-legacy -A INPUT -j RETURN", mended: ":" },
    ];
    let lab: Lab;
    let deployment: Deployment;
    let destroy: RunResult;
    let again: RunResult;
    const after: Record<string, { readonly state: string; readonly rules: string; readonly login: string }> = {};
    let left: string;

    const login = async (host: Host): Promise<string> =>
      (await host.ssh("echo in", { check: false, options: ["ConnectTimeout=3"] })).stdout;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: cases.map(({ name, firewall }) => ({ name, firewall })) });
      deployment = new Deployment(lab);
      await deployment.apply({ allowFrom: controllerOnly, confirmWithinSeconds: 10 });
      for (const { name, rule } of cases) {
        await elsewhere(lab.host(name), rule);
      }
      // The guard lets SSH through where a table drops by default.
      await eventually("SSH works", async () => (await login(lab.host("all-packets"))) === "in\n");
      destroy = await deployment.terraform.destroy([], { check: false });
      for (const host of lab.hosts) {
        await eventually(`${host.name} is at rest`, () => isAtRest(host));
        const { state, rules } = await statusOf(host);
        after[host.name] = { state, rules, login: await login(host) };
      }
      left = (await deployment.terraform.run(["state", "list"])).stdout;
      for (const { name, mended } of cases) {
        await elsewhere(lab.host(name), mended);
      }
      again = await deployment.terraform.destroy([], { check: false });
    });
    afterAll(() => lab?.destroy());

    test.each(["new-connections", "all-packets"])(
      "that would cut %s off fails with the reason, and the host is locked again, reachable and in the state",
      (name) => {
        expect(destroy.code).not.toBe(0);
        expect(after[name]).toEqual({ state: "locked", rules: "matches", login: "in\n" });
        expect(left).toContain(`firewall_hold["${name}"]`);
        expect(saidBy(name, destroy.stdout)).toMatch(
          /the host locks itself again, also if this connection dies now[^]*This unlock is not pending \(nobody confirmed it in time: the host has locked itself again\)\. .* have it accept port 22 /,
        );
      },
    );

    test("of a host that others let in opens it, although one of its neighbours fails", () => {
      expect(after.harmless).toEqual({ state: "open", rules: "none", login: "in\n" });
      expect(left).not.toContain('firewall_hold["harmless"]');
    });

    test("opens them once the other firewall lets the operator in", async () => {
      expect(again).toMatchObject({ code: 0 });
      for (const host of lab.hosts) {
        expect(await statusOf(host)).toMatchObject({ state: "open" });
        expect(await login(host)).toBe("in\n");
        expect(await host.rules()).not.toMatch(/SSH_ONLY|ssh_only/);
      }
    });
  },
  { needs: "terraform" },
);
