/**
 * The same job with Ansible: copy the rulesets, and load them with the module that takes them back when the host cannot
 * be reached afterwards, called as its documentation wants it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parsePolicy } from "../lib/policy/policy";
import { parseOrThrow } from "../lib/input/problems";
import { renderIptablesFile } from "../lib/ruleset/backends/iptables";
import type { Lab } from "../test/lab/lab";

const FORKS = 10;
/** Longer than Ansible's own, so that a busy machine is no reason to take the rules back. */
const TIMEOUT_SECONDS = 60;

const CONFIGURATION = `[defaults]
forks = ${FORKS}
gathering = explicit
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = True
`;

const restore = (family: "ipv4" | "ipv6"): string => `
    - ansible.builtin.copy: { src: ${family}, dest: /var/tmp/${family}, mode: "0600" }
    - community.general.iptables_state: { state: restored, path: /var/tmp/${family}, ip_version: ${family} }
      async: "{{ ansible_timeout }}"
      poll: 0
`;

const PLAYBOOK = `- hosts: all
  gather_facts: false
  tasks:${restore("ipv4")}${restore("ipv6")}`;

export class Ansible {
  private readonly folder: string;

  public constructor(
    private readonly lab: Lab,
    allowFrom: readonly string[],
  ) {
    const policy = parseOrThrow("The policy", (problems) => parsePolicy({ allowFrom }, problems));
    this.folder = lab.makeFolder("ansible");
    const hosts = lab.hosts.map(
      ({ name, ipv4, user }) => `${name} ansible_host=${ipv4} ansible_user=${user} ansible_timeout=${TIMEOUT_SECONDS}`,
    );
    const files = {
      "ansible.cfg": CONFIGURATION,
      "playbook.yml": PLAYBOOK,
      inventory: `${hosts.join("\n")}\n`,
      ipv4: renderIptablesFile(policy, "ipv4"),
      ipv6: renderIptablesFile(policy, "ipv6"),
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.folder, name), text);
    }
  }

  public async run(): Promise<void> {
    await this.lab.controller.exec(["ansible-playbook", "-i", "inventory", "playbook.yml"], {
      cwd: this.folder,
      // Ansible wants a locale of UTF-8.
      env: { LC_ALL: "C.UTF-8" },
      timeoutSeconds: 1800,
    });
  }
}
