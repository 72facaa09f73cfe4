/** Random sequences of what people do to a host and what happens to it, and what must hold afterwards. */
import * as fc from "fast-check";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../support/eventually";
import type { Host } from "../../lab/lab";
import { scanTcp } from "../../lab/scan";
import type { Place } from "../../lab/run";
import { HostProgram, lockSettings, rulesetsFor, STATE, watchdogs } from "./host-program";

/** Each is a word with what it needs: a sequence is printed as such, and `--script` runs it again. */
export type Action =
  | {
      readonly do: "lock";
      readonly owner: 1 | 2;
      readonly rules: "good" | "cutting" | "observing";
      readonly killAfterMs?: number;
    }
  | { readonly do: "confirm"; readonly which: "last" | "first" | "made-up"; readonly killAfterMs?: number }
  | { readonly do: "unlock"; readonly owner: 1 | 2; readonly killAfterMs?: number }
  | { readonly do: "rollback" | "flush" | "power cut" }
  | { readonly do: "kill"; readonly what: "watchdog" | "guard" }
  | { readonly do: "lose" | "truncate"; readonly file: string }
  | { readonly do: "wait"; readonly seconds: number };

const killAfterMs = fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined, freq: 3 });
const owner = fc.constantFrom(1 as const, 1 as const, 2 as const);
const FILES = ["pending", "confirmed", "host.sh", "records/*/meta", "records/*/nftables", "records/*/listing"];

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        do: fc.constant("lock" as const),
        owner,
        rules: fc.constantFrom("good", "good", "cutting", "observing"),
        killAfterMs,
      },
      { requiredKeys: ["do", "owner", "rules"] },
    ) as fc.Arbitrary<Action>,
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("confirm" as const),
      which: fc.constantFrom("last", "last", "last", "first", "made-up"),
      killAfterMs,
    }) as fc.Arbitrary<Action>,
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("unlock" as const), owner, killAfterMs }) as fc.Arbitrary<Action>,
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("rollback" as const, "flush" as const, "power cut" as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("kill" as const),
      what: fc.constantFrom("watchdog" as const, "guard" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("lose" as const, "truncate" as const),
      file: fc.constantFrom(...FILES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 5 }) }) },
);
export const sequences = fc.array(action, { minLength: 2, maxLength: 8 });

const CONFIRM_WITHIN = "4";
/** Time limit, guard's time and the minute after which it takes over from a watchdog; and a machine that is busy. */
const AT_REST = { seconds: 150 };

/** One sequence on a host that was open before. */
export class Turmoil {
  private readonly locks: Array<Record<string, string>> = [];

  public constructor(
    private readonly host: Host,
    private readonly program: HostProgram,
    private readonly controller: Place,
  ) {}

  /** Throws at what must not be. */
  public async run(actions: readonly Action[]): Promise<void> {
    for (const one of actions) {
      await this.act(one);
    }
    await eventually("a fresh login works", () => this.login(), AT_REST);
    await eventually("nothing is pending", () => this.isAtRest(), AT_REST);
    await this.compare();
    await this.startOver();
  }

  private async act(one: Action): Promise<void> {
    switch (one.do) {
      case "lock":
        return this.killed(one.killAfterMs, "[l]ock", this.lock(one.owner, one.rules));
      case "confirm":
        return this.killed(one.killAfterMs, "[c]onfirm", this.confirm(one.which));
      case "unlock":
        return this.killed(one.killAfterMs, "[u]nlock", this.program.run("unlock", `owner-${one.owner}`));
      case "rollback":
        return void (await this.program.run("rollback"));
      case "flush":
        return void (await this.host.exec(FLUSH, { check: false }));
      case "power cut":
        await this.host.stop();
        return this.host.start();
      case "kill":
        return void (await this.host.exec(`pkill -KILL -f '[h]ost.sh ${one.what}'`, { check: false }));
      case "lose":
        return void (await this.host.exec(`rm -f ${STATE}/${one.file}`, { check: false }));
      case "truncate":
        return void (await this.host.exec(`for file in ${STATE}/${one.file}; do [ ! -f "$file" ] || : >"$file"; done`));
      case "wait":
        return sleep(one.seconds * 1000);
    }
  }

  private lock(owner: 1 | 2, rules: "good" | "cutting" | "observing"): Promise<unknown> {
    const own = {
      OWNER: `owner-${owner}`,
      CONFIRM_WITHIN,
      SKIP_PREFLIGHT: "true",
      ...(rules === "cutting" ? rulesetsFor(2222) : {}),
      ...(rules === "observing" ? { ...rulesetsFor(22, { mode: "observe" }), MODE: "observe" } : {}),
    };
    const settings = lockSettings({ MODE: "enforce", ...own });
    this.locks.push(settings);
    return this.program.lock(settings);
  }

  /** As Terraform does: over a connection that has come through the rules. */
  private async confirm(which: "last" | "first" | "made-up"): Promise<void> {
    const settings = which === "made-up" ? lockSettings() : which === "last" ? this.locks.at(-1) : this.locks[0];
    if (settings !== undefined && (await this.login())) {
      await this.program.confirm(settings);
    }
  }

  /** Ends the verb, and nothing that it has started, after that time. */
  private async killed(afterMs: number | undefined, verb: string, running: Promise<unknown>): Promise<void> {
    if (afterMs !== undefined) {
      await sleep(afterMs);
      const found = `-f 'host-program.sh ${verb}'`;
      const shell = verb === "[l]ock" ? "-x sh" : found;
      await this.host.exec(`pkill -KILL -o ${shell}`, { check: false });
    }
    await running;
  }

  private async login(): Promise<boolean> {
    const { stdout } = await this.host.ssh("echo in", { check: false, options: ["ConnectTimeout=3"] });
    return stdout === "in\n";
  }

  private async isAtRest(): Promise<boolean> {
    const pending = await this.program.stateFile("pending");
    return (pending === undefined || pending === "") && watchdogs(this.host).length === 0;
  }

  /** What `status` says is what a scan from outside shows. */
  private async compare(): Promise<void> {
    const status = await this.program.status();
    const { open } = await scanTcp(this.controller, this.host, 4, "80,8080");
    const closed = open.length === 0;
    if (status.state === "locked" && status.rules === "matches" && !closed) {
      throw new Error(`called locked, and open: ${JSON.stringify(status)}`);
    }
    if (status.state === "open" && status.rules === "none" && closed) {
      throw new Error(`called open, and closed: ${JSON.stringify(status)}`);
    }
  }

  /** Whatever has been, a clean lock, confirm and unlock works, and leaves nothing. */
  private async startOver(): Promise<void> {
    const settings = lockSettings({ TAKE_OVER: "true", MODE: "enforce" });
    for (const result of [
      await this.program.lock(settings),
      await this.program.confirm(settings),
      await this.program.run("unlock"),
    ]) {
      if (result.code !== 0) {
        throw new Error(`a clean run fails with ${result.code}: ${result.stdout}${result.stderr}`);
      }
    }
    // A watchdog looks once a second.
    await eventually("nothing is left", async () => {
      const { stdout } = await this.host.exec(LEFT, { check: false });
      return stdout === "" || Promise.reject(new Error(`an unlock left:\n${stdout}`));
    });
    await this.host.exec(`rm -rf ${STATE}`);
  }
}

const LEFT = `ls ${STATE} 2>/dev/null | grep -vx log; pgrep -fa 'host.sh (guard|watchdog)'
{ nft list ruleset; iptables-save; iptables-legacy-save; } 2>/dev/null | grep -i ssh_only`;

const FLUSH = `nft flush ruleset; for tool in iptables ip6tables iptables-legacy ip6tables-legacy; do
  $tool -F && $tool -X
done; :`;

/** One action a line, as `--script` reads it. */
export const printed = (actions: readonly Action[]): string => actions.map((one) => JSON.stringify(one)).join("\n");
export const parsed = (text: string): Action[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Action);
