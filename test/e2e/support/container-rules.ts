/** Rules as Docker and kube-proxy load them, for a host with one machine behind it, and how they load them again. */
import type { Host, Peer } from "../../lab/lab";

/** What iptables and ip6tables are told. */
export interface Sample {
  readonly iptables: string;
  readonly ip6tables: string;
}

/** Docker's: FORWARD drops, but for what goes to a published port. */
export function dockerRules(behind: Peer): Sample {
  const rules = (network: string, container: string, target: string): string => `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s ${network} ! -o link0 -j MASQUERADE
-A DOCKER -i link0 -j RETURN
-A DOCKER ! -i link0 -p tcp -m tcp --dport 8088 -j DNAT --to-destination ${target}
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o link0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o link0 -j DOCKER
-A FORWARD -i link0 ! -o link0 -j ACCEPT
-A FORWARD -i link0 -o link0 -j ACCEPT
-A DOCKER -d ${container} ! -i link0 -o link0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i link0 ! -o link0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o link0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
`;
  return {
    iptables: rules(`${behind.ipv4}/32`, `${behind.ipv4}/32`, `${behind.ipv4}:80`),
    ip6tables: rules(`${behind.ipv6}/128`, `${behind.ipv6}/128`, `[${behind.ipv6}]:80`),
  };
}

/** kube-proxy's: one service with one endpoint, and a node port. It loads the same again whenever a service changes. */
export function kubeProxyRules(behind: Peer): Sample {
  const rules = (service: string, endpoint: string, target: string): string => `*filter
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark 0x8000/0x8000 -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-NODEPORTS -m comment --comment "default/web health check node port" -p tcp -m tcp --dport 8080 -j ACCEPT
COMMIT
*nat
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SEP-QKX4QX54UKWK6JIY - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-MARK-MASQ
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE
-A KUBE-SEP-QKX4QX54UKWK6JIY -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination ${target}
-A KUBE-SERVICES -d ${service} -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; this must be the last rule" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/web:http -> ${endpoint}" -j KUBE-SEP-QKX4QX54UKWK6JIY
COMMIT
`;
  return {
    iptables: rules("10.96.0.10/32", behind.ipv4, `${behind.ipv4}:80`),
    ip6tables: rules("fd96::10/128", behind.ipv6, `[${behind.ipv6}]:80`),
  };
}

/** The jumps that kube-proxy puts first in its chains, if they are not there at all. */
const kubeProxyJumps = [
  "filter INPUT -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL",
  "filter INPUT -j KUBE-NODEPORTS",
  "filter INPUT -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES",
  "filter INPUT -j KUBE-FIREWALL",
  "filter OUTPUT -m conntrack --ctstate NEW -j KUBE-SERVICES",
  "filter OUTPUT -j KUBE-FIREWALL",
  "filter FORWARD -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL",
  "filter FORWARD -j KUBE-FORWARD",
  "nat PREROUTING -j KUBE-SERVICES",
  "nat OUTPUT -j KUBE-SERVICES",
  "nat POSTROUTING -j KUBE-POSTROUTING",
];

export async function loadDocker(host: Host, behind: Peer): Promise<void> {
  const { iptables, ip6tables } = dockerRules(behind);
  await host.exec(["iptables-restore"], { input: iptables });
  await host.exec(["ip6tables-restore"], { input: ip6tables });
}

/** Loads them as kube-proxy does, also when they are there already. */
export async function syncKubeProxy(host: Host, behind: Peer): Promise<void> {
  const sample = kubeProxyRules(behind);
  for (const family of ["iptables", "ip6tables"] as const) {
    await host.exec([`${family}-restore`, "-w", "5", "--noflush", "--counters"], { input: sample[family] });
    const jumps = kubeProxyJumps.map((jump) => {
      const [table, chain, ...rule] = jump.split(" ");
      const words = `${rule.join(" ")}`;
      return `${family} -w 5 -t ${table} -C ${chain} ${words} 2>/dev/null || ${family} -w 5 -t ${table} -I ${chain} 1 ${words}`;
    });
    await host.exec(jumps.join("\n"));
  }
}
