/** Deployments with either kind of resource, and what they left on hosts and in the state. */
import type { TrackerKind } from "../../../lib/index";
import type { Host, Lab, RunResult } from "../../lab/lab";
import { nullProvider, type ProviderChoice, Terraform } from "../../lab/terraform";
import { Deployment, type DeploymentProps } from "./deployment";

/** SSH_ONLY_LAB_TRACKER chooses one. */
export const TRACKERS: readonly TrackerKind[] = (["null_resource", "terraform_data"] as const).filter((one) =>
  [one, undefined].includes(process.env.SSH_ONLY_LAB_TRACKER as TrackerKind | undefined),
);

/** One kind of resource in one lab, with the provider that it needs. */
export class Tracking {
  public static async with(lab: Lab, tracker: TrackerKind): Promise<Tracking> {
    return new Tracking(lab, tracker, tracker === "null_resource" ? await nullProvider(lab) : undefined);
  }

  private constructor(
    private readonly lab: Lab,
    private readonly tracker: TrackerKind,
    private readonly provider: ProviderChoice | undefined,
  ) {}

  /** A deployment with a state of its own. */
  public deployment(): TrackedDeployment {
    return new TrackedDeployment(this.lab, this.tracker, this.provider);
  }

  public stop(): void {
    this.provider?.stop();
  }
}

export class TrackedDeployment extends Deployment {
  public constructor(
    private readonly where: Lab,
    private readonly tracker: TrackerKind,
    private readonly provider: ProviderChoice | undefined,
  ) {
    super(where);
  }

  public override prepare(props: DeploymentProps = {}): Promise<Terraform> {
    return super.prepare({ tracker: this.tracker, ...props });
  }

  /** As `apply`, but one that fails does not throw. */
  public async tryApply(props: DeploymentProps = {}): Promise<RunResult> {
    return (await this.prepare(props)).apply([], { check: false });
  }

  public override get terraform(): Terraform {
    return new Terraform(this.where, this.stack.folder, this.provider);
  }

  /** What Terraform would do, without seals and what it would leave alone: `delete,create lockdown.web-1`. */
  public async planned(props: DeploymentProps): Promise<string[]> {
    const terraform = await this.prepare(props);
    return changesIn(await terraform.showJson<PlanJson>((await terraform.plan()).file));
  }

  /** The instances in the state but for seals: `lockdown.web-1`, with `(tainted)` behind those that are to be made again. */
  public async tracked(): Promise<string[]> {
    const { values } = await this.terraform.showJson<StateJson>();
    return (values?.root_module.resources ?? [])
      .filter(isNoSeal)
      .map((one) => `${shortName(one)}${one.tainted === true ? " (tainted)" : ""}`);
  }
}

interface ResourceJson {
  readonly name: string;
  readonly index?: string;
  readonly tainted?: boolean;
}

interface StateJson {
  readonly values?: { readonly root_module: { readonly resources?: ResourceJson[] } };
}

export interface PlanJson {
  readonly resource_changes?: ReadonlyArray<
    ResourceJson & { readonly change: { readonly actions: readonly string[] } }
  >;
}

export function changesIn(plan: PlanJson): string[] {
  return (plan.resource_changes ?? [])
    .filter((one) => one.change.actions.join() !== "no-op" && isNoSeal(one))
    .map((one) => `${one.change.actions.join()} ${shortName(one)}`)
    .sort();
}

/** Relocks are not left out: they lock hosts. */
const isNoSeal = ({ name }: ResourceJson): boolean => !/_(re)?seal(_|$)/.test(name);

function shortName({ name, index }: ResourceJson): string {
  return `${name.replace("firewall_", "").replace(/(_host_[0-9a-f]{12}|_16_\d\d)$/, "")}.${index}`;
}

/** What a host itself says of its lock. */
export interface HostStatus {
  readonly state: string;
  readonly rules: string;
  readonly owner: string;
  readonly ruleset: string;
  readonly backend: string;
  readonly lockedAt: string;
}

export async function statusOf(host: Host): Promise<HostStatus | undefined> {
  const program = "/var/lib/ssh-only-firewall/host.sh";
  const { stdout } = await host.exec(`[ ! -e ${program} ] || sh ${program} status --json`, { check: false });
  return stdout === "" ? undefined : (JSON.parse(stdout) as HostStatus);
}

/** Which hosts are locked and confirmed with live rules; of an open one not a rule may be left. */
export async function lockedHosts(hosts: readonly Host[]): Promise<string[]> {
  const all = await Promise.all(
    hosts.map(async (host) => {
      const status = await statusOf(host);
      if (status?.state === "locked" && status.rules === "matches") {
        return [host.name];
      }
      const rules = await host.rules();
      if (status !== undefined || /ssh_only/i.test(rules)) {
        throw new Error(`${host.name} is neither locked nor open: ${JSON.stringify(status)}\n${rules}`);
      }
      return [];
    }),
  );
  return all.flat();
}

/** The name of the lock that is in force: another one after every run of lock and confirm. */
export async function lockIdOf(host: Host): Promise<string> {
  return (await host.exec("cat /var/lib/ssh-only-firewall/confirmed")).stdout.trim().replace(/ .*/s, "");
}

/** What the host program offers somebody on the console. */
export const openByHand =
  "[ ! -e /var/lib/ssh-only-firewall/host.sh ] || sh /var/lib/ssh-only-firewall/host.sh unlock >/dev/null";

/** What Terraform said, on one line, without its frames. */
export function words({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `${stdout}\n${stderr}`.replace(/[│╷╵]/g, " ").replace(/\s+/g, " ");
}
