/** What is wrong with a policy: who may reach SSH, and its exceptions. */
import { didYouMean } from "../input/value-messages";
import { kindOf } from "../output/text";

export const policyMessages = {
  nobodyAllowed: (): string =>
    "is empty, so nobody could reach the host any more; name at least one source, or leave allowFrom out to allow all",
  notAnException: (value: unknown): string =>
    `must be a PolicyException, or a kind such as "dhcp-client", or an object with a kind, not ${kindOf(value)}`,
  unknownExceptionKind: (value: unknown, suggestion: string | undefined, kinds: readonly string[]): string =>
    `${kindOf(value)} is not a kind of exception; ` +
    (suggestion === undefined ? `known kinds: ${kinds.join(", ")}` : didYouMean(suggestion)),
  ingressToSsh: (port: number): string =>
    `opens port ${port}, the SSH port, to more sources; add them to allowFrom instead, so that one list says who may log in`,
} as const;
