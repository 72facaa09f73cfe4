/** `status --live` against hosts in every condition that it has a word for. */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostProps } from "../../lib";
import type { Report } from "../../lib/status/report";
import { program } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, listenerPorts, type RunOptions, type RunResult } from "../lab/lab";
import { lockScript } from "../lab/lock-script";
import { terraformEnvironment } from "../lab/terraform";
import { STATE } from "../program/support";
import { controllerOnly, Deployment, eventually, hostEntry } from "./support";
import { statusOf } from "./tracked";

jest.setTimeout(300_000);

describeLab(
  "status --live",
  () => {
    const names = ["behind", "drifted", "gone", "hung", "jump", "opened", "ops", "pending", "plain", "stranger"];
    let lab: Lab;
    let deployment: Deployment;

    const runStatus = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
      lab.controller.exec(program("ssh-only-firewall", "status", ...args), {
        check: false,
        cwd: deployment.stack.folder,
        ...options,
        env: { ...terraformEnvironment(lab), ...options.env },
      });
    const report = async (...args: readonly string[]): Promise<Report> => {
      const { stdout, stderr } = await runStatus([".", "--live", "--json", ...args]);
      expect(stderr).toBe("");
      return JSON.parse(stdout) as Report;
    };

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [...names, "taken", "tainted"].map((name) => ({
          name,
          ...(name === "ops" ? { user: "ops", sshPort: 2222 } : {}),
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
        ...Object.fromEntries(others.map((host) => [host.name, hostEntry(lab, host, { persist: false })])),
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
        deployment.terraform.run(["taint", 'terraform_data.firewall_lockdown["tainted"]']),
      ]);
    });
    afterAll(() => lab?.destroy());

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

    test("names what each of twelve hosts is, and ends with 2", async () => {
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
      const { hosts, agrees, counts } = JSON.parse(stdout) as Report;
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
        [stranger]: "not in it: locked-but-not-in-state",
        taken: "locked: locked-by-someone-else",
        tainted: "unfinished: locked-but-not-in-state",
      });
      expect(agrees).toBe(false);
      expect(counts).toMatchObject({ locked: 3, unreachable: 2 });
      const outside = (name: string): string | null | undefined => hosts.find(({ host }) => host === name)?.outside;
      expect(outside("plain")).toBe(`closed: ${listenerPorts.tcp.join(", ")}, 443`);
      expect(outside("ops")).toBe("closed: 80, 443");
      expect(outside("behind")).toBe("not tried: through a bastion");
      expect(Date.now() - begin).toBeLessThan(60_000);
    });
  },
  { needs: "terraform" },
);
void [fs, join, sleep, eventually];
