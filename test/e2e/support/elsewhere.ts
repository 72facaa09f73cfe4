/** What another program does to the firewall of a host, with whatever tools this machine has. */
import { type Host, machine, type RunResult } from "../../lab/lab";

export function elsewhere(host: Host, command: string): Promise<RunResult> {
  return machine.exec(["nsenter", "--target", String(host.initPid), "--net", "/bin/sh", "-c", command], {
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
}
