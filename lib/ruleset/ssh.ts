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
  const outbound: readonly Rule[] = ends.map((end) => ({
    ...end,
    protocol: "tcp",
    sourcePort: port,
    flags: "not-opening",
    verdict: ACCEPT,
  }));
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
        "SSH: answers to the allowed sources. A bare SYN never leaves, so nothing can be opened from the SSH port. The",
        "state of the connection is not asked here either: the kernel needs no list of connections, which a flood could",
        "fill.",
      ],
      rules: outbound,
    },
  };
}
