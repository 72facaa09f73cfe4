/** Who may reach SSH, read from the rules that a host is to load, not from the words above them. */
import { type Cidr, contains, familyName, formatCidr, parseCidr } from "../policy/address";
import { parseOrThrow } from "../policy/problems";

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
}

/** The texts of a ruleset, by backend; empty where the host needs none. */
export type Texts = Readonly<Record<string, string>>;

const NFTABLES =
  /^\t\t(?:(?:ip6? saddr (?<one>[^\s{}]+|\{ [^{}]+ \})|meta nfproto (?<family>ipv[46])) )?tcp dport (?<port>\d+) accept$/gm;
const IPTABLES = /^-A SSH_ONLY_IN (?:-s (?<one>\S+) )?-p tcp -m tcp --dport (?<port>\d+) -j (?:ACCEPT|RETURN)$/gm;
const ANYWHERE = { ipv4: ["0.0.0.0/0"], ipv6: ["::/0"] } as const;

/** Undefined when the texts are not understood, or do not say the same for each backend. */
export function sshAccess(texts: Texts): SshAccess | undefined {
  const ports = [texts.nftables, texts.iptables, texts.ip6tables].map(
    (one) => /^# {3}- SSH: TCP port (\d+)\b/m.exec(one ?? "")?.[1],
  );
  const port = ports.find((one) => one !== undefined);
  if (port === undefined || ports.some((one) => one !== undefined && one !== port)) {
    return undefined;
  }
  const nftables =
    texts.nftables === "" ? undefined : accepted(inputOf(texts.nftables ?? ""), NFTABLES, port, "ipv4", "ipv6");
  const iptables =
    texts.iptables === "" && texts.ip6tables === ""
      ? undefined
      : [
          ...accepted(texts.iptables ?? "", IPTABLES, port, "ipv4"),
          ...accepted(texts.ip6tables ?? "", IPTABLES, port, "ipv6"),
        ];
  const found = nftables ?? iptables ?? [];
  if (found.length === 0 || (iptables !== undefined && sorted(found) !== sorted(iptables))) {
    return undefined;
  }
  try {
    return { port: Number(port), sources: found.map((source) => Source.of(source)) };
  } catch {
    return undefined;
  }
}

function inputOf(nftables: string): string {
  return /^\tchain input \{\n.*?^\t\}/ms.exec(nftables)?.[0] ?? "";
}

function accepted(
  text: string,
  rule: RegExp,
  port: string,
  ...families: Array<keyof typeof ANYWHERE>
): readonly string[] {
  return [...text.matchAll(rule)]
    .filter(({ groups }) => groups?.port === port)
    .flatMap(({ groups }) =>
      groups?.one === undefined
        ? families.filter((family) => (groups?.family ?? family) === family).flatMap((family) => ANYWHERE[family])
        : groups.one.replace(/[{}\s]/g, "").split(","),
    );
}

const sorted = (sources: readonly string[]): string => [...new Set(sources)].sort().join();

/** Those from which SSH could be reached, and cannot any more. */
export function sourcesLost(before: SshAccess, after: SshAccess): readonly Source[] {
  return before.sources.filter((source) => !after.sources.some((other) => other.covers(source)));
}
