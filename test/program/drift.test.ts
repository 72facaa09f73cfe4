/** Whether the rules that are live are still the ruleset that was loaded: every way of changing them is noticed. */
import { defined, items } from "../support/required";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab } from "../lab/lab";
import { HostProgram, hostsUnder, lockSettings, rulesetsFor, shells } from "./support/host-program";

/** What another program might do to our rules; each undone by loading them again. */
const changes: Record<HostFirewall, Record<string, string>> = {
  nftables: {
    "a rule is deleted": `nft delete rule inet ssh_only_firewall input handle "$(nft -a list chain inet ssh_only_firewall input | sed -n 's/.*tcp dport 22 .*# handle //p' | head -n 1)"`,
    "a rule is changed": `nft replace rule inet ssh_only_firewall input handle "$(nft -a list chain inet ssh_only_firewall input | sed -n 's/.*tcp dport 22 .*# handle //p' | head -n 1)" tcp dport 22-23 accept`,
    "a rule is inserted in front": "nft insert rule inet ssh_only_firewall input tcp dport 8080 accept",
    "a rule is added at the end": "nft add rule inet ssh_only_firewall forward accept",
    "a chain is emptied": "nft flush chain inet ssh_only_firewall output",
    "a policy is changed": "nft add chain inet ssh_only_firewall input '{ policy accept; }'",
    "a chain is added": "nft add chain inet ssh_only_firewall other",
    "the table is asleep": "nft add table inet ssh_only_firewall '{ flags dormant; }'",
    "the table is gone": "nft delete table inet ssh_only_firewall",
    "all tables are gone": "nft flush ruleset",
  },
  "iptables-nft": iptablesChanges(),
  "iptables-legacy": iptablesChanges(),
};

function iptablesChanges(): Record<string, string> {
  return {
    "a rule is deleted": "iptables -w 20 -D SSH_ONLY_IN 2",
    "a rule is changed": "ip6tables -w 20 -R SSH_ONLY_IN 2 -p tcp --dport 22:23 -j ACCEPT",
    "a rule is inserted in front": "iptables -w 20 -I SSH_ONLY_IN -p tcp --dport 8080 -j ACCEPT",
    "a rule is added at the end": "iptables -w 20 -A SSH_ONLY_FWD -j ACCEPT",
    "a chain is emptied": "ip6tables -w 20 -F SSH_ONLY_OUT",
    "a rule comes before the jump": "iptables -w 20 -I INPUT -p tcp --dport 8080 -j ACCEPT",
    "a rule comes before the jump of what goes out": "ip6tables -w 20 -I OUTPUT -j ACCEPT",
    "a jump is gone": "iptables -w 20 -D FORWARD -j SSH_ONLY_FWD",
    "a jump has got a condition": "iptables -w 20 -R INPUT 1 -p udp -j SSH_ONLY_IN",
    "a jump has become a goto": "iptables -w 20 -R INPUT 1 -g SSH_ONLY_IN",
    "the built-in chains are emptied": "iptables -w 20 -F INPUT; ip6tables -w 20 -F INPUT",
    "everything is gone": "iptables -w 20 -F; iptables -w 20 -X",
  };
}

describe.each(shells)("under $name", (shell) => {
  describeLab("status", () => {
    let lab: Lab;
    const programs = new Map<HostFirewall, HostProgram>();
    beforeAll(async () => {
      lab = await Lab.create({ hosts: hostsUnder(shell) });
      for (const host of lab.hosts) {
        programs.set(host.name as HostFirewall, await HostProgram.on(host));
      }
    });
    afterAll(() => lab?.destroy());

    describe.each(shell.firewalls)("with %s", (firewall) => {
      let program: HostProgram;
      beforeEach(async () => {
        program = programs.get(firewall) as HostProgram;
        // Over whatever the last change left of the ruleset.
        await program.lockForGood();
        expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      });
      afterEach(async () => expect(await program.temporaryFiles()).toEqual([]));
      afterAll(() => program.reset());

      const [[, someChange]] = items(Object.entries(changes[firewall]), 1);
      // Under bash the tools that look at the rules are those of dash.
      const some = Object.entries(changes[firewall]).slice(0, shell.options.shell === "bash" ? 3 : undefined);
      test.each(some)("notices that %s, and leaves it so", async (_, change) => {
        await program.host.exec(change);
        const drifted = await program.host.rules();
        expect(await program.status()).toMatchObject({ code: 10, state: "locked", rules: "drifted" });
        expect(await program.host.rules()).toBe(drifted);
      });

      test("reports it in words, too", async () => {
        await program.host.exec(someChange);
        const { code, stdout, stderr } = await program.run("status");
        expect({ code, stderr }).toEqual({ code: 10, stderr: "" });
        expect(stdout).toMatch(/^state: {3}locked$/m);
        expect(stdout).toMatch(/^rules: {3}drifted\nproblem: the live rules are not the ruleset: .*$/m);
      });

      test("does not mind counters, nor what others change in rules of their own", async () => {
        const foreign =
          firewall === "nftables"
            ? "nft add element inet other blocked '{ 192.0.2.99 }'; nft add table inet another"
            : "iptables -w 20 -A OTHER -j RETURN; iptables -w 20 -A INPUT -p tcp --dport 9 -j DROP";
        await program.host.exec(foreign);
        // Packets of all kinds: in and out, let pass and refused.
        await lab.scanTcp(program.host, { ports: "1-40" });
        await program.host.exec("busybox ping -c 1 -W 1 10.77.0.1", { check: false });
        expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      });

      test("does not mind what dynamic sets have learnt", async () => {
        await program.lockForGood(rulesetsFor(22, { logDeniedPerMinute: 10 }));
        expect(await program.status()).toMatchObject({ code: 0, rules: "matches" });
        expect((await program.host.ssh("echo in")).stdout).toBe("in\n");
        expect((await program.host.ssh("echo in", { family: 6 })).stdout).toBe("in\n");
        expect(await program.status()).toMatchObject({ code: 0, rules: "matches" });
      });

      test("reports that a pending lock has drifted, whose confirm is then refused until it rolls back", async () => {
        const settings = lockSettings();
        await program.lock(settings);
        await program.host.exec(someChange);
        expect(await program.status()).toMatchObject({ code: 10, state: "pending", rules: "drifted" });
        const { code, stdout, stderr } = await program.confirm(settings);
        expect({ code, stdout }).toEqual({ code: 10, stdout: "" });
        expect(stderr).toBe(
          "ssh-only-firewall: The live rules are no longer the ruleset that was loaded: another program changed them. It is still pending, and rolls back unless it is confirmed.\n",
        );
        expect(await program.status()).toMatchObject({ code: 10, state: "pending" });
        await program.run("rollback");
        expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      });
    });

    // The copy that proves a load has no hooks, so that they are proven apart from it.
    test.each([
      ["refuses", "is not asked for what goes out", /\ttype filter hook output.*\n/, "", 2],
      ["rolls back", "lets pass what it does not accept", /(hook forward .*policy) drop/, "$1 accept", 10],
    ])("lock %s a ruleset of nftables that %s", async (does, _, part, other, expected) => {
      const program = programs.get("nftables") as HostProgram;
      const rulesets = rulesetsFor();
      const altered = defined(rulesets.NFTABLES).replace(part, other);
      expect(altered).not.toBe(rulesets.NFTABLES);
      const before = await program.lockForGood();
      const { code, stderr } = await program.lock(lockSettings({ ...rulesets, NFTABLES: altered }));
      const [what, became] =
        does === "refuses"
          ? ["The ruleset has a part that no policy produces", "The host was not changed."]
          : ["The rules that are live are not the ruleset that was loaded.", "The host is as it was before."];
      expect(stderr).toContain(what);
      expect(stderr).toContain(became);
      expect(code).toBe(expected);
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", ruleset: before.RULESET });
    });
  });
});
