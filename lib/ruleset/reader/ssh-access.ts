/** Who may reach SSH, read from the rules that a host is to load, not from the words above them. */
import { type Cidr, contains, familyName, formatCidr, parseCidr } from "../../policy/address";
import { parseOrThrow } from "../../input/problems";
import { type InputChain, iptablesInput, nftablesInput } from "./chain";

/** An address or range that a rule lets in. */
class Source {
  public static of(text: string): Source {
    return new Source(parseOrThrow("A source", (problems) => parseCidr(text, problems)));
  }

  private constructor(private readonly cidr: Cidr) {}

  /** Whether a lot of strangers are behind it: everybody, or a range as large as only an allocation is. */
  public get isWide(): boolean {
    return this.cidr.prefix < (this.cidr.family === "ipv4" ? 8 : 16);
  }

  public covers(other: Source): boolean {
    return contains(this.cidr, other.cidr);
  }

  /** For people. */
  public toString(): string {
    return this.cidr.prefix === 0 ? `anywhere (${familyName(this.cidr.family)})` : formatCidr(this.cidr);
  }
}

export interface SshAccess {
  readonly port: number;
  readonly sources: readonly Source[];
  /** What else is let in by port: `tcp 443`, and from where. */
  readonly others: ReadonlyArray<{ readonly port: string; readonly source: Source }>;
  /** Whether nothing is denied, as where it only observes. */
  readonly passesAll: boolean;
}

/** The texts of a ruleset, by backend; empty where the host needs none. */
export type Texts = Readonly<Record<string, string>>;

/** Undefined when the texts are not understood, or do not say the same for each backend. */
export function sshAccess(texts: Texts): SshAccess | undefined {
  const { nftables = "", iptables = "", ip6tables = "" } = texts;
  const ports = [nftables, iptables, ip6tables].map((one) => /^# {3}- SSH: TCP port (\d+)\b/m.exec(one)?.[1]);
  const port = ports.find((one) => one !== undefined);
  if (port === undefined || ports.some((one) => one !== undefined && one !== port)) {
    return undefined;
  }
  const chains = [
    ...(nftables === "" ? [] : [nftablesInput(nftables)]),
    ...(iptables === "" && ip6tables === ""
      ? []
      : [joined(iptablesInput(iptables, "ipv4"), iptablesInput(ip6tables, "ipv6"))]),
  ];
  const [first, second = first] = chains;
  if (first === undefined || second === undefined || summary(first) !== summary(second)) {
    return undefined;
  }
  try {
    const found = first.lets.map((one) => ({ port: `${one.protocol} ${one.port}`, source: Source.of(one.source) }));
    const ssh = found.filter((one) => one.port === `tcp ${port}`);
    return ssh.length === 0
      ? undefined
      : {
          port: Number(port),
          sources: ssh.map(({ source }) => source),
          others: found.filter((one) => !ssh.includes(one)),
          passesAll: first.passesAll,
        };
  } catch {
    return undefined;
  }
}

function joined(ipv4: InputChain | undefined, ipv6: InputChain | undefined): InputChain | undefined {
  return ipv4 === undefined || ipv6 === undefined || ipv4.passesAll !== ipv6.passesAll
    ? undefined
    : { lets: [...ipv4.lets, ...ipv6.lets], passesAll: ipv4.passesAll };
}

/** The same for chains that let in the same. */
function summary({ lets, passesAll }: InputChain): string {
  return JSON.stringify([passesAll, [...new Set(lets.map((one) => JSON.stringify(one)))].sort()]);
}

/** Those from which SSH could be reached, and cannot any more. */
export function sourcesLost(before: SshAccess, after: SshAccess): readonly Source[] {
  return before.sources.filter((source) => !after.sources.some((other) => other.covers(source)));
}
