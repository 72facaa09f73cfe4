/**
 * npm run demo: the main job on three throw-away hosts, told step by step: open, planned, locked, a mistake that undoes
 * itself, an update without a gap, destroyed. Everything is real: cdktf, Terraform, sshd, the kernel's firewalls.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { type Host, type HostFirewall, Lab } from "./lab";
import { nullProvider, type ProviderChoice, terraformEnvironment } from "./terraform";

const repository = resolve(__dirname, "../..");

const firewalls: Readonly<Record<"web-1" | "db-1" | "app-1", HostFirewall>> = {
  "web-1": "nftables",
  "db-1": "iptables-legacy",
  "app-1": "iptables-nft",
};

async function main(): Promise<void> {
  step("Three hosts start on this machine, each with its own network, root, firewall and sshd");
  const lab = await Lab.create({
    hosts: [
      { name: "web-1", firewall: firewalls["web-1"], listeners: true },
      { name: "db-1", firewall: firewalls["db-1"], listeners: true, user: "ops", noexecTmp: true },
      { name: "app-1", firewall: firewalls["app-1"], listeners: true, shell: "busybox" },
    ],
  });
  const provider = await nullProvider(lab);
  try {
    await run(lab, new Project(lab, provider));
  } finally {
    provider.stop();
    await lab.destroy();
  }
}

async function run(lab: Lab, project: Project): Promise<void> {
  for (const host of lab.hosts) {
    const sudo = host.user === "root" ? "" : " with sudo";
    say(`${host.name.padEnd(6)} ${host.ipv4}  ${host.ipv6}  ${host.firewall}, login as ${host.user}${sudo}`);
  }
  const rulesBefore = await Promise.all(lab.hosts.map((host) => host.rules()));
  await scan(lab);

  step("A fleet file says what is wanted");
  project.write({});
  quote(project.fleetFile);

  step("cdktf diff: what a reviewer sees (the rulesets are there line by line; here the summary)");
  const diff = await project.cdktf("diff");
  quote(diff.filter((line) => /Plan:|will be created/.test(line)).join("\n"));

  step("cdktf deploy: each host is locked, and confirms it over a new connection");
  quote(told(await project.cdktf("deploy", "--auto-approve")));
  await scan(lab);

  step("A mistake: allowFrom no longer covers this machine. (Pre-flight would refuse it; it is switched off here.)");
  project.write({ allowFrom: ["192.0.2.0/24"], skipPreflight: true, confirmWithinSeconds: 15 });
  const failed = await project.cdktf("deploy", "--auto-approve", { mayFail: true });
  quote(told(failed));
  say("The deploy failed, as it must. The hosts went back by themselves to the ruleset that was confirmed before:");
  await scan(lab, "22,80,3306,8080");

  step("An update: ping is allowed. Port 8080 of each host is tried every 20 ms while it happens");
  project.write({ exceptions: ["ping"] });
  const watch = lab.hosts.map((host) => prober(lab, host));
  quote(told(await project.cdktf("deploy", "--auto-approve")));
  for (const [index, stop] of watch.entries()) {
    const { tries, answers } = await stop();
    say(`${lab.hosts[index]?.name.padEnd(6)} ${tries} tries, ${answers} answers`);
    expect(answers === 0, "the port never answered");
  }

  step("cdktf destroy: the hosts are opened again");
  quote(told(await project.cdktf("destroy", "--auto-approve")));
  await scan(lab, "22,80,3306,8080");
  const rulesAfter = await Promise.all(lab.hosts.map((host) => host.rules()));
  for (const [index, host] of lab.hosts.entries()) {
    const same = withoutEmptyTables(rulesAfter[index] ?? "") === withoutEmptyTables(rulesBefore[index] ?? "");
    say(`${host.name.padEnd(6)} firewall rules as they were before: ${same ? "yes" : "NO"}`);
    expect(same, "the rules are as they were");
  }
}

/** A folder as a user would have it: cdktf.json and fleet.yaml. */
class Project {
  public readonly folder: string;

  public constructor(
    private readonly lab: Lab,
    private readonly provider: ProviderChoice,
  ) {
    this.folder = lab.makeFolder("demo");
    const app = [join(repository, "node_modules/.bin/tsx"), join(repository, "bin/fleet.ts")].join(" ");
    writeFileSync(join(this.folder, "cdktf.json"), JSON.stringify({ language: "typescript", app, projectId: "demo" }));
  }

  public get fleetFile(): string {
    return readFileSync(join(this.folder, "fleet.yaml"), "utf8").replaceAll(this.lab.folder, "…");
  }

  public write(changes: Record<string, unknown>): void {
    const hosts = this.lab.hosts.map((host) => [
      host.name,
      { address: host.ipv4, connection: { user: host.user, hostKey: host.hostKey } },
    ]);
    const fleet = {
      allowFrom: ["10.77.0.1", "fd77::1"],
      connection: { privateKeyPath: this.lab.privateKeyPath },
      hosts: Object.fromEntries(hosts),
      ...changes,
    };
    writeFileSync(join(this.folder, "fleet.yaml"), stringify(fleet, { lineWidth: 0 }));
  }

  /** Its output, a line each. */
  public async cdktf(command: string, ...rest: Array<string | { mayFail: boolean }>): Promise<string[]> {
    const flags = rest.filter((word) => typeof word === "string");
    const mayFail = rest.some((word) => typeof word !== "string" && word.mayFail);
    const program = join(repository, "node_modules/cdktf-cli/bundle/bin/cdktf");
    const argv = [process.execPath, program, command, ...flags, "--skip-provider-lock"];
    const { code, stdout, stderr } = await this.lab.controller.exec(argv, {
      cwd: this.folder,
      timeoutSeconds: 400,
      check: false,
      env: {
        ...terraformEnvironment(this.lab, this.provider),
        DISABLE_VERSION_CHECK: "1",
        FORCE_COLOR: "0",
        CI: "1",
      },
    });
    if ((code === 0) === mayFail) {
      throw new Error(`cdktf ${command} ended with exit code ${code}:\n${stdout}${stderr}`);
    }
    return (stdout + stderr).split("\n");
  }
}

/** What the hosts and Terraform said, without the connection's details. */
function told(lines: readonly string[]): string {
  return lines
    .map((line) =>
      line.replace(/^\s*fleet\s+/, "").replace(/^null_resource\.\w+\["([^"]+)"\]: \(remote-exec\): /, "$1: "),
    )
    .filter((line) => /ssh-only-firewall: |Apply complete|Destroy complete|Error: /.test(line))
    .map((line) => line.replace(/^.*?\(remote-exec\): /, "").trimEnd())
    .filter((line, index, all) => all.indexOf(line) === index)
    .join("\n");
}

async function scan(lab: Lab, ports = "1-65535"): Promise<void> {
  const what = ports === "1-65535" ? "all 65,535 TCP ports, a UDP service" : `TCP ports ${ports}, a UDP service`;
  say(`Reachable from outside (${what}, ping; over IPv4 and IPv6):`);
  for (const host of lab.hosts) {
    for (const family of [4, 6] as const) {
      const tcp = await lab.scanTcp(host, { family, ports });
      const udp = await lab.scanUdp(host, { family, ports: "53535" });
      const ping = await lab.ping(host, family);
      const silent = tcp.filteredCount === 0 ? "" : `, ${tcp.filteredCount} silent`;
      say(
        `${host.name.padEnd(6)} IPv${family}  TCP open: ${tcp.open.join(" ")}${silent}; ` +
          `UDP 53535 ${udp.open.length > 0 ? "answers" : "silent"}; ping ${ping ? "answers" : "silent"}`,
      );
    }
  }
}

/** Tries a port every 20 ms until told to stop. */
function prober(lab: Lab, host: Host): () => Promise<{ tries: number; answers: number }> {
  const program = `
    const net = require("node:net");
    let tries = 0, answers = 0;
    setInterval(() => {
      tries++;
      const socket = net.connect({ host: ${JSON.stringify(host.ipv4)}, port: 8080 });
      const answered = () => { answers++; socket.destroy(); };
      socket.on("connect", answered).on("error", answered);
      setTimeout(() => { socket.removeAllListeners(); socket.on("error", () => {}); socket.destroy(); }, 400);
    }, 20);
    process.stdin.on("end", () => { console.log(JSON.stringify({ tries, answers })); process.exit(); }).resume();`;
  const child = lab.controller.spawn([process.execPath, "-e", program]);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return () =>
    new Promise((done, fail) => {
      child.on("error", fail).on("close", () => done(JSON.parse(output) as { tries: number; answers: number }));
      child.stdin?.end();
    });
}

/** iptables leaves an empty filter table where there was none; it holds no rule. */
function withoutEmptyTables(rules: string): string {
  return rules
    .replace(/\*filter\n(:\w+ ACCEPT\n)+COMMIT\n/g, "")
    .replace(
      /table ip6? filter \{\n(\s*chain \w+ \{\n\s*type filter hook \w+ priority filter; policy accept;\n\s*\}\n)*\}\n/g,
      "",
    )
    .trim();
}

let steps = 0;

function step(text: string): void {
  steps += 1;
  console.log(`\n${steps}. ${text}\n`);
}

function say(text: string): void {
  console.log(`   ${text}`);
}

function quote(text: string): void {
  console.log(text.trimEnd().replace(/^/gm, "   | "));
}

function expect(condition: boolean, what: string): void {
  if (!condition) {
    throw new Error(`Expected that ${what}.`);
  }
}

if (spawnSync("terraform", ["version"]).error !== undefined) {
  console.error("Terraform is not installed; the demo needs it: https://developer.hashicorp.com/terraform/install");
  process.exit(1);
}
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
