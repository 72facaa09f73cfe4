/** What the command line tells people. */
import { shown } from "../output/shown";

export const messages = {
  // init
  exists: (files: readonly string[]): string =>
    `${files.join(" and ")} ${files.length === 1 ? "exists" : "exist"} already, and nothing was written; ` +
    "choose another folder, or move them away",
  cannotWrite: (folder: string, reason: string): string =>
    `${folder}: ${reason}; nothing was written; choose a folder that you may write to`,
  wrote: (files: readonly string[], folder: string): string =>
    [
      `Wrote ${files.join(" and ")}.`,
      "",
      "Name your hosts in fleet.yaml, and in allowFrom the addresses that you log in from. Then run",
      "",
      ...(folder === "." ? [] : [`  cd ${folder}`]),
      "  npx cdktf-cli diff      to see what would change",
      "  npx cdktf-cli deploy    to lock the hosts",
      "",
    ].join("\n"),

  // render
  optionsBesideFleet: (options: readonly string[]): string =>
    `${options.join(", ")}: what passes is said in the fleet file; change it there, or name neither a host nor --fleet`,
  whichHost: (file: string, hosts: readonly string[]): string =>
    `${file} has several hosts; name one of them: ${listed(hosts)}`,
  unknownHost: (file: string, host: string, suggestion: string | undefined, hosts: readonly string[]): string =>
    `${file}: hosts: there is no ${shown(host)}; ` +
    (suggestion === undefined ? `its hosts are ${listed(hosts)}` : `did you mean ${suggestion}?`),
  openToWorld: (remedy: string): string => `Warning: SSH is open to every address; name the sources ${remedy}.\n`,

  // review
  cannotRead: (file: string, reason: string): string =>
    `${file}: ${reason}; give the file that terraform show -json was written to, or - for standard input`,
  nothingPiped: (): string =>
    "standard input is a terminal; pipe a plan in: terraform show -json PLANFILE | ssh-only-firewall review -",
  notReviewed: (): string => "Nothing was reviewed.",
  dangerous: (kinds: readonly string[]): string => `Dangerous, and listed: ${kinds.join(", ")}.`,
  unknownKind: (kind: string, suggestion: string | undefined, kinds: readonly string[]): string =>
    `${shown(kind)} is no kind of danger; ` +
    (suggestion === undefined ? `known: any, none, ${kinds.join(", ")}.` : `did you mean ${suggestion}?`),
  badName: (): string => "It is made of letters and digits, with single dots, dashes and underscores between them.",
  // status
  notChecked: (): string => "Nothing was checked.",
  onlyLive: (options: readonly string[]): string =>
    `${options.join(", ")}: the hosts are asked with --live only; add it, or leave this out`,
  badNumber: (min: number, max: number): string => `It must be a whole number from ${min} to ${max}.`,
  badPorts: (): string => "It must be ports from 1 to 65535 with commas between.",
  badDestination: (): string => "It must be an address or name, with USER@ before it and :PORT behind it where needed.",
  badOption: (): string => "It must be NAME=VALUE, as in ssh_config.",
  noFile: (file: string): string => `${shown(file)} is not there; name a file that is.`,
  stopped: (): string => "Stopped: not all hosts were asked, and no process or key was left behind.\n",
  progress: (heard: number, all: number, odd: number, others: string): string =>
    `${heard} of ${all} hosts asked${odd === 0 ? "" : `, ${odd} ${others}`}`,
  notAsTheStateSays: (): string => "not as the state says",
  // stacks
  emptyStacks: (names: readonly string[]): string => `Without a host, and not written: ${listed(names)}.`,
  stepOf: (stack: string, step: "arrive" | "leave"): string =>
    step === "arrive" ? `${stack}: with the hosts that come to it\n` : `${stack}: without the hosts that left it\n`,
  hostsFound: (all: number, missing: readonly string[]): string =>
    `${all - missing.length} of ${all} hosts found.\n` +
    (missing.length === 0
      ? ""
      : `In no state: ${missing.join(", ")}. Were they ever deployed? If so, take them into the state that has them ` +
        "now (ssh-only-firewall status --live says who has locked them), and run the script again; else they are locked " +
        "with the next deploy.\n"),
  // drift
  driftNotKnown: (reason: string): string =>
    `${reason}\nWithout the state nothing is known of drift: mend this, or set detectDrift to false. ` +
    "terraform destroy goes on with -refresh=false.",
  // report
  notRead: (): string => "Nothing was read.",
  noReport: (): string =>
    "No host gave a report, and nothing is known of how they are used; the reasons are beside the hosts.",
  withoutReport: (): string => "without a report",
} as const;

function listed(hosts: readonly string[]): string {
  return hosts.slice(0, 10).join(", ") + (hosts.length > 10 ? ` and ${hosts.length - 10} more` : "");
}
