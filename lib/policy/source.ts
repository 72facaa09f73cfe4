/** Who is at the far end of a connection: an address, a range, anybody, or a token that will be one of these. */
import { Token } from "../framework/framework";
import {
  type Cidr,
  type Family,
  compareCidrs,
  contains,
  familyName,
  formatCidr,
  isMulticast,
  parseAnyCidr,
  parseCidr,
} from "./address";
import { compare } from "../output/text";
import { type Problems, parseOrThrow } from "../input/problems";
import { literalParts, plainText } from "../input/text";
import { valueMessages } from "../input/value-messages";
import { addressMessages } from "./address-messages";
import { policyMessages } from "./policy-messages";

export class AllowedSource {
  /** An IPv4 address or range, or a token that will be one. */
  public static ipv4(addressOrToken: string): AllowedSource {
    return parseOrThrow("AllowedSource.ipv4()", (problems) => ofFamily("ipv4", addressOrToken, problems));
  }

  /** An IPv6 address or range, or a token that will be one. */
  public static ipv6(addressOrToken: string): AllowedSource {
    return parseOrThrow("AllowedSource.ipv6()", (problems) => ofFamily("ipv6", addressOrToken, problems));
  }

  public static anyIpv4(): AllowedSource {
    return AllowedSource.of("0.0.0.0/0");
  }

  public static anyIpv6(): AllowedSource {
    return AllowedSource.of("::/0");
  }

  /** An address or range of either family. A token is rejected, because its family is unknown. */
  public static of(address: string): AllowedSource {
    return parseOrThrow("AllowedSource.of()", (problems) => AllowedSource.parse(address, problems));
  }

  /** @internal Like `of`, for whoever collects problems; takes an AllowedSource too. */
  public static parse(value: unknown, problems: Problems): AllowedSource | undefined {
    if (value instanceof AllowedSource) {
      return value;
    }
    if (Array.isArray(value) && Token.isUnresolved(value)) {
      problems.add("", addressMessages.tokenList());
    } else if (Token.isUnresolved(value)) {
      problems.add("", addressMessages.tokenWithoutFamily());
    } else if (typeof value !== "string") {
      problems.add("", addressMessages.notASource(value));
    } else if (plainText(value, problems)) {
      const cidr = parseCidr(value, problems);
      return cidr && AllowedSource.make(cidr.family, formatCidr(cidr), cidr);
    }
    return undefined;
  }

  /** @internal A multicast group, which is the far end of nothing but an exception that names it. */
  public static parseGroup(value: unknown, problems: Problems): AllowedSource | undefined {
    if (typeof value !== "string" || Token.isUnresolved(value)) {
      problems.add("", addressMessages.notASource(value));
      return undefined;
    }
    const cidr = plainText(value, problems) ? parseAnyCidr(value, problems) : undefined;
    if (cidr !== undefined && !isMulticast(cidr)) {
      problems.add("", policyMessages.notAGroup(value));
      return undefined;
    }
    return cidr && AllowedSource.make(cidr.family, formatCidr(cidr), cidr);
  }

  /** @internal for the functions of this file, which have checked their arguments. */
  public static make(family: Family, cidr: string, literal: Cidr | undefined): AllowedSource {
    return new AllowedSource(family, cidr, literal);
  }

  private constructor(
    public readonly family: Family,
    /** The address or range in its normal form (RFC 5952 for IPv6; a single address without /32 or /128), or the token. */
    public readonly cidr: string,
    private readonly literal: Cidr | undefined,
  ) {
    Object.freeze(this);
  }

  /** Whether the value is known only at apply. */
  public get isToken(): boolean {
    return this.literal === undefined;
  }

  /** Whether this is every address of the family. */
  public get isAny(): boolean {
    return this.literal?.prefix === 0;
  }

  /** Whether everything in `other` is in this; of a token only what every address is in. */
  public covers(other: AllowedSource): boolean {
    if (this.family !== other.family || this.literal === undefined) {
      return this.family === other.family && this.cidr === other.cidr;
    }
    return this.isAny || (other.literal !== undefined && contains(this.literal, other.literal));
  }

  /** For people: "anywhere (IPv4)", an address, a range. */
  public toString(): string {
    return this.isAny ? `anywhere (${familyName(this.family)})` : this.cidr;
  }

  /** The order in which sources are written: IPv4 first, by number, tokens last. */
  public static compare(a: AllowedSource, b: AllowedSource): number {
    if (a.family !== b.family) {
      return compare(a.family, b.family);
    }
    if (a.literal === undefined || b.literal === undefined) {
      return Number(a.isToken) - Number(b.isToken) || compare(a.cidr, b.cidr);
    }
    return compareCidrs(a.literal, b.literal);
  }
}

function ofFamily(family: Family, value: unknown, problems: Problems): AllowedSource | undefined {
  if (typeof value === "string" && Token.isUnresolved(value)) {
    return tokenOfFamily(family, value, problems);
  }
  if (typeof value !== "string") {
    problems.add("", valueMessages.notAString(value));
    return undefined;
  }
  const source = AllowedSource.parse(value, problems);
  if (source !== undefined && source.family !== family) {
    problems.add("", addressMessages.otherFamily(value, familyName(source.family), source.family));
    return undefined;
  }
  return source;
}

/** A token, perhaps with text around it that makes it a range: `${token}/24`. */
function tokenOfFamily(family: Family, value: string, problems: Problems): AllowedSource | undefined {
  const parts = literalParts(value);
  if (parts === undefined) {
    problems.add("", valueMessages.unknownToken(value));
  } else if (parts.some((part) => !/^[0-9a-fA-F.:/]*$/.test(part))) {
    problems.add("", addressMessages.notATokenOfAddress(value));
  } else {
    return AllowedSource.make(family, value, undefined);
  }
  return undefined;
}
