/**
 * What a ruleset lets in, read from the rules that a host is to load, not from the comments above them. What this package
 * cannot have written is not guessed at: the whole ruleset is then one that is not understood.
 */
import type { RulesetTexts } from "../contract/backends";
import { Problems } from "../input/problems";
import { type Cidr, contains, type Family, familyName, formatCidr, parseCidr } from "../policy/address";
import type { RulesetBackend, RulesetText } from "./backend";
import { RULESET_BACKENDS } from "./backends";
import type { Ending, Grammar, RuleKind } from "./grammar";

export interface RulesetSummary {
  readonly sshPort: number;
  readonly sshSources: readonly Source[];
  /** What else is let in by port, and from where. */
  readonly otherPorts: readonly OpenPort[];
  /** What the host may connect to, by what is let in as an answer. */
  readonly answers: readonly OpenPort[];
  /** What is let in by protocol, of those that have no ports. */
  readonly protocols: readonly OpenProtocol[];
  /** Whether nothing is denied, as with `mode: observe`. */
  readonly passesAll: boolean;
  /** Whether denied inbound packets are rejected, so that the sender gets an answer. */
  readonly rejectsInbound: boolean;
  /** How many denied packets a minute are logged; undefined when none are. */
  readonly loggedPerMinute: number | undefined;
}

export interface OpenPort {
  readonly protocol: string;
  readonly port: number;
  readonly source: Source;
}

export interface OpenProtocol {
  /** Its number. */
  readonly protocol: number;
  /** From where; where it is let in by a multicast group, undefined. */
  readonly source: Source | undefined;
  /** The group. */
  readonly group: string | undefined;
}

/** An address or range that a rule lets in. */
export class Source {
  public constructor(private readonly cidr: Cidr) {}

  /** Whether many strangers are behind it: everybody, or a range as large as only an allocation is. */
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

/** Undefined when the texts are not understood, or do not say the same for each backend. */
export function readRuleset(texts: RulesetTexts): RulesetSummary | undefined {
  const summaries = RULESET_BACKENDS.filter((backend) =>
    backend.texts.some(({ name }) => (texts[name] ?? "") !== ""),
  ).map((backend) => summaryOf(backend, texts));
  const [first] = summaries;
  return summaries.every((one) => one !== undefined && comparable(one) === comparable(first)) ? first : undefined;
}

/** The same for rulesets that let in the same. */
function comparable(summary: RulesetSummary | undefined): string {
  const sorted = (values: readonly unknown[] = []): readonly unknown[] => [...new Set(values.map(String))].sort();
  const others = summary?.otherPorts.map(({ protocol, port, source }) => `${protocol} ${port} ${source}`);
  const answers = summary?.answers.map(({ protocol, port, source }) => `${protocol} ${port} ${source}`);
  const protocols = summary?.protocols.map(({ protocol, source, group }) => `${protocol} ${source} ${group}`);
  return JSON.stringify({
    ...summary,
    sshSources: sorted(summary?.sshSources),
    otherPorts: sorted(others),
    answers: sorted(answers),
    protocols: sorted(protocols),
  });
}

function summaryOf(backend: RulesetBackend, texts: RulesetTexts): RulesetSummary | undefined {
  const chains = backend.texts.map((text) => chainIn(texts[text.name] ?? "", text));
  const [first] = chains;
  if (first === undefined || !chains.every((one) => one !== undefined && sameTreatment(one, first))) {
    return undefined;
  }
  const ssh = chains.flatMap((chain) => chain?.ssh ?? []);
  const [sshPort, ...others] = new Set(ssh.map(({ port }) => port));
  if (sshPort === undefined || others.length > 0 || ssh.some(({ protocol }) => protocol !== "tcp")) {
    return undefined;
  }
  return {
    sshPort,
    sshSources: ssh.map(({ source }) => source),
    otherPorts: chains.flatMap((chain) => chain?.others ?? []),
    answers: chains.flatMap((chain) => chain?.answers ?? []),
    protocols: chains.flatMap((chain) => chain?.protocols ?? []),
    passesAll: first.ending === "pass",
    rejectsInbound: first.ending === "reject",
    loggedPerMinute: first.loggedPerMinute,
  };
}

interface InputChain {
  readonly ssh: readonly OpenPort[];
  readonly others: readonly OpenPort[];
  readonly answers: readonly OpenPort[];
  readonly protocols: readonly OpenProtocol[];
  readonly ending: Ending;
  readonly loggedPerMinute: number | undefined;
}

const sameTreatment = (a: InputChain, b: InputChain): boolean =>
  a.ending === b.ending && a.loggedPerMinute === b.loggedPerMinute;

function chainIn(text: string, { grammars, families }: RulesetText): InputChain | undefined {
  for (const grammar of grammars) {
    const chain = chainBy(grammar, grammar.inputRules(text), families);
    if (chain !== undefined) {
      return chain;
    }
  }
  return undefined;
}

interface RuleRead {
  readonly kind: RuleKind;
  readonly ports: readonly OpenPort[];
  readonly protocols: readonly OpenProtocol[];
  readonly rate: number | undefined;
}

function chainBy(grammar: Grammar, rules: string | undefined, families: readonly Family[]): InputChain | undefined {
  const chain = rules?.replace(/\n$/, "");
  for (const [ending, pattern] of chain === undefined ? [] : grammar.endings) {
    const end = pattern.exec(chain ?? "");
    if (end !== null) {
      const body = chain?.slice(0, end.index) ?? "";
      const read = (body === "" ? [] : body.split("\n")).map((line) => ruleIn(line, grammar, families));
      return read.every((one) => one !== undefined) ? chainOf(read, ending) : undefined;
    }
  }
  return undefined;
}

/** SSH comes first (topics.ts), with loopback; ICMP, which every family needs that is open at all, comes next. */
function chainOf(rules: readonly RuleRead[], ending: Ending): InputChain {
  const next = rules.findIndex(({ kind }) => kind !== "port" && kind !== "loopback");
  const portsOf = (some: readonly RuleRead[]): readonly OpenPort[] =>
    some.flatMap(({ kind, ports }) => (kind === "port" ? ports : []));
  const split = next === -1 ? rules.length : next;
  return {
    ssh: portsOf(rules.slice(0, split)),
    others: portsOf(rules.slice(split)),
    answers: rules.flatMap(({ kind, ports }) => (kind === "answers" ? ports : [])),
    protocols: rules.flatMap(({ protocols }) => protocols),
    ending,
    loggedPerMinute: rules.find(({ rate }) => rate !== undefined)?.rate,
  };
}

const ANYWHERE: Readonly<Record<Family, string>> = { ipv4: "0.0.0.0/0", ipv6: "::/0" };

/** Undefined for a rule that this package does not write. */
function ruleIn(line: string, { rules }: Grammar, families: readonly Family[]): RuleRead | undefined {
  const [kind, pattern] = rules.find(([, one]) => one.test(line)) ?? [];
  if (kind === undefined) {
    return undefined;
  }
  const groups = pattern?.exec(line)?.groups ?? {};
  const { protocol = "", port, number, group, rate } = groups;
  const read = { kind, ports: [], protocols: [], rate: rate === undefined ? undefined : Number(rate) };
  if (kind !== "port" && kind !== "answers" && kind !== "protocol") {
    return read;
  }
  if (group !== undefined) {
    return { ...read, protocols: [{ protocol: Number(number), source: undefined, group }] };
  }
  const sources = sourcesIn(groups, families);
  return (
    sources &&
    (kind !== "protocol"
      ? { ...read, ports: sources.map((source) => ({ protocol, port: Number(port), source })) }
      : { ...read, protocols: sources.map((source) => ({ protocol: Number(number), source, group })) })
  );
}

/** Undefined where one is no address. */
function sourcesIn(
  { source, only }: Readonly<Record<string, string | undefined>>,
  families: readonly Family[],
): readonly Source[] | undefined {
  const texts =
    source?.replace(/[{}\s]/g, "").split(",") ??
    families.filter((family) => (only ?? family) === family).map((family) => ANYWHERE[family]);
  const cidrs = texts.map((text) => parseCidr(text, new Problems()));
  return cidrs.every((cidr) => cidr !== undefined) ? cidrs.map((cidr) => new Source(cidr)) : undefined;
}

/** Those from which SSH could be reached, and cannot any more. */
export function sourcesLost(before: RulesetSummary, after: RulesetSummary): readonly Source[] {
  return before.sshSources.filter((source) => !after.sshSources.some((other) => other.covers(source)));
}
