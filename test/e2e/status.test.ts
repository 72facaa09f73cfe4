/** `status --live` against hosts in every condition that it has a word for. */
import * as fs from "node:fs";
import { join } from "node:path";
import { items } from "../support/required";
import type { HostProps } from "../../lib/index";
import { CONDITIONS } from "../../lib/status/conditions";
import type { StatusReport } from "../../lib/status/status-report";
import { program } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, listenerPorts, type RunOptions, type RunResult } from "../lab/lab";
import { lockScript } from "./support/lock-script";
import { terraformEnvironment } from "../lab/terraform";
import { STATE } from "../program/support/host-program";
import { controllerOnly, Deployment, hostEntry } from "./support/deployment";
import { statusOf } from "./support/tracked-deployment";

jest.setTimeout(300_000);

describeLab(
  "status --live",
  () => {
    const names = [
      "behind",
      "drifted",
      "gone",
      "hung",
      "jump",
      "opened",
      "ops",
      "pending",
      "plain",
      "rootless",
      "stranger",
    ];
    let lab: Lab;
    let deployment: Deployment;

    const runStatus = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
      lab.controller.exec(program("ssh-only-firewall", "status", ...args), {
        check: false,
        cwd: deployment.stack.folder,
        ...options,
        env: { ...terraformEnvironment(lab), ...options.env },
      });
    const report = async (...args: readonly string[]): Promise<StatusReport> => {
      const { stdout, stderr } = await runStatus([".", "--live", "--json", ...args]);
      expect(stderr).toBe("");
      return JSON.parse(stdout) as StatusReport;
    };

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [...names, "taken", "tainted", "unlocking", "watched"].map((name) => ({
          name,
          ...(name === "ops" ? { user: "ops", sshPort: 2222 } : {}),
          ...(name === "rootless" ? { user: "ops" } : {}),
          ...(name === "jump" ? { user: "hop", sshPort: 2200 } : {}),
          ...(name === "plain" ? { listeners: true } : {}),
          ...(name === "tainted" ? { firewall: "iptables-nft" as const } : {}),
        })),
      });
      const jump = lab.host("jump");
      const behind = hostEntry(lab, lab.host("behind"), {
        allowFrom: [jump.ipv4],
        connection: {
          // Terraform before 1.15 compares the bastion's key with that of the host.
          hostKey: undefined,
          bastion: { host: jump.ipv4, port: jump.sshPort, user: "hop", hostKey: jump.hostKey },
        },
      });
      const others = lab.hosts.filter(({ name }) => !["behind", "jump", "stranger"].includes(name));
      const hosts: Record<string, HostProps> = {
        behind,
        ...Object.fromEntries(
          others.map((host) => [host.name, hostEntry(lab, host, { persist: false, mode: modeOf(host) })]),
        ),
      };
      deployment = new Deployment(lab);
      await deployment.apply({ hosts });
      await Promise.all([
        lab.host("drifted").exec("nft insert rule inet ssh_only_firewall input tcp dport 8080 accept"),
        lab.host("gone").stop(),
        hang(lab.host("hung")),
        lab.host("opened").exec(`sh ${STATE}/host.sh unlock`),
        lockBy(lab.host("pending"), (await statusOf(lab.host("pending")))?.owner as string, "pending"),
        lockBy(lab.host("stranger"), "somebody", "confirmed"),
        lockBy(lab.host("taken"), "somebody", "confirmed"),
        unlockOverSsh(lab.host("unlocking")),
        takeSudo(lab.host("rootless")),
        deployment.terraform.run(["taint", 'terraform_data.firewall_lockdown["tainted"]']),
      ]);
    });
    afterAll(() => lab?.destroy());

    const modeOf = (host: Host): "observe" | "enforce" => (host.name === "watched" ? "observe" : "enforce");

    /** Nobody confirms it. */
    const unlockOverSsh = async (host: Host): Promise<RunResult> =>
      host.exec(
        `SSH_CONNECTION='10.77.0.1 1 10.77.0.2 22' sh ${STATE}/host.sh unlock ${(await statusOf(host))?.owner ?? ""} 600`,
      );

    const takeSudo = (host: Host): Promise<RunResult> =>
      host.exec("mv /etc/sudoers.d /etc/sudoers.gone; mv /etc/sudoers /etc/sudoers.old");

    /** Whoever logs in waits for ever. */
    async function hang(host: Host): Promise<void> {
      await host.exec(
        `printf '#!/bin/sh\\nsleep 1000\\n' >/usr/local/bin/hang && chmod 0755 /usr/local/bin/hang
         sed -i 's|^\\(root:.*:\\)[^:]*$|\\1/usr/local/bin/hang|' /etc/passwd`,
      );
    }

    async function lockBy(host: Host, owner: string, state: "pending" | "confirmed"): Promise<void> {
      const lock = lockScript(
        host,
        { allowFrom: controllerOnly },
        { OWNER: owner, TAKE_OVER: true, CONFIRM_WITHIN: 600 },
      );
      await host.exec("cat >/tmp/lock.sh", { input: lock.script });
      await host.exec(`sh /tmp/lock.sh${state === "confirmed" ? ` && sh ${STATE}/host.sh ${lock.confirm}` : ""}`);
    }

    const named = (): string[] => ["--also", lab.host("stranger").ipv4, "--also", `hop@${lab.host("jump").ipv4}:2200`];
    const key = (): string[] => ["--identity", lab.privateKeyPath];

    test("gives each of fifteen hosts its word, covers all words, and exits with 2", async () => {
      const begin = Date.now();
      const { code, stdout, stderr } = await runStatus([
        ".",
        "--live",
        "--json",
        "--timeout",
        "20",
        ...named(),
        ...key(),
      ]);
      expect(stderr).toBe("");
      expect(code).toBe(2);
      const { hosts, agrees, counts } = JSON.parse(stdout) as StatusReport;
      const { stranger, jump } = { stranger: lab.host("stranger").ipv4, jump: lab.host("jump").ipv4 };
      expect(Object.fromEntries(hosts.map((host) => [host.host, `${host.state}: ${host.condition}`]))).toEqual({
        behind: "locked: locked",
        drifted: "locked: drifted",
        gone: "locked: unreachable",
        hung: "locked: unreachable",
        [jump]: "not in it: unlocked",
        opened: "locked: open",
        ops: "locked: locked",
        pending: "locked: pending",
        plain: "locked: locked",
        rootless: "locked: unclear",
        [stranger]: "not in it: locked-but-not-in-state",
        taken: "locked: locked-by-someone-else",
        tainted: "unfinished: locked-but-not-in-state",
        unlocking: "locked: unlocking",
        watched: "observed: observed",
      });
      expect(new Set(hosts.map(({ condition }) => condition))).toEqual(new Set(Object.keys(CONDITIONS)));
      expect(hosts.find(({ host }) => host === "rootless")?.details).toEqual([
        expect.stringMatching(/^logged in, but not as root: .*sudo/),
      ]);
      expect(agrees).toBe(false);
      expect(counts).toMatchObject({ locked: 3, unreachable: 2 });
      const outside = (name: string): string | null | undefined => hosts.find(({ host }) => host === name)?.outside;
      expect(outside("plain")).toBe(`closed: ${listenerPorts.tcp.join(", ")}, 443`);
      expect(outside("ops")).toBe("closed: 80, 443");
      expect(outside("behind")).toBe("not tried: through a bastion");
      expect(Date.now() - begin).toBeLessThan(60_000);
    });

    /** The state as a file of version 4, with only these hosts. */
    async function stateOf(keys: readonly string[], change = (text: string): string => text): Promise<string> {
      const { stdout } = await deployment.terraform.run(["state", "pull"]);
      const state = JSON.parse(stdout) as {
        resources: Array<{ name: string; instances: Array<{ index_key: string }> }>;
      };
      for (const resource of state.resources.filter(({ name }) => !name.endsWith("_ruleset"))) {
        resource.instances = resource.instances.filter((instance) => keys.includes(instance.index_key));
      }
      const file = join(lab.makeFolder("state"), "terraform.tfstate");
      fs.writeFileSync(file, change(JSON.stringify(state)));
      return file;
    }

    test("exits with 0 if all agree, and reports it in a table without colours", async () => {
      const { code, stdout, stderr } = await runStatus([await stateOf(["ops", "plain"]), "--live", ...key()]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const [head, ops, plain, , counted, state, live] = items(stdout.split("\n"), 7);
      expect(head).toMatch(/^HOST +ADDRESS +STATE +HOST IS +OUTSIDE$/);
      expect(ops).toMatch(/^ops +[0-9.]+ +locked +locked +closed: 80, 443$/);
      expect(plain).toMatch(/^plain +[0-9.]+ +locked +locked +closed: 80, 3306, 8080, 443$/);
      expect(counted).toBe("2 hosts: 2 locked. State and hosts agree.");
      expect(state.replace("the state", "the hosts")).toBe(live);
    });

    test("does not ask a machine with another host key than the pinned one", async () => {
      const [plain, ops] = [lab.host("plain"), lab.host("ops")];
      const file = await stateOf(["plain"], (text) => text.replaceAll(plain.hostKey, ops.hostKey));
      const { code, stdout } = await runStatus([file, "--live", "--json", ...key()]);
      expect(code).toBe(2);
      expect((JSON.parse(stdout) as StatusReport).hosts).toMatchObject([
        { host: "plain", condition: "unreachable", details: ["Host key verification failed."], onHost: null },
      ]);
    });

    test("does not let a bastion with another host key than the pinned one through", async () => {
      const [jump, ops] = [lab.host("jump"), lab.host("ops")];
      const file = await stateOf(["behind"], (text) => text.replaceAll(jump.hostKey, ops.hostKey));
      const { stdout } = await runStatus([file, "--live", "--json", ...key()]);
      expect((JSON.parse(stdout) as StatusReport).hosts).toMatchObject([{ host: "behind", condition: "unreachable" }]);
    });

    test("reports a host as open that claims to be locked while a port answers", async () => {
      const { ipv4 } = lab.host("plain");
      const rules = "type nat hook output priority -100;";
      await lab.controller.exec(
        `nft 'table ip astray { chain out { ${rules} ip daddr ${ipv4} tcp dport 8080 redirect to :1; }; }'`,
      );
      try {
        const { hosts } = await report(...key());
        expect(hosts.find(({ host }) => host === "plain")).toMatchObject({
          condition: "open",
          agrees: false,
          outside: "8080 refuses",
          onHost: { state: "locked", rules: "matches" },
        });
      } finally {
        await lab.controller.exec("nft delete table ip astray");
      }
    });
  },
  { needs: "terraform" },
);
