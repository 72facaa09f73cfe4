/** SSH itself: who may open a session, and what the host may answer. */
import type { Policy } from "../policy/policy";
import { ACCEPT, byAddress, type Group, type Topic } from "./rule";

export function ssh(policy: Policy): Topic {
  return { input: sessions(policy), output: replies(policy) };
}

function sessions(policy: Policy): Group {
  const port = policy.sshPort;
  return {
    comment: [
      `SSH: TCP port ${port} from the allowed sources. No connection state is checked: sessions that are already open continue.`,
    ],
    rules: byAddress(policy.sources).map((end) => ({
      ...end,
      protocol: "tcp",
      destinationPort: port,
      verdict: ACCEPT,
    })),
  };
}

function replies(policy: Policy): Group {
  return {
    comment: [
      "SSH: replies to the allowed sources. A SYN without ACK never leaves, so no connection can be opened from the SSH",
      "port. No connection state is checked here either: the kernel needs no connection table, which a flood could fill.",
    ],
    rules: byAddress(policy.sources).map((end) => ({
      ...end,
      protocol: "tcp",
      sourcePort: policy.sshPort,
      flags: "not-opening",
      verdict: ACCEPT,
    })),
  };
}
