/**
 * Values that only Terraform knows: they were not checked when the stack was written, so Terraform does it as soon as it knows them,
 * before a host hears of them. The host checks its ruleset once more (lib/host/awk/ruleset.awk).
 */
import type { Family } from "../policy/address";
import { familyName } from "../policy/address";
import type { Policy } from "../policy/policy";
import { quoted } from "./escape";
import type { Precondition } from "./tracker";

/** An address or range; its entry in the ruleset's entry. */
export interface KnownAtApply {
  readonly place: string;
  readonly family: Family;
  readonly value: string;
}

export function knownAtApply(policy: Policy): readonly KnownAtApply[] {
  const named = [
    ...policy.sources.map((source) => ({ place: "allowFrom", source })),
    ...policy.exceptions.flatMap(({ kind, peers = [] }) =>
      peers.map((source) => ({ place: `exceptions (${kind})`, source })),
    ),
  ];
  const values = named.filter(({ source }) => source.isToken);
  // An exception may have the sources of SSH.
  const first = new Map(
    values.map(({ place, source }) => [`${source.family} ${source.cidr}`, place] as const).reverse(),
  );
  return values
    .filter(({ place, source }) => first.get(`${source.family} ${source.cidr}`) === place)
    .map(({ place, source }) => ({ place, family: source.family, value: source.cidr }));
}

interface Form {
  readonly pattern: string;
  readonly bits: number;
  readonly example: string;
}

const BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

/** Terraform's own functions for ranges take leading zeros, and a name for an error of theirs. */
const FORMS: Readonly<Record<Family, Form>> = {
  ipv4: { pattern: `^(${BYTE}[.]){3}${BYTE}(/(3[0-2]|[12]?[0-9]))?$`, bits: 32, example: "192.0.2.10 or 192.0.2.0/24" },
  ipv6: {
    pattern: "^[0-9a-fA-F]*:[0-9a-fA-F:]+(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$",
    bits: 128,
    example: "2001:db8::10 or 2001:db8::/32",
  },
};

const table = (valueOf: (family: Family) => string): string =>
  `{ ${(Object.keys(FORMS) as Family[]).map((family) => `${family} = ${valueOf(family)}`).join(", ")} }[one.family]`;

const IS_SOUND = [
  `can(regex(${table((family) => quoted(FORMS[family].pattern))}, one.value))`,
  `can(cidrhost(join("/", slice(split("/", "\${one.value}/\${${table((family) => String(FORMS[family].bits))}}"), 0, 2)), 0))`,
].join(" && ");

/** @param values an expression: a list of KnownAtApply. @param ruleset an expression: what the ruleset is called */
export function allAreAddresses(values: string, ruleset: string): Precondition {
  const what = table((family) => quoted(`${familyName(family)} address or range, such as ${FORMS[family].example}`));
  const remedy =
    "A firewall cannot look a name up: give the token of the address itself. No host was changed because of this ruleset.";
  const sentence = `format("In the ruleset %s, a value of %s is %s, which is not an %s. ${remedy}", ${ruleset}, one.place, jsonencode(one.value), ${what})`;
  return {
    condition: `\${alltrue([for one in ${values} : ${IS_SOUND}])}`,
    errorMessage: `\${join("\\n", [for one in ${values} : ${sentence} if !(${IS_SOUND})])}`,
  };
}
