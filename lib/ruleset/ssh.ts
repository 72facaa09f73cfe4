/** SSH itself: who may open a session, and what the host may answer. */
import type { Policy } from "../policy/policy";
import { ACCEPT, byAddress, type Rule, type Topic } from "./rule";

export function ssh(policy: Policy): Topic {
  const ends = byAddress(policy.sources);
  const port = policy.sshPort;
  const rate = policy.mode === "observe" ? undefined : policy.newConnectionsPerMinute;
  const inbound: readonly Rule[] = ends.flatMap((end) => {
    const toSsh = { ...end, protocol: "tcp", destinationPort: port } as const;
    const limit: readonly Rule[] =
      rate === undefined ? [] : [{ ...toSsh, flags: "syn", verdict: { kind: "drop-above", perMinute: rate } }];
    return [...limit, { ...toSsh, verdict: ACCEPT }];
  });
  const outbound: readonly Rule[] = ends.flatMap((end) => {
    const fromSsh = { ...end, protocol: "tcp", sourcePort: port, verdict: ACCEPT } as const;
    return [
      { ...fromSsh, states: ["established"] },
      { ...fromSsh, states: ["new", "invalid"], flags: "ack-without-syn" },
    ];
  });
  return {
    input: {
      comment: [
        `SSH: TCP port ${port} from the allowed sources. The state of the connection is not asked, so that sessions`,
        "opened before this firewall go on.",
        ...(rate === undefined
          ? []
          : [
              `Each source address (over IPv6 each /64) may open ${rate} connections a minute; more are dropped.`,
              "Connections that are open already do not count.",
            ]),
      ],
      rules: inbound,
    },
    output: {
      comment: [
        "SSH: answers to the allowed sources, on connections that the kernel has seen from their start (established)",
        "and on sessions older than its connection tracking (new, invalid): when the server is the first to send there,",
        "the kernel takes the packet for a new connection or an invalid one. A bare SYN never leaves, so nothing can be",
        "opened from the SSH port.",
      ],
      rules: outbound,
    },
  };
}
