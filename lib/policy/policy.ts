/** What may pass through the firewall of a host: read from what the user wrote, checked, and brought into one form. */
import { FAMILIES, type Family } from "./address";
import { EXCEPTION_KINDS, type ExceptionKind, PolicyException } from "./exception";
import { checkKeys, reader } from "../input/keys";
import { compare } from "../output/text";
import type { Problems } from "../input/problems";
import { AllowedSource } from "./source";
import { normalised, parseSources } from "./sources";
import { policyMessages } from "./policy-messages";
import { parseChoice, parseInteger, parseList, parsePort } from "../input/values";

/** What happens to a packet that no rule allows: the sender gets an answer, or none. */
export type Denial = "drop" | "reject";

/** What a ruleset does with what it does not let pass: deny and record it, or only record it. */
export type Mode = "enforce" | "observe";

export interface PolicyProps {
  /**
   * The TCP port that sshd listens on.
   * @default 22
   */
  readonly sshPort?: number;

  /**
   * Who may reach SSH: IPv4 and IPv6 addresses and ranges. A token names its family: `AllowedSource.ipv4(token)`.
   * @default - anywhere, over IPv4 and IPv6
   */
  readonly allowFrom?: ReadonlyArray<string | AllowedSource>;

  /**
   * What may pass besides SSH.
   * @default - nothing
   */
  readonly exceptions?: readonly PolicyException[];

  /**
   * What happens to inbound traffic that is not allowed.
   * @default "drop"
   */
  readonly deniedInbound?: Denial;

  /**
   * What happens to outbound traffic that is not allowed. With "reject" local programs fail at once, with "drop" they
   * wait for their timeout.
   * @default "reject"
   */
  readonly deniedOutbound?: Denial;

  /**
   * How many denied packets a minute the kernel logs in each direction, from 1 to 600.
   * @default - none
   */
  readonly logDeniedPerMinute?: number;

  /**
   * "observe" denies nothing, and records what "enforce" would deny: the rehearsal before the lockdown. The host counts
   * as observed, not as locked.
   * @default "enforce"
   */
  readonly mode?: Mode;
}

/** The keys of PolicyProps. */
export const POLICY_KEYS = [
  "sshPort",
  "allowFrom",
  "exceptions",
  "deniedInbound",
  "deniedOutbound",
  "logDeniedPerMinute",
  "mode",
] as const satisfies ReadonlyArray<keyof PolicyProps>;

export const DENIALS: readonly Denial[] = ["drop", "reject"];

export const MODES: readonly Mode[] = ["enforce", "observe"];

/** A checked policy. Two policies that mean the same have the same form. */
export interface Policy {
  readonly sshPort: number;
  /** Who may reach SSH: sorted, none covered by another. */
  readonly sources: readonly AllowedSource[];
  /** Sorted by kind, without duplicates, with their far ends spelt out. */
  readonly exceptions: readonly PolicyException[];
  readonly deniedInbound: Denial;
  readonly deniedOutbound: Denial;
  readonly logDeniedPerMinute: number | undefined;
  readonly mode: Mode;
  /** Whether SSH is open to every address of a family. */
  readonly openToWorld: boolean;
  /** The families that anything but loopback passes over. */
  readonly families: readonly Family[];
  sourcesOf(family: Family): readonly AllowedSource[];
  hasException(kind: ExceptionKind): boolean;
}

/**
 * The policy in `props`, or undefined after adding what is wrong with it to `problems`.
 * @param otherKeys keys that `props` may have besides those of a policy; they are not looked at.
 */
export function parsePolicy(props: unknown, problems: Problems, otherKeys: readonly string[] = []): Policy | undefined {
  const before = problems.count;
  if (!checkKeys(props, [...POLICY_KEYS, ...otherKeys], problems)) {
    return undefined;
  }
  const read = reader<keyof PolicyProps>(props, problems);
  const sshPort = read("sshPort", parsePort) ?? 22;
  const values: PolicyValues = {
    sshPort,
    sources: read("allowFrom", (value, at) => parseSources(value, policyMessages.nobodyAllowed(), at)) ?? ANYWHERE(),
    exceptions: read("exceptions", (value, at) => parseExceptions(value, sshPort, at)) ?? [],
    deniedInbound: read("deniedInbound", (value, at) => parseChoice(value, DENIALS, at)) ?? "drop",
    deniedOutbound: read("deniedOutbound", (value, at) => parseChoice(value, DENIALS, at)) ?? "reject",
    logDeniedPerMinute: read("logDeniedPerMinute", (value, at) => parseInteger(value, LOG_RANGE, at)),
    mode: read("mode", (value, at) => parseChoice(value, MODES, at)) ?? "enforce",
  };
  return problems.count > before ? undefined : new CheckedPolicy(values);
}

const ANYWHERE = (): readonly AllowedSource[] => normalised([AllowedSource.anyIpv4(), AllowedSource.anyIpv6()]);

export const LOG_RANGE = { min: 1, max: 600, remedy: "leave it out to log nothing" };

function parseExceptions(value: unknown, sshPort: number, problems: Problems): readonly PolicyException[] | undefined {
  return parseList(value, problems)
    ?.map((item, index) => {
      const place = problems.at(`[${index}]`);
      const exception = PolicyException.parse(item, place);
      if (exception?.kind === "ingress" && exception.port === sshPort && exception.protocols.includes("tcp")) {
        place.add("", policyMessages.ingressToSsh(sshPort));
      }
      return exception;
    })
    .filter((exception) => exception !== undefined);
}

/** What is read; the rest of a policy follows from it. */
type PolicyValues = Omit<Policy, "openToWorld" | "families" | "sourcesOf" | "hasException">;

class CheckedPolicy implements Policy {
  public readonly sshPort: number;
  public readonly sources: readonly AllowedSource[];
  public readonly exceptions: readonly PolicyException[];
  public readonly deniedInbound: Denial;
  public readonly deniedOutbound: Denial;
  public readonly logDeniedPerMinute: number | undefined;
  public readonly mode: Mode;
  public readonly openToWorld: boolean;
  public readonly families: readonly Family[];

  public constructor(values: PolicyValues) {
    this.sshPort = values.sshPort;
    this.sources = values.sources;
    this.exceptions = distinct(values.exceptions.map((exception) => exception.resolvedFor(values.sources)));
    this.deniedInbound = values.deniedInbound;
    this.deniedOutbound = values.deniedOutbound;
    this.logDeniedPerMinute = values.logDeniedPerMinute;
    this.mode = values.mode;
    this.openToWorld = values.sources.some((source) => source.isAny);
    this.families = FAMILIES.filter(
      (family) => this.sourcesOf(family).length > 0 || this.exceptions.some((exception) => exception.uses(family)),
    );
    Object.freeze(this);
  }

  public sourcesOf(family: Family): readonly AllowedSource[] {
    return this.sources.filter((source) => source.family === family);
  }

  public hasException(kind: ExceptionKind): boolean {
    return this.exceptions.some((exception) => exception.kind === kind);
  }
}

/** One of each, in the order of the kinds and then of their description, which says all there is to an exception. */
function distinct(exceptions: readonly PolicyException[]): readonly PolicyException[] {
  const byText = new Map(exceptions.map((exception) => [exception.describe(), exception]));
  const rank = (exception: PolicyException): number => EXCEPTION_KINDS.indexOf(exception.kind);
  const ordered = [...byText].sort(([textA, a], [textB, b]) => rank(a) - rank(b) || compare(textA, textB));
  return Object.freeze(ordered.map(([, exception]) => exception));
}
