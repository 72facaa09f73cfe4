/**
 * npm run power-cuts -- [--rounds 20] [--seed 1] [--file-systems ext4,xfs,btrfs]: cuts the power at random moments of a first
 * lock, an update and an unlock, on hosts whose state and init scripts lie on a file system that then loses what was not synced.
 * After each restart and boot: no host that reported success is open, none that is locked is forgotten, and SSH works. Exits with
 * 1 where that does not hold. Runs in a mount namespace of its own (unshare --mount), so that no other program holds the disks; test/campaign/RESULTS.md has the figures.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { hostProgram, launcher, question } from "../../lib/host/program";
import { shellWord } from "../../lib/output/shell-word";
import { type Host, Lab } from "../lab/lab";
import { lockSettings, rulesetsFor } from "../program/support/host-program";
import { randomFrom } from "../support/random";
import { Disk, type FileSystem, MOUNT_AT_BOOT } from "./support/disk";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    "file-systems": { type: "string", default: "ext4,xfs,btrfs" },
  },
});

const PHASES = ["first", "first", "update", "update", "unlock"] as const;
const OWNER = "owner-1";
const BOOT = "set -- /etc/rcS.d/S*ssh-only-firewall; [ ! -e $1 ] || $1 start";

interface Cut {
  readonly code: number;
  readonly state: string;
  readonly rules: string;
  readonly ruleset: string;
}

/** One host, its disk and its random moments. */
class Subject {
  /** The longest that a phase has taken, in milliseconds. */
  private readonly longest = { first: 1_500, update: 1_500, unlock: 700 };
  private readonly random: () => number;
  public readonly breaches: string[] = [];
  public readonly outcomes = new Map<string, number>();
  private number = 0;

  public constructor(
    private readonly lab: Lab,
    private readonly host: Host,
    private readonly disk: Disk,
    seed: number,
  ) {
    this.random = randomFrom(seed);
  }

  public async round(): Promise<void> {
    const phase = PHASES[Math.floor(this.random() * PHASES.length)] as (typeof PHASES)[number];
    const share = this.random();
    const base = this.settings("base");
    if (phase !== "first") {
      await this.must(this.script(base), `${phase}: lock before`);
      await this.must(this.verb(confirmOf(base)), `${phase}: confirm before`);
    }
    const next = this.settings(phase);
    const steps = phase === "unlock" ? [this.verb(`unlock ${OWNER}`)] : [this.script(next), this.verb(confirmOf(next))];
    const after = Math.round(share * this.longest[phase] * 1.1);
    const done = await this.cutDuring(phase, steps, after);
    const name = `${this.disk.type} ${++this.number}: ${phase}, cut after ${after} ms, ${done} of ${steps.length} done`;
    await this.judge(name, phase, done === steps.length, base, next);
    await this.mustOpen(name);
  }

  /** How many of the steps have reported success when the power goes. */
  private async cutDuring(phase: keyof typeof this.longest, steps: readonly string[], after: number): Promise<number> {
    let done = 0;
    const begin = Date.now();
    const run = async (): Promise<void> => {
      for (const input of steps) {
        const { code } = await this.host.exec("sh -s", { input, check: false });
        if (code !== 0) {
          return;
        }
        done++;
      }
      this.longest[phase] = Math.max(this.longest[phase], Date.now() - begin);
    };
    const running = run().catch(() => undefined);
    await sleep(after);
    const reported = done;
    await this.disk.cut(this.host);
    await running;
    await this.host.start();
    await this.host.exec(BOOT, { check: false });
    return reported;
  }

  private async judge(
    name: string,
    phase: (typeof PHASES)[number],
    succeeded: boolean,
    base: Record<string, string>,
    next: Record<string, string>,
  ): Promise<void> {
    const { code, state, rules, ruleset } = await this.ask();
    const was = `${phase} ${succeeded ? "done" : "cut"} -> ${state}`;
    this.outcomes.set(was, (this.outcomes.get(was) ?? 0) + 1);
    const { open, closed } = await this.lab.scanTcp(this.host, { ports: "22,80" });
    const isClosed = !closed.includes(80);
    const expected = (condition: boolean, what: string): void => {
      if (!condition) {
        this.breaches.push(`${name}: ${what} (status ${code} ${state} ${rules})`);
        process.stdout.write(`BREACH ${this.breaches.at(-1)}\n`);
      }
    };
    expected(open.includes(22) && (await this.host.ssh("echo in", { check: false })).stdout === "in\n", "no login");
    expected(code === 0, "status is not well");
    expected(isClosed === (state === "locked"), `called ${state}, and port 80 is ${isClosed ? "closed" : "open"}`);
    if (phase === "unlock") {
      expected(!succeeded || state === "open", "unlocked, and locked again");
    } else {
      const allowed = [...(succeeded ? [] : [phase === "first" ? "" : base.RULESET]), next.RULESET];
      expected(allowed.includes(ruleset) || (phase === "first" && !succeeded && state === "open"), "another ruleset");
      const confirm = await this.host.exec("sh -s", { input: this.verb(confirmOf(next)), check: false });
      expected((confirm.code === 0) === (ruleset === next.RULESET), `confirm ends with ${confirm.code}`);
    }
  }

  private async mustOpen(name: string): Promise<void> {
    const { code, stderr } = await this.host.exec("sh -s", { input: this.verb(`unlock ${OWNER}`), check: false });
    const { closed } = await this.lab.scanTcp(this.host, { ports: "80" });
    if (code !== 0 || !closed.includes(80)) {
      this.breaches.push(
        `${name}: unlock ends with ${code}, port 80 ${closed.includes(80) ? "open" : "closed"}: ${stderr}`,
      );
      process.stdout.write(`BREACH ${this.breaches.at(-1)}\n`);
    }
  }

  private async ask(): Promise<Cut> {
    const { stdout } = await this.host.exec("sh -s", { input: question(), check: false });
    const [, code = "-1", json = "{}"] = /^ssh-only-firewall-status (\d+) (\{.*\})$/m.exec(stdout) ?? [];
    return { state: "", rules: "", ruleset: "", ...(JSON.parse(json) as object), code: Number(code) };
  }

  /** Each with another ruleset and another program, as an update of this package has. */
  private settings(phase: string): Record<string, string> {
    const deniedOutbound = phase === "update" ? "drop" : "reject";
    return lockSettings({
      ...rulesetsFor(22, { deniedOutbound }),
      OWNER,
      PERSIST: "true",
      CONFIRM_WITHIN: "60",
      PROGRAM: withComment(phase),
      FROM: `10.77.0.1 40000 ${this.host.ipv4} 22`,
    });
  }

  private readonly script = (settings: Record<string, string>): string => {
    const constants = Object.entries(settings).map(([name, value]) => `SSH_ONLY_${name}=${shellWord(value)}`);
    return `${constants.join("\n")}\n{ exec </dev/null; set -- lock; eval "$SSH_ONLY_PROGRAM"; exit; }\n`;
  };

  /** As Terraform runs it. */
  private readonly verb = (words: string): string =>
    `cat >/var/tmp/verb.sh <<'END'\nSSH_ONLY_VERB='${words}'\n${launcher()}\nEND\nsh /var/tmp/verb.sh; code=$?; : >/var/tmp/verb.sh; exit $code\n`;

  private async must(input: string, what: string): Promise<void> {
    const { code, stdout, stderr } = await this.host.exec("sh -s", { input, check: false });
    if (code !== 0) {
      throw new Error(`${this.disk.type}: ${what}: exit code ${code}\n${stdout}${stderr}`);
    }
  }
}

const confirmOf = ({ OWNER: owner, ATTEMPT, RULESET }: Record<string, string>): string =>
  `confirm ${owner} ${ATTEMPT} ${RULESET}`;

/** The host program as another version, with its size. */
function withComment(text: string): string {
  const longer = hostProgram().replace("\nset -eu\n", `\nset -eu\nversion_of_test=${text}\n`);
  return longer.replace(/\(\d+ bytes\)/, `(${String(longer.trimEnd().length).padStart(6, "0")} bytes)`);
}

async function main(): Promise<void> {
  const types = options["file-systems"].split(",") as FileSystem[];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "power-cuts-"));
  const disks: Disk[] = [];
  const subjects: Subject[] = [];
  const lab = await Lab.create({ hosts: types.map((type) => ({ name: type, boot: MOUNT_AT_BOOT })) });
  try {
    // Behind the lab, which would have the mounts too: what is mounted elsewhere stays in memory.
    for (const type of types) {
      disks.push(await Disk.make(type, folder));
    }
    await Promise.all(
      disks.map(async (disk, index) => {
        const host = lab.host(disk.type);
        await host.exec(`echo '${disk.line}' >/etc/lab-disk`);
        await host.reboot();
        const subject = new Subject(lab, host, disk, Number(options.seed) * 1000 + index);
        subjects.push(subject);
        for (let round = 0; round < Number(options.rounds); round++) {
          await subject.round();
        }
        process.stdout.write(
          `${disk.type}, seed ${options.seed}, ${options.rounds} cuts, ${subject.breaches.length} breaches\n`,
        );
        for (const [outcome, times] of [...subject.outcomes].sort()) {
          process.stdout.write(`  ${outcome}: ${times}\n`);
        }
      }),
    );
  } finally {
    await lab.destroy();
    await Promise.all(disks.map((disk) => disk.remove()));
    fs.rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = subjects.every(({ breaches }) => breaches.length === 0) ? 0 : 1;
}

void main();
