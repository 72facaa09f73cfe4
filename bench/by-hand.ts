/** Hosts locked by the host program alone, without SSH and Terraform. */
import type { PolicyProps } from "../lib/policy/policy";
import type { Host } from "../test/lab/lab";
import { lockScript } from "../test/e2e/support/lock-script";

export const PROGRAM = "sh /var/lib/ssh-only-firewall/host.sh";

/** Locks and confirms; again, it changes the ruleset. Returns the owner. */
export async function lockByHand(
  host: Host,
  policy?: PolicyProps,
  settings?: Parameters<typeof lockScript>[2],
): Promise<string> {
  const lock = lockScript(host, policy, settings);
  await host.exec("cat >/tmp/lock.sh", { input: lock.script });
  await host.exec(`sh /tmp/lock.sh && ${PROGRAM} ${lock.confirm}`);
  return lock.owner;
}

export async function unlockByHand(host: Host): Promise<void> {
  await host.exec(`${PROGRAM} unlock`);
}
