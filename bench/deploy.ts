/** How long it takes to lock a fleet, beside bare ssh logins and beside Ansible. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { items } from "../test/support/required";
import { parsePolicy } from "../lib/policy/policy";
import { parseOrThrow } from "../lib/input/problems";
import { renderNftables } from "../lib/ruleset/backends/nftables";
import { controllerOnly, Deployment, type DeploymentProps } from "../test/e2e/support/deployment";
import { Lab } from "../test/lab/lab";
import { templateLiteral } from "../lib/terraform/escape";
import { cdktf, Terraform } from "../test/lab/terraform";
import { Ansible } from "./ansible";
import { median, medianRatio, timed } from "./measure";
import { atLeast, atMost, type Demand, type Part, type Section, shown, table } from "./part";

const AT_ONCE = 10;

export const deploy: Part = {
  name: "deploy",
  about: "deploy on 40 hosts: ours, bare ssh logins, Ansible",
  needs: ["ansible-playbook=ansible"],
  run: () =>
    measure(40, 3, ({ ours, bare, oursOnIptables, ansible }) => [
      atMost(
        "a deploy of 40 hosts takes at most 1.6 times two bare ssh logins a host",
        medianRatio(ours, bare),
        1.6,
        " times",
      ),
      atLeast("and is at least 5 times faster than Ansible", medianRatio(ansible, oursOnIptables), 5, " times"),
    ]),
};

export const deploy200: Part = {
  name: "deploy-200",
  about: "the same on 200 hosts",
  needs: ["ansible-playbook=ansible"],
  run: () => measure(200, 1, () => []),
};

type Contender = "bare" | "floor" | "ours" | "oursOnIptables" | "ansible";
type Times = Record<Contender, number[]>;

async function measure(count: number, rounds: number, demands: (times: Times) => Demand[]): Promise<Section> {
  const lab = await Lab.create();
  try {
    for (let start = 0; start < count; start += 20) {
      await lab.addHosts(
        Array.from({ length: Math.min(20, count - start) }, (_, index) => ({ name: `host-${start + index}` })),
      );
    }
    const fleet = new Fleet(lab);
    const times: Times = { bare: [], floor: [], ours: [], oursOnIptables: [], ansible: [] };
    for (let round = 0; round < rounds; round++) {
      times.bare.push(await fleet.bareLogins());
      times.floor.push(await fleet.floor());
      times.ours.push(await fleet.ours({ backend: "nftables" }));
      times.oursOnIptables.push(await fleet.ours({ backend: "iptables" }));
      times.ansible.push(await fleet.ansible());
    }
    const withCdktf = await fleet.ours({ backend: "nftables" }, "cdktf");
    const row = (what: string, seconds: readonly number[]): string[] => [
      what,
      `${shown(median(seconds))} s`,
      shown(seconds.length === rounds ? medianRatio(seconds, times.bare) : median(seconds) / median(times.bare)),
    ];
    return {
      title: `deploy on ${count} hosts`,
      demands: demands(times),
      lines: [
        `${count} hosts on this machine that are open, ${AT_ONCE} at a time, ${rounds === 1 ? "once" : `median of ${rounds}, in turns`}. The bare logins load the same ruleset with`,
        "`nft -f`, and log in once more. Ours is `terraform apply`, its plan included. Ansible copies the rulesets for IPv4 and",
        "IPv6 and loads them with `community.general.iptables_state` and its rollback, pipelining on; beside it stands ours with",
        "the same backend. Terraform alone is two resources a host with a `remote-exec` each, of the same `nft -f` and of `true`.",
        "",
        ...table(
          ["", "time", "as a multiple of the bare logins"],
          [
            row("two bare `ssh` logins a host, nftables", times.bare),
            row("Terraform alone, nftables", times.floor),
            row("ours, nftables", times.ours),
            row("ours, nftables, by `cdktf deploy`", [withCdktf]),
            row("ours, iptables", times.oursOnIptables),
            row("Ansible, iptables", times.ansible),
          ],
        ),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

/** All hosts of a lab: each way of locking them begins and ends with hosts that are open. Times in seconds. */
class Fleet {
  private readonly ruleset: string;
  private readonly playbook: Ansible;

  public constructor(private readonly lab: Lab) {
    const policy = parseOrThrow("The policy", (problems) => parsePolicy({ allowFrom: controllerOnly }, problems));
    this.ruleset = join(lab.makeFolder("bare"), "ruleset.nft");
    writeFileSync(this.ruleset, renderNftables(policy));
    this.playbook = new Ansible(lab, controllerOnly);
  }

  public async bareLogins(): Promise<number> {
    const both = `ssh {} nft -f - <${this.ruleset} && ssh {} true`;
    const all = `tr ' ' '\\n' | xargs -P ${AT_ONCE} -I{} sh -c '${both}'`;
    const input = this.lab.hosts.map(({ name }) => name).join(" ");
    const seconds = await timed(() => this.lab.controller.exec(all, { input, timeoutSeconds: 600 }));
    await this.everywhere("nft delete table inet ssh_only_firewall");
    return seconds;
  }

  /** The least that two provisioners can cost: they check nothing, and nothing of them is kept. */
  public async floor(): Promise<number> {
    const folder = this.lab.makeFolder("floor");
    const [{ user }] = items(this.lab.hosts, 1);
    const connection = {
      type: "ssh",
      user,
      host: "${each.value.address}",
      host_key: "${each.value.host_key}",
      private_key: `\${file("${this.lab.privateKeyPath}")}`,
    };
    const resource = (command: string, after: readonly string[]): object => ({
      for_each: "${local.hosts}",
      depends_on: after,
      provisioner: [{ "remote-exec": { inline: [command], connection } }],
    });
    const load = `nft -f - <<'RULESET'\n${readFileSync(this.ruleset, "utf8")}RULESET`;
    const configuration = {
      locals: {
        hosts: Object.fromEntries(
          this.lab.hosts.map((host) => [host.name, { address: host.ipv4, host_key: host.hostKey }]),
        ),
        load: templateLiteral(load),
      },
      resource: {
        terraform_data: { load: resource("${local.load}", []), confirm: resource("true", ["terraform_data.load"]) },
      },
    };
    writeFileSync(join(folder, "main.tf.json"), JSON.stringify(configuration));
    const terraform = new Terraform(this.lab, folder);
    await terraform.init();
    const seconds = await timed(() => terraform.apply([`-parallelism=${AT_ONCE}`], { timeoutSeconds: 600 }));
    await this.everywhere("nft delete table inet ssh_only_firewall");
    return seconds;
  }

  public async ours(props: DeploymentProps, by: "terraform" | "cdktf" = "terraform"): Promise<number> {
    const deployment = new Deployment(this.lab);
    // Lab hosts have no init system.
    const terraform = await deployment.prepare({ ...props, persist: false });
    const options = { timeoutSeconds: 600 };
    const seconds = await timed(() =>
      by === "terraform"
        ? terraform.apply([`-parallelism=${AT_ONCE}`], options)
        : cdktf(this.lab, deployment.stack, "deploy", {
            ...options,
            args: ["--terraform-parallelism", String(AT_ONCE)],
          }),
    );
    await terraform.destroy([`-parallelism=${AT_ONCE}`], options);
    return seconds;
  }

  public async ansible(): Promise<number> {
    const seconds = await timed(() => this.playbook.run());
    // All have the rules, or there is nothing to compare.
    await this.everywhere("iptables -S | grep -qx -- '-P INPUT DROP' && ip6tables -S | grep -qx -- '-P INPUT DROP'");
    const open = ["INPUT", "OUTPUT", "FORWARD"].map((chain) => `$command -P ${chain} ACCEPT`).join("; ");
    await this.everywhere(`for command in iptables ip6tables; do ${open}; $command -F; $command -X; done`);
    return seconds;
  }

  private async everywhere(command: string): Promise<void> {
    await Promise.all(this.lab.hosts.map((host) => host.exec(command)));
  }
}
