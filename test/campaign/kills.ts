/**
 * npm run campaign -- [--rounds 20] [--seed 1] [--hosts 3] [--tracker null_resource] [--pg CONNECTION]: Terraform is ended at
 * random moments of a first deploy, an update, a take-out and a destroy, with a host that is slow, refuses or does not answer
 * among them; or the disk with its state is full from that moment on, or another deploy begins without the state's lock, or its
 * state is replaced by an older one. After each, no host that a scan finds open, or that is pending, may be called locked by the
 * state or by the review of the next plan; and one more deploy, with at most the command that its error names, must
 * bring all hosts to what the configuration says. Exits with 1 where that does not hold. Needs a mount namespace of its own.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { LocalBackend, PgBackend, type TerraformStack } from "cdktf";
import { type HostProps, PolicyException, type TrackerKind } from "../../lib/index";
import { readPlan } from "../../lib/review/plan";
import { reviewPlan } from "../../lib/review/review";
import { hostsIn } from "../../lib/state/hosts";
import { readSource } from "../../lib/state/source";
import { readState } from "../../lib/state/state";
import { type Host, Lab, machine, type RunResult } from "../lab/lab";
import { nullProvider, type ProviderChoice } from "../lab/terraform";
import { type DeploymentProps, hostEntry } from "../e2e/support/deployment";
import { Apply, isAtRest } from "../e2e/support/drill";
import { lockedHosts, statusOf, TrackedDeployment, words } from "../e2e/support/tracked-deployment";
import { eventually } from "../support/eventually";
import { randomFrom } from "../support/random";
import { defined } from "../support/required";

const PHASES = ["first", "update", "take-out", "destroy"] as const;
const FAULTS = ["none", "slow", "refuses", "silent"] as const;
const SIGNALS = ["SIGKILL", "SIGTERM", "SIGINT"] as const;
const ENDS = [
  ...["SIGKILL", "SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGINT twice"],
  ...["full disk", "another deploy", "older state"],
];

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    hosts: { type: "string", default: "3" },
    tracker: { type: "string", default: "null_resource" },
    pg: { type: "string" },
  },
});

/** About as long as a deploy takes: Terraform takes ten hosts at a time. */
const LONGEST_MS = 1_000 * Math.max(6, Number(options.hosts) / 2);

class CampaignDeployment extends TrackedDeployment {
  public constructor(
    lab: Lab,
    provider: ProviderChoice,
    private readonly schema: string,
  ) {
    super(lab, options.tracker as TrackerKind, provider);
  }

  protected override addTo(stack: TerraformStack): void {
    if (options.pg === undefined) {
      new LocalBackend(stack, { path: this.stateFile });
    } else {
      new PgBackend(stack, { connStr: options.pg, schemaName: this.schema });
    }
  }

  public get stateFile(): string {
    return path.join(disk, `${this.schema}.tfstate`);
  }
}

/** Its own small file system, for the states. */
const disk = fs.mkdtempSync(path.join(os.tmpdir(), "kills-"));

interface Round {
  readonly phase: (typeof PHASES)[number];
  readonly fault: (typeof FAULTS)[number];
  readonly end: string;
  readonly after: number;
}

class Campaign {
  private readonly random = randomFrom(Number(options.seed));
  private readonly faulty: Host;

  public constructor(
    private readonly lab: Lab,
    private readonly provider: ProviderChoice,
  ) {
    this.faulty = defined(lab.hosts.at(-1));
  }

  private pick<T>(from: readonly T[]): T {
    return defined(from[Math.floor(this.random() * from.length)]);
  }

  /** What went wrong. */
  public async run(number: number): Promise<{ round: Round; wrong: string[] }> {
    const round: Round = {
      phase: this.pick(PHASES),
      fault: this.pick(FAULTS),
      end: this.pick(options.pg === undefined ? ENDS : ENDS.filter((end) => end !== "full disk")),
      after: Math.floor(this.random() * LONGEST_MS),
    };
    const deployment = new CampaignDeployment(this.lab, this.provider, `round_${process.pid}_${number}`);
    if (round.phase !== "first") {
      await deployment.apply(this.props("first"));
    }
    await this.breakOne(round.fault);
    await this.endOne(deployment, round);
    await this.mend(round.fault);
    // What an older state says is true of an older time.
    const claims = round.end !== "older state";
    const wrong = claims ? await this.falseClaims(deployment, round, "at once") : [];
    await eventually("all are at rest", () => this.lab.hosts.every(isAtRest), { seconds: 60 });
    wrong.push(...(claims ? await this.falseClaims(deployment, round, "at rest") : []));
    wrong.push(...(await this.afterOneMore(deployment, round)));
    await this.cleanUp(deployment);
    return { round, wrong };
  }

  /** Runs what the round is about, and ends it. */
  private async endOne(deployment: CampaignDeployment, { phase, end, after }: Round): Promise<void> {
    const terraform = await deployment.prepare(this.props(phase));
    const before = await terraform.run(["state", "pull"], { check: false });
    const args = phase === "destroy" ? ["-destroy"] : [];
    const apply = Apply.start(this.lab, terraform, ...args);
    await sleep(after);
    const [signal] = SIGNALS.filter((one) => end.startsWith(one));
    if (signal !== undefined) {
      apply.signal(signal);
    }
    if (end === "SIGINT twice") {
      await sleep(300);
      apply.signal("SIGINT");
    }
    if (end === "full disk") {
      await machine.exec(`head -c 100m /dev/zero >${disk}/full`, { check: false });
    }
    if (end === "another deploy") {
      await terraform.apply(["-lock=false", ...args], { check: false });
    }
    await apply.ended;
    await machine.exec(`rm -f ${disk}/full`);
    if (end === "older state" && before.stdout.trim() === "") {
      fs.rmSync(deployment.stateFile, { force: true });
    } else if (end === "older state") {
      await terraform.run(["state", "push", "-force", "-"], { input: before.stdout });
    }
  }

  private props(phase: Round["phase"], more: Partial<DeploymentProps> = {}): DeploymentProps {
    const hosts = this.expected(phase === "destroy" ? "first" : phase);
    return {
      confirmWithinSeconds: 10,
      ...(phase === "update" ? { exceptions: [PolicyException.ping()] } : {}),
      ...more,
      hosts: Object.fromEntries(
        hosts.map((host): [string, HostProps] => [
          host.name,
          hostEntry(this.lab, host, { connection: { timeoutSeconds: 8 } }),
        ]),
      ),
    };
  }

  /** The hosts that are locked once all is done. */
  private expected(phase: Round["phase"]): readonly Host[] {
    const { hosts } = this.lab;
    return phase === "destroy" ? [] : phase === "take-out" ? hosts.filter((_, index) => index !== 1) : hosts;
  }

  private async breakOne(fault: Round["fault"]): Promise<void> {
    const breaks = {
      none: "true",
      slow: "sed -i 's|^\\(root:.*:\\)[^:]*$|\\1/usr/local/bin/slow-login|' /etc/passwd",
      refuses: "mv /usr/bin/sha256sum /usr/bin/sha256sum.away",
      silent: "pkill -STOP -o -x sshd",
    };
    await this.faulty.exec(breaks[fault]);
  }

  private async mend(fault: Round["fault"]): Promise<void> {
    const mends = {
      none: "true",
      slow: "sed -i 's|^\\(root:.*:\\)[^:]*$|\\1/bin/sh|' /etc/passwd",
      refuses: "mv /usr/bin/sha256sum.away /usr/bin/sha256sum",
      silent: "pkill -CONT -o -x sshd",
    };
    await this.faulty.exec(mends[fault], { check: false });
  }

  /** Hosts that somebody calls locked, and that are open or pending. */
  private async falseClaims(deployment: TrackedDeployment, round: Round, when: string): Promise<string[]> {
    const claims = await this.claimsOf(deployment, round);
    const found = await Promise.all(
      this.lab.hosts.map(async (host) => {
        const { state = "open" } = (await statusOf(host)) ?? {};
        const isOpen = state !== "locked" || (await this.lab.scanTcp(host, { ports: "80" })).open.length > 0;
        return Object.entries(claims).flatMap(([who, locked]) =>
          isOpen && locked.includes(host.name) ? [`${when}, ${host.name} is ${state}, and locked says the ${who}`] : [],
        );
      }),
    );
    return found.flat();
  }

  /** Which hosts are locked, by whoever says so. */
  private async claimsOf(deployment: TrackedDeployment, { phase }: Round): Promise<Record<string, readonly string[]>> {
    const terraform = await deployment.prepare(this.props(phase));
    const planned = await terraform
      .plan(phase === "destroy" ? ["-destroy"] : [])
      .then(async ({ file }) => readPlan(Buffer.from(JSON.stringify(await terraform.showJson(file)))))
      .catch(() => undefined);
    const reviewed = planned === undefined ? [] : reviewPlan(planned).hosts;
    return {
      state: await lockedIn(deployment),
      review: reviewed.flatMap(({ key, outcome }) => (outcome === "stay" ? [key] : [])),
    };
  }

  private async afterOneMore(deployment: TrackedDeployment, { phase }: Round): Promise<string[]> {
    const again = async (more: Partial<DeploymentProps>, ...args: string[]): Promise<RunResult> => {
      const terraform = await deployment.prepare(this.props(phase, more));
      return terraform.apply([...(phase === "destroy" ? ["-destroy"] : []), ...args], { check: false });
    };
    // As Terraform says, where it could not write the state; it refuses where another run has.
    const errored = path.join(deployment.terraform.folder, "errored.tfstate");
    if (fs.existsSync(errored)) {
      await deployment.terraform.run(["state", "push", errored], { check: false });
      fs.rmSync(errored);
    }
    let result = await again({});
    if (result.code !== 0) {
      const said = words(result);
      const replaced = [
        ...new Set([...said.matchAll(/-replace='([^']*)'/g)].map(([, address]) => `-replace=${address}`)),
      ];
      const takes = /takeOver to "same-stack"/.test(said);
      result = await again(takes ? { takeOver: "same-stack" } : {}, ...replaced);
    }
    if (result.code !== 0) {
      return [`not mended: ${words(result).slice(-600)}`];
    }
    const expected = this.expected(phase)
      .map(({ name }) => name)
      .sort();
    const locked = (await lockedHosts(this.lab.hosts)).toSorted();
    const claimed = await lockedIn(deployment);
    return [
      ...(locked.join() === expected.join() ? [] : [`locked are ${locked.join()}, not ${expected.join()}`]),
      ...(claimed.join() === expected.join() ? [] : [`called locked are ${claimed.join()}, not ${expected.join()}`]),
    ];
  }

  private async cleanUp(deployment: CampaignDeployment): Promise<void> {
    await deployment.terraform.destroy([], { check: false });
    await machine.exec(`rm -f ${deployment.stateFile}*`);
    const program = "/var/lib/ssh-only-firewall/host.sh";
    await Promise.all(
      this.lab.hosts.map((host) => host.exec(`[ ! -e ${program} ] || sh ${program} unlock`, { check: false })),
    );
  }
}

/** The hosts that `status` calls locked. */
async function lockedIn(deployment: TrackedDeployment): Promise<string[]> {
  const { stdout } = await deployment.terraform.run(["state", "pull"], { check: false });
  const isLeftOut = fs.existsSync(path.join(deployment.terraform.folder, "errored.tfstate")) && isRefused(deployment);
  const hosts = stdout.trim() === "" || isLeftOut ? [] : hostsIn(readState(stdout));
  return hosts.flatMap(({ key, claim }) => (claim === "locked" ? [key] : [])).sort();
}

/** Whether `status` says that the state is not the last one. */
function isRefused(deployment: TrackedDeployment): boolean {
  try {
    readSource(deployment.terraform.folder);
    return false;
  } catch {
    return true;
  }
}

async function main(): Promise<void> {
  await machine.exec(`mount -t tmpfs -o size=${500 + Number(options.hosts) * 100}k states ${disk}`);
  const names = Array.from({ length: Number(options.hosts) }, (_, index) => ({ name: `web-${index + 1}` }));
  const slow =
    "printf '#!/bin/sh\\nsleep 2\\nexec /bin/sh \"$@\"\\n' >/usr/local/bin/slow-login; chmod 0755 /usr/local/bin/slow-login";
  const lab = await Lab.create({ hosts: names.map((one) => ({ ...one, provision: slow, listeners: true })) });
  const provider = await nullProvider(lab);
  let failed = 0;
  try {
    const campaign = new Campaign(lab, provider);
    for (let number = 1; number <= Number(options.rounds); number++) {
      const { round, wrong } = await campaign.run(number);
      const { phase, fault, end, after } = round;
      console.log([number, phase, fault, end, `${after} ms`, ...(wrong.length === 0 ? ["right"] : wrong)].join("\t"));
      failed += wrong.length === 0 ? 0 : 1;
    }
  } finally {
    provider.stop();
    await lab.destroy();
    await machine.exec(`umount ${disk} && rmdir ${disk}`);
  }
  console.log(
    `${options.rounds} rounds, ${failed} wrong (seed ${options.seed}, ${options.tracker}, ${options.pg === undefined ? "local" : "pg"}).`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
