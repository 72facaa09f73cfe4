/** How the rules of a backend are recognized: by forms in which `<name>` stands for a pattern. */

/**
 * What a rule of the input chain is for. port: lets in to a port. answers: lets in what answers the host,
 * from a port. protocol: lets in
 * a protocol without ports. log: logs what is
 * denied. other: everything else that this package writes.
 */
export type RuleKind = "port" | "answers" | "protocol" | "loopback" | "log" | "other";

/** What happens to what no rule has accepted. */
export type Ending = "drop" | "reject" | "pass";

export interface Grammar {
  /** The rules of the input chain, one a line; undefined where the text around them is not as this package writes it. */
  readonly inputRules: (text: string) => string | undefined;
  readonly rules: ReadonlyArray<readonly [RuleKind, RegExp]>;
  readonly endings: ReadonlyArray<readonly [Ending, RegExp]>;
}

export interface Forms {
  readonly rules: Readonly<Record<RuleKind, readonly string[]>>;
  /** Without a rule in front; of several lines. */
  readonly endings: Readonly<Partial<Record<Ending, string>>>;
  /** The patterns that names in the forms stand for, besides those that all backends have in common. */
  readonly patterns: Readonly<Record<string, string>>;
}

const COMMON = {
  n: String.raw`\d+`,
  protocol: "(?<protocol>tcp|udp)",
  port: String.raw`(?<port>\d+)`,
  number: String.raw`(?<number>\d+)`,
  rate: String.raw`(?<rate>\d+)`,
  words: '[^"\n]*',
};

export function grammarOf(inputRules: Grammar["inputRules"], { rules, endings, patterns }: Forms): Grammar {
  const all: Readonly<Record<string, string>> = { ...COMMON, ...patterns };
  const sourceOf = (form: string): string =>
    form
      .split(/<(\w+)>/)
      .map((part, index) => (index % 2 === 0 ? part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") : all[part]))
      .join("");
  return {
    inputRules,
    rules: Object.entries(rules).flatMap(([kind, forms]) =>
      forms.map((form) => [kind as RuleKind, new RegExp(`^${sourceOf(form)}$`)] as const),
    ),
    endings: Object.entries(endings).map(([kind, form]) => [
      kind as Ending,
      new RegExp(String.raw`(?:^|\n)${sourceOf(form)}$`),
    ]),
  };
}
