/**
 * npm run campaign -- [--rounds 20] [--seed 1] [--hosts 3] [--tracker null_resource] [--pg CONNECTION]: Terraform is ended at
 * random moments of a first deploy, an update, a take-out and a destroy, with a host that is slow, refuses or does not answer
 * among them. After each, no host that is open or pending may be called locked, and one more deploy, with at most the command that its error names,
 * must bring all hosts to what the configuration says. Exits with 1 where that does not hold.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { PgBackend, type TerraformStack } from "cdktf";
import { type HostProps, PolicyException, type TrackerKind } from "../../lib/index";
import { hostsIn } from "../../lib/state/hosts";
import { readState } from "../../lib/state/state";
import { type Host, Lab, type RunResult } from "../lab/lab";
import { nullProvider, type ProviderChoice } from "../lab/terraform";
import { type DeploymentProps, hostEntry } from "../e2e/support/deployment";
import { Apply, isAtRest } from "../e2e/support/drill";
import { lockedHosts, statusOf, TrackedDeployment, words } from "../e2e/support/tracked-deployment";
import { eventually } from "../support/eventually";
import { randomFrom } from "../support/random";
import { defined } from "../support/required";

const PHASES = ["first", "update", "take-out", "destroy"] as const;
const FAULTS = ["none", "slow", "refuses", "silent"] as const;
const SIGNALS = ["SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGINT twice"] as const;
const LONGEST_MS = 6_000;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    hosts: { type: "string", default: "3" },
    tracker: { type: "string", default: "null_resource" },
    pg: { type: "string" },
  },
});

class CampaignDeployment extends TrackedDeployment {
  public constructor(
    lab: Lab,
    provider: ProviderChoice,
    private readonly schema: string,
  ) {
    super(lab, options.tracker as TrackerKind, provider);
  }

  protected override addTo(stack: TerraformStack): void {
    if (options.pg !== undefined) {
      new PgBackend(stack, { connStr: options.pg, schemaName: this.schema });
    }
  }
}

interface Round {
  readonly phase: (typeof PHASES)[number];
  readonly fault: (typeof FAULTS)[number];
  readonly signal: (typeof SIGNALS)[number];
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
      signal: this.pick(SIGNALS),
      after: Math.floor(this.random() * LONGEST_MS),
    };
    const deployment = new CampaignDeployment(this.lab, this.provider, `round_${process.pid}_${number}`);
    if (round.phase !== "first") {
      await deployment.apply(this.props("first"));
    }
    await this.breakOne(round.fault);
    const terraform = await deployment.prepare(this.props(round.phase));
    const apply = Apply.start(this.lab, terraform, ...(round.phase === "destroy" ? ["-destroy"] : []));
    await sleep(round.after);
    apply.signal(round.signal.replace(/ .*/, "") as NodeJS.Signals);
    if (round.signal === "SIGINT twice") {
      await sleep(300);
      apply.signal("SIGINT");
    }
    await apply.ended;
    await this.mend(round.fault);
    const wrong = [...(await this.falseClaims(deployment, "at once"))];
    await eventually("all are at rest", () => this.lab.hosts.every(isAtRest), { seconds: 60 });
    wrong.push(...(await this.falseClaims(deployment, "at rest")));
    wrong.push(...(await this.afterOneMore(deployment, round)));
    await this.cleanUp(deployment);
    return { round, wrong };
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

  /** Hosts that the state calls locked, and that are open or pending. */
  private async falseClaims(deployment: TrackedDeployment, when: string): Promise<string[]> {
    const claims = await claimsOf(deployment);
    const found = await Promise.all(
      this.lab.hosts.map(async (host) => {
        const { state = "open" } = (await statusOf(host)) ?? {};
        return claims.get(host.name) === "locked" && state !== "locked"
          ? [`${when}, ${host.name} is ${state} and called locked`]
          : [];
      }),
    );
    return found.flat();
  }

  private async afterOneMore(deployment: TrackedDeployment, { phase }: Round): Promise<string[]> {
    const again = async (more: Partial<DeploymentProps>, ...args: string[]): Promise<RunResult> => {
      const terraform = await deployment.prepare(this.props(phase, more));
      return terraform.apply([...(phase === "destroy" ? ["-destroy"] : []), ...args], { check: false });
    };
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
    const expected = this.expected(phase).map(({ name }) => name);
    const locked = await lockedHosts(this.lab.hosts);
    const claimed = [...(await claimsOf(deployment))]
      .flatMap(([name, claim]) => (claim === "locked" ? [name] : []))
      .sort();
    return [
      ...(locked.join() === expected.join() ? [] : [`locked are ${locked.join()}, not ${expected.join()}`]),
      ...(claimed.join() === expected.join() ? [] : [`called locked are ${claimed.join()}, not ${expected.join()}`]),
    ];
  }

  private async cleanUp(deployment: TrackedDeployment): Promise<void> {
    await deployment.terraform.destroy([], { check: false });
    const program = "/var/lib/ssh-only-firewall/host.sh";
    await Promise.all(
      this.lab.hosts.map((host) => host.exec(`[ ! -e ${program} ] || sh ${program} unlock`, { check: false })),
    );
  }
}

async function claimsOf(deployment: TrackedDeployment): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await deployment.terraform.run(["state", "pull"], { check: false });
  const hosts = stdout.trim() === "" ? [] : hostsIn(readState(stdout));
  return new Map(hosts.map(({ key, claim }) => [key, claim]));
}

async function main(): Promise<void> {
  const names = Array.from({ length: Number(options.hosts) }, (_, index) => ({ name: `web-${index + 1}` }));
  const slow =
    "printf '#!/bin/sh\\nsleep 2\\nexec /bin/sh \"$@\"\\n' >/usr/local/bin/slow-login; chmod 0755 /usr/local/bin/slow-login";
  const lab = await Lab.create({ hosts: names.map((one) => ({ ...one, provision: slow })) });
  const provider = await nullProvider(lab);
  let failed = 0;
  try {
    const campaign = new Campaign(lab, provider);
    for (let number = 1; number <= Number(options.rounds); number++) {
      const { round, wrong } = await campaign.run(number);
      const { phase, fault, signal, after } = round;
      console.log(
        [number, phase, fault, signal, `${after} ms`, ...(wrong.length === 0 ? ["right"] : wrong)].join("\t"),
      );
      failed += wrong.length === 0 ? 0 : 1;
    }
  } finally {
    provider.stop();
    await lab.destroy();
  }
  console.log(
    `${options.rounds} rounds, ${failed} wrong (seed ${options.seed}, ${options.tracker}, ${options.pg === undefined ? "local" : "pg"}).`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
