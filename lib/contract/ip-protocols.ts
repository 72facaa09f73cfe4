/** Protocols beside TCP, UDP and ICMP, by the numbers that IANA gives them. */
export const IP_PROTOCOLS: Readonly<Record<string, number>> = {
  igmp: 2,
  ipip: 4,
  "6in4": 41,
  gre: 47,
  esp: 50,
  ah: 51,
  eigrp: 88,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  l2tp: 115,
  sctp: 132,
};

/** For people: "IP protocol 112 (vrrp)". */
export function describeIpProtocol(number: number): string {
  const [name] = Object.entries(IP_PROTOCOLS).find(([, one]) => one === number) ?? [];
  return `IP protocol ${number}${name === undefined ? "" : ` (${name})`}`;
}
