/** One lab host that boots with an init system of its own, and the deploys to it. */
import type { HostProps } from "../../../lib/index";
import { Lab, type Host, type HostOptions, type RunResult } from "../../lab/lab";
import { Prober, type Probed } from "./boot-prober";
import { terraformEnvironment, terraformProgram } from "../../lab/terraform";
import { controllerOnly, Deployment, hostEntry } from "./deployment";
import { eventually, type WaitOptions } from "../../support/eventually";

export const program = "/var/lib/ssh-only-firewall/host.sh";

/** What a test needs to stop a deploy between lock and confirm: while the file is there, logins into a pending host wait.
 * It does not outlive a restart. */
const holdFile = "/run/hold-logins";
const provision = `
  echo '[ ! -e ${holdFile} ] || [ ! -e /var/lib/ssh-only-firewall/pending ] || sleep 600' >/etc/ssh/sshrc
  if [ -d /etc/systemd ]; then
    mkdir -p /etc/systemd/logind.conf.d
    printf '[Login]\\nKillUserProcesses=yes\\n' >/etc/systemd/logind.conf.d/kill.conf
  fi
`;

export interface Status {
  readonly code: number;
  readonly state?: string;
  readonly rules?: string;
  readonly ruleset?: string;
}

export const lockedStatus = { code: 0, state: "locked", rules: "matches" };

export class Subject {
  public static async create(options: Omit<HostOptions, "name">): Promise<Subject> {
    const lab = await Lab.create({ hosts: [{ name: "old", provision, ...options }] });
    return new Subject(lab, lab.host("old"));
  }

  public readonly deployment: Deployment;
  private halfDeploy: { interrupt: () => void; ended: Promise<unknown> } | undefined;

  private constructor(
    public readonly lab: Lab,
    public readonly host: Host,
  ) {
    this.deployment = new Deployment(lab);
  }

  /** Locks the host, or updates its lock. @param sources who may come in; another one makes another ruleset */
  public async deploy(sources: readonly string[] = [], overrides: Partial<HostProps> = {}): Promise<RunResult> {
    return (await this.prepare(sources, overrides)).apply([], { check: false });
  }

  public async mustDeploy(sources?: readonly string[], overrides?: Partial<HostProps>): Promise<void> {
    const { code, stdout, stderr } = await this.deploy(sources, overrides);
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  }

  /** Begins a deploy, and returns when the host is pending; no confirm comes. */
  public async deployHalf(sources: readonly string[], overrides: Partial<HostProps> = {}): Promise<void> {
    const terraform = await this.prepare(sources, overrides);
    await this.host.exec(["touch", holdFile]);
    const argv = [terraformProgram(), "apply", "-no-color", "-input=false", "-auto-approve"];
    const deploy = this.lab.controller.spawn(argv, {
      cwd: terraform.folder,
      env: terraformEnvironment(this.lab),
      stdio: ["ignore", "pipe", "ignore"],
    });
    deploy.stdout?.resume();
    // It has ended when nobody holds its output any more.
    const ended = new Promise<unknown>((resolve) => deploy.once("close", resolve));
    this.halfDeploy = { interrupt: () => deploy.kill("SIGINT"), ended };
    await eventually("the host is pending", async () => (await this.status()).state === "pending");
  }

  /** Ends what `deployHalf` began. */
  public async giveUp(): Promise<void> {
    const half = this.halfDeploy;
    this.halfDeploy = undefined;
    await this.host.exec(["rm", "-f", holdFile]);
    half?.interrupt();
    await half?.ended;
  }

  public async status(): Promise<Status> {
    const { code, stdout } = await this.host.exec(`[ ! -e ${program} ] || sh ${program} status --json`, {
      check: false,
    });
    return stdout === "" ? { code, state: "open" } : { ...(JSON.parse(stdout) as object), code };
  }

  /** Restarts the host, and says what somebody who knocked at a closed port all the time has heard. */
  public async reboot(how: "power cut" | "clean" = "power cut"): Promise<Probed> {
    const prober = await Prober.start(this.lab, this.host);
    await this.host.reboot(how);
    await this.host.untilBooted();
    await this.reachable();
    return prober.stop();
  }

  public async reachable(): Promise<void> {
    await eventually("a fresh SSH login works", async () => {
      const { stdout } = await this.host.ssh("echo reached", { check: false });
      return stdout === "reached\n";
    });
  }

  public async becomes(wanted: Status, options?: WaitOptions): Promise<void> {
    const shown = `the status is ${JSON.stringify(wanted)}`;
    await eventually(shown, async () => expect(await this.status()).toMatchObject(wanted), options);
  }

  /** Nothing in the host is left of a lock but its log. The watchdog needs a moment to see that it has no work. */
  public async expectNothingLeft(): Promise<void> {
    await eventually("nothing is left", async () => {
      const { stdout } = await this.host.exec(
        `ls -A /var/lib/ssh-only-firewall | grep -v '^log$'
         find /etc /usr/lib /var/lib -name '*ssh-only-firewall*' -not -path '/var/lib/ssh-only-firewall*'
         ls -d /run/ssh-only-firewall.* 2>/dev/null | grep -v 'lock$'
         ! command -v systemctl >/dev/null || systemctl list-units --all --plain --no-legend 'ssh-only*'`,
        { check: false },
      );
      expect(stdout).toBe("");
      expect(this.host.processes().filter((line) => line.includes(program))).toEqual([]);
    });
    expect(await this.ownRules()).toEqual([]);
  }

  public async ownRules(): Promise<string[]> {
    return (await this.host.rules()).split("\n").filter((line) => /ssh_only|SSH_ONLY|SSH_CHECK/.test(line));
  }

  public async hostLog(): Promise<string> {
    return (await this.host.exec("cat /var/lib/ssh-only-firewall/log")).stdout;
  }

  private prepare(
    sources: readonly string[],
    overrides: Partial<HostProps>,
  ): ReturnType<typeof Deployment.prototype.prepare> {
    return this.deployment.prepare({
      allowFrom: [...controllerOnly, ...sources],
      hosts: { old: hostEntry(this.lab, this.host, overrides) },
    });
  }
}
