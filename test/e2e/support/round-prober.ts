/** A machine that knocks at closed ports all the time. */
import type { ChildProcess } from "node:child_process";
import * as path from "node:path";
import { listenerPorts, type Place, type Target } from "../../lab/lab";
import { eventually } from "../../support/eventually";

type Kind = "tcp4" | "tcp6" | "udp4" | "udp6";

/** Rounds are numbered from 0; in each, one knock of every kind. */
export interface Knocks {
  readonly rounds: number;
  /** The rounds that were answered. */
  readonly answered: Readonly<Record<Kind, readonly number[]>>;
}

export const noAnswers: Knocks["answered"] = { tcp4: [], tcp6: [], udp4: [], udp6: [] };

export class Prober {
  /** Knocks at a TCP and a UDP port on which a lab host with listeners listens. */
  public static async start(from: Place, host: Target): Promise<Prober> {
    const program = path.join(__dirname, "probe-rounds.mjs");
    const ports = [String(listenerPorts.tcp[0]), String(listenerPorts.udp[0])];
    const child = from.spawn([process.execPath, program, host.ipv4, host.ipv6, ...ports]);
    const prober = new Prober(child);
    await eventually("the prober knocks", () => prober.said.startsWith("ready\n"));
    return prober;
  }

  private said = "";
  private complaints = "";

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (this.complaints += chunk.toString()));
  }

  public async stop(): Promise<Knocks> {
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin?.end();
    await gone;
    const report = this.said.slice("ready\n".length);
    if (report === "") {
      throw new Error(`The prober did not finish: ${this.complaints}`);
    }
    return JSON.parse(report) as Knocks;
  }
}

/** Of each kind the rounds that were answered although an earlier one was not. */
export function openedAgain({ answered }: Knocks): Knocks["answered"] {
  const again = Object.entries(answered).map(([kind, rounds]) => {
    const sorted = [...rounds].sort((a, b) => a - b);
    return [kind, sorted.filter((round, index) => round !== index)];
  });
  return Object.fromEntries(again) as Knocks["answered"];
}
