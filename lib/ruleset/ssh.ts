/** SSH itself: who may open a session, and what the host may answer. */
import type { Policy } from "../policy/policy";
import { ACCEPT, byAddress, type Group, type Rule, type Topic } from "./rule";

export function ssh(policy: Policy): Topic {
  return { input: sessions(policy), output: replies(policy) };
}

function sessions(policy: Policy): Group {
  const port = policy.sshPort;
  const rate = policy.mode === "observe" ? undefined : policy.newConnectionsPerMinute;
  const comment = [
    `SSH: TCP port ${port} from the allowed sources. No connection state is checked: sessions that are already open continue.`,
  ];
  const limit = [
    `Each source address (over IPv6, each /64) may open ${rate} connections a minute; more are dropped.`,
    "Connections that are open already do not count.",
  ];
  return {
    comment: rate === undefined ? comment : [...comment, ...limit],
    rules: byAddress(policy.sources).flatMap((end): readonly Rule[] => {
      const toSsh = { ...end, protocol: "tcp", destinationPort: port } as const;
      const accept: Rule = { ...toSsh, verdict: ACCEPT };
      return rate === undefined
        ? [accept]
        : [{ ...toSsh, flags: "syn", verdict: { kind: "drop-above", perMinute: rate } }, accept];
    }),
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
