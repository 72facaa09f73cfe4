/** What status tells people: about states that cannot be used, and about hosts. */
import { plain, short } from "../output/plain";

/** A state that cannot be had or read; its message says the place and the remedy. */
export class StateError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "StateError";
  }
}

const STATE_REMEDY = "give what terraform show -json, terraform state pull or terraform output -json prints";

export const messages = {
  // The state. Its own text is never repeated: it may hold secrets of other resources.
  notJson: (): string => `it is not JSON; ${STATE_REMEDY}`,
  empty: (): string => `it is empty, so the command before it failed; ${STATE_REMEDY}`,
  notAState: (): string => `it is no Terraform state; ${STATE_REMEDY}`,
  isPlan: (): string => "it is a plan, which says what will be; give the state, as terraform show -json without a plan",
  encrypted: (): string => "it is encrypted; give what tofu show -json prints",
  unknownVersion: (version: string): string =>
    `its format is version ${plain(version)}, and 4 is known here; give what terraform show -json prints`,
  unknownFormat: (version: string): string =>
    `its format_version is ${plain(version)}, and 1 is known here; use a newer ssh-only-firewall`,
  malformed: (place: string): string => `${plain(place)} is not what it is in a state; ${STATE_REMEDY}`,
  noLockedHosts: (): string =>
    "none of the outputs is the lockedHosts of a firewall; add such an output, or give what terraform show -json prints",
  nothingPiped: (): string => "nothing is piped in; pipe in what terraform show -json prints",
  cannotRead: (reason: string): string => `${reason}; name a file that you may read, a folder, or - for standard input`,
  noStack: (): string =>
    "there is no stack in it; name the folder of a stack (cdktf.out/stacks/NAME, after cdktf synth), or a state file",
  severalStacks: (folders: readonly string[]): string => `there are several stacks; name one: ${folders.join(", ")}`,
  noTerraform: (program: string): string =>
    `${program} is not installed here; install it, set TERRAFORM_BINARY_NAME, or give the state as a file`,
  terraformFailed: (command: string, words: string): string =>
    `terraform ${command} failed: ${words}; run terraform init there (cdktf does on diff), or pipe terraform state pull in`,
  noHosts: (): string =>
    "it has no host of a firewall, so nothing was looked at; name the right stack or workspace, or hosts with --fleet or --also",

  // Hosts, as the state has them.
  noLockdown: (): string => "the state has its hold and no lockdown: the lock was never finished",
  tainted: (): string => "its lockdown is tainted: the last lock failed",
  oldHold: (): string => "its lockdown belongs to an earlier hold: the last deploy was not finished",
  deposed: (): string => "its hold was replaced, and not destroyed: the last deploy was not finished",
  notDeployed: (): string => "in the fleet file, and not in the state",

  // Hosts, as they are.
  noAddress: (): string => "the state does not know its address",
  badValue: (name: string, value: string): string =>
    `its ${name} ${plain(JSON.stringify(value))} is none; it was not asked`,
  ownHost: (host: string): string => `it says that it is locked as ${plain(JSON.stringify(host))}`,
  timeout: (seconds: number): string => `no answer within ${seconds} s`,
  noConnection: (words: string): string => words || "ssh ended without a word",
  noRoot: (words: string): string =>
    `logged in, but not as root: ${words || "sudo failed"}; log in as root, or allow sudo without a password`,
  noAnswer: (words: string): string => `logged in, but got no answer${words === "" ? "" : `: ${words}`}`,
  badAnswer: (words: string): string => `its host program failed: ${words}`,
  onlyObserves: (owner: string, since: string): string =>
    `it only observes (hold ${owner}, since ${since}): nothing is denied`,
  isLocked: (): string => "it is locked, and the state says that it only observes",
  isOpen: (): string => "it is not locked",
  isPending: (owner: string): string => `a lock of ${short(owner)} waits for its confirm, or for its watchdog`,
  pendingOfOther: (owner: string): string => `a lock of somebody else (${plain(owner)}) waits for its confirm`,
  otherOwner: (owner: string, since: string): string =>
    `owned by ${plain(owner)}${since === "" ? "" : ` since ${plain(since)}`}`,
  rulesDrifted: (): string => "the live rules are not the ruleset: another program changed them",
  rulesUnrecorded: (): string => "rules of the host program are live that it did not record",
  otherRuleset: (live: string, state: string): string => `has ruleset ${short(live)}, and the state ${short(state)}`,
  otherProgram: (live: string, state: string): string =>
    `has host program ${short(live)}, and the state ${short(state)}`,
  answers: (ports: readonly string[]): string => `it says that it is locked, but from here ${ports.join(", ")}`,
  answersAt: (port: number, how: "accepts" | "refuses"): string => `port ${port} ${how} connections`,

  noSsh: (): string => "ssh is not installed here; install the OpenSSH client",

  noQuery: (): string =>
    'it is no query of a firewall with detectDrift; give one such as {"lockdowns": "null_resource.fleet_lockdown"}',

  // Drift, for the plan of Terraform; indented, for else it breaks the lines anew.
  leftAlone: (hosts: readonly string[], more: number, remedies: readonly string[]): string =>
    [
      "This plan leaves these hosts as they are:",
      ...hosts.map((host) => `  ${host}`),
      ...(more === 0 ? [] : [`  and ${more} more`]),
      ...remedies,
      "ssh-only-firewall status --live tells more.",
    ].join("\n"),
  hostIs: (host: string, address: string, condition: string, details: string): string =>
    `${plain(host)} (${plain(address)}) is ${condition}${details === "" ? "" : `: ${details}`}`,
  leftAloneRemedies: {
    unreachable: "  Unreachable: mend the way from here to the host, then plan again.",
    unclear: "  Unclear: mend what it says, then plan again.",
    pending: "  Pending: plan again when the host has confirmed its lock or gone back, within minutes.",
    "locked-by-someone-else":
      "  Locked by someone else: let that owner go, or set takeOver and apply with -replace of its lockdown.",
  },

  // The outside.
  throughBastion: (): string => "not tried: through a bastion",
  throughForward: (): string => "not tried: through a forwarded port",
  notWanted: (): string => "not tried",
  notResolved: (): string => "not tried: no address",
  noPort: (): string => "not tried: no port",
} as const;
