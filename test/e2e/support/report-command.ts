/** What the command `report` says of hosts of a lab. */
import type { HostUsage, UsageReport } from "../../../lib/report/usage-report";
import { program } from "../../cli/support/run";
import type { Lab, RunResult } from "../../lab/lab";
import { terraformEnvironment } from "../../lab/terraform";
import type { Deployment } from "./deployment";

/** As an operator would run it, in the folder of what was deployed. */
export const runReport = (lab: Lab, deployment: Deployment, ...args: readonly string[]): Promise<RunResult> =>
  lab.controller.exec(program("ssh-only-firewall", "report", ...args, "--identity", lab.privateKeyPath), {
    check: false,
    cwd: deployment.stack.folder,
    env: terraformEnvironment(lab),
  });

/** Of a fleet in which every host can be asked. */
export async function reported(lab: Lab, deployment: Deployment): Promise<readonly HostUsage[]> {
  const { code, stdout, stderr } = await runReport(lab, deployment, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return (JSON.parse(stdout) as UsageReport).hosts;
}

/** "in udp 192.0.2.1 53", and for a protocol without ports "in icmp 192.0.2.1 -". */
export const named = ({ direction, protocol, peer, port }: HostUsage["denied"][number]): string =>
  `${direction} ${protocol} ${peer} ${port ?? "-"}`;
