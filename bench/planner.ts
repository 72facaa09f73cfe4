/** Terraform on a project: its plans, what they cost and what they touch. */
import { rmSync, writeFileSync } from "node:fs";
import type { Hosts } from "./fleet";
import { type Project, SOURCES } from "./forms";
import { type Cost, costOf } from "./measure";
import { type PlanJson, stateAfter } from "./state";

export interface PlanCost extends Cost {
  /** "Plan: 2 to add, 0 to change, 1 to destroy", or "No changes". */
  readonly summary: string;
}

const KILLED = 128 + 9;
const PLAN = ["terraform", "plan", "-input=false", "-no-color", "-detailed-exitcode", "-out=bench.tfplan"];

export class Planner {
  private isInitialised = false;

  public constructor(public readonly project: Project) {}

  public plan(): PlanCost {
    const most = 900;
    const cost = this.planWithin(most);
    if (cost === undefined) {
      throw new Error(`A plan of ${this.project.folder} takes longer than ${most} s`);
    }
    return cost;
  }

  /** Undefined where it takes longer than that, and was ended. */
  public planWithin(timeoutSeconds: number): PlanCost | undefined {
    const cwd = this.project.stack;
    if (!this.isInitialised) {
      costOf(["terraform", "init", "-input=false", "-no-color"], { cwd });
      this.isInitialised = true;
    }
    const { seconds, megabytes, stdout, code } = costOf(PLAN, { cwd, codes: [0, 2, KILLED], timeoutSeconds });
    if (code === KILLED) {
      if (seconds < timeoutSeconds) {
        throw new Error(`A plan of ${this.project.folder} was killed after ${seconds} s: is there too little memory?`);
      }
      return undefined;
    }
    const [summary] = /^Plan: .*(?=\.$)|^No changes|^Changes to Outputs/m.exec(stdout) ?? [];
    if (summary === undefined) {
      throw new Error(`What does this plan do?\n${stdout.slice(-2000)}`);
    }
    return { seconds, megabytes, summary };
  }

  /** From now on the hosts of the last plan are locked, as far as Terraform knows. */
  public pretendApplied(): void {
    const { stdout } = costOf(["terraform", "show", "-json", "bench.tfplan"], { cwd: this.project.stack });
    writeFileSync(this.project.state, JSON.stringify(stateAfter(JSON.parse(stdout) as PlanJson)));
    // No host is asked for the outputs.
    if (this.plan().summary === "Changes to Outputs") {
      costOf(["terraform", "apply", "-input=false", "-no-color", "bench.tfplan"], { cwd: this.project.stack });
    }
  }

  public forget(): void {
    rmSync(this.project.state, { force: true });
  }

  /** All three: of hosts that are new, of hosts that are locked, of hosts that get another ruleset. */
  public threePlans(hosts: Hosts): Record<"first" | "noop" | "changed", PlanCost> {
    this.forget();
    this.project.synth(hosts);
    const first = this.plan();
    this.pretendApplied();
    const noop = this.plan();
    if (noop.summary !== "No changes") {
      throw new Error(`The state of ${this.project.folder} is not what its configuration says: ${noop.summary}`);
    }
    this.project.synth(hosts, SOURCES[1]);
    return { first, noop, changed: this.plan() };
  }
}
