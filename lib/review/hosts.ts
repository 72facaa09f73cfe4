/** What a plan does to each host, and what of it a reviewer must know before anything else. */
import { foundIn } from "../policy/drift";
import { MEMORY, type Part, remembered, trigger, type TrackedHost } from "./firewalls";
import { type Change, known, same, type Value } from "./plan";
import type { Rulesets } from "./rulesets";
import { sourcesLost, sshAccess, type SshAccess, type Texts } from "./ssh";
import { joined, type Text, text } from "./text";

/** What becomes of a host, in the order in which it is listed. */
export const OUTCOMES = {
  unlock: "unlocked: the firewall is taken away",
  leave: "out of the state, and nothing of the firewall runs there",
  reopen: "unlocked, and then locked again",
  move: "let go at the old address, and locked at the new one",
  first: "locked for the first time",
  perhaps: "locked; perhaps it is already, for its hold is in the state and its lockdown is not",
  retry: "tried again after a lock that failed: until then as before it, open or locked",
  observe: "observed: nothing is denied, and what would be is recorded",
  enforce: "enforced: it was only observed, and is closed from then on",
  relock: "locked again: the ruleset replaces the one in force in one step",
  update: "as before; only what Terraform remembers of it changes",
  stay: "as before",
} as const;

export type Outcome = keyof typeof OUTCOMES;

/** The kinds of danger, in the order in which they are listed. */
export const DANGERS = {
  incomplete: "this plan is not the whole of what is configured",
  opened: "hosts that will be opened",
  reopened: "hosts that are open for a while, and then locked again",
  "left-locked": "hosts that leave the state and stay locked",
  owner: "hosts whose lock has, or may have, another owner",
  address: "hosts whose address changes",
  "open-to-world": "hosts with a port that is open to the world",
  "cut-off": "hosts from which you may be cut off",
  "host-key": "hosts whose host key is not pinned",
  tainted: "hosts on which an earlier lock failed, tried again",
  unguarded: "hosts that are locked without the usual checks",
  unknown: "hosts whose ruleset cannot be reviewed",
  unclear: "what is not understood",
  drift: "what was changed outside of Terraform",
} as const;

export type DangerKind = keyof typeof DANGERS;

export interface Finding {
  readonly kind: DangerKind;
  /** The host's name; undefined for what is about no single host. */
  readonly host: string | undefined;
  readonly detail: Text;
}

export interface HostReview {
  readonly name: string;
  readonly key: string;
  readonly outcome: Outcome;
  /** Whether lock and confirm run on it. */
  readonly locks: boolean;
  /** Whether unlock runs on it, at the address before. */
  readonly unlocks: boolean;
  /** After the apply; of a host that leaves, the one that it had. */
  readonly address: Value | undefined;
  readonly addressBefore: Value | undefined;
  /** Its address, port and bastion after the apply, where they are known: two hosts with the same are one machine. */
  readonly place: string | undefined;
  readonly placeBefore: string | undefined;
  readonly ruleset: Sides;
  readonly program: Sides;
  /** Why it is locked again. */
  readonly why: readonly string[];
  /** Whether it is in the state as locked, once this plan has been applied. */
  readonly lockedAfter: boolean;
  readonly settings: Settings;
  readonly findings: readonly Finding[];
}

export interface Sides {
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** How a host is locked, as text; undefined where the plan does not say. */
export interface Settings {
  readonly backend: string | undefined;
  readonly confirmWithin: string | undefined;
  readonly persist: string | undefined;
  readonly skipPreflight: string | undefined;
  readonly takeOver: string | undefined;
}

export function reviewHost(host: TrackedHost, name: string, rulesets: Rulesets): HostReview {
  const { hold, lockdown } = host;
  const locks = creates(lockdown);
  const sides = (trigger_: string): Sides => ({
    before: lockdown && trigger(lockdown.change, "before", trigger_),
    after: lockdown && trigger(lockdown.change, "after", trigger_),
  });
  const address = {
    before: (hold && trigger(hold.change, "before", "address")) ?? sides("address").before,
    after: sides("address").after ?? (hold && trigger(hold.change, "after", "address")),
  };
  const settings = settingsOf(lockdown, hold);
  const mode = sides("mode");
  const observes = locks && known(mode.after) === "observe";
  const earlier = earlierLock(host);
  const { outcome, findings } = observing(outcomeOf(host, address, settings), earlier, address, mode, locks);
  const inTriggers = sides("ruleset_sha256");
  const ruleset = { before: earlier === "told" ? inTriggers.before : undefined, after: inTriggers.after };
  const programs = sides("host_program");
  const program = { before: earlier === "told" ? programs.before : undefined, after: programs.after };
  const access = (): readonly Danger[] => accessFindings(ruleset, rulesets, observes, earlier);
  const memory = memoryChanges(host);
  const dangers = locks
    ? [...findings, ...access(), ...lockFindings(lockdown as Part, hold, settings)]
    : [...findings, ...unpinned(host)];
  return {
    name,
    key: host.key,
    outcome: outcome === "stay" && memory.length > 0 ? "update" : outcome,
    locks,
    unlocks: hold !== undefined && releaseOf(hold) === "unlocks",
    address: address.after ?? address.before,
    addressBefore: address.before,
    place: placeOf(hold, address.after, "after"),
    placeBefore: placeOf(hold, address.before, "before"),
    ruleset,
    program,
    why: [
      ...(locks && lockdown?.change.before !== undefined
        ? reasonsOf(lockdown, {
            ruleset: inTriggers,
            program: programs,
            address: sides("address"),
            hold: sides("hold"),
            mode,
            persist: sides("persist"),
            drift: sides("drift"),
          })
        : []),
      ...memory,
    ],
    lockedAfter:
      lockdown?.change.after !== undefined &&
      known(mode.after) !== "observe" &&
      (locks || !lockdown.tainted) &&
      !["unlock", "leave"].includes(outcome),
    settings,
    findings: dangers.map(([kind, detail]) => ({ kind, host: name, detail })),
  };
}

type Danger = readonly [DangerKind, Text];

function placeOf(hold: Part | undefined, address: Value | undefined, side: "before" | "after"): string | undefined {
  const where = known(address);
  const others = ["port", "bastion_host"].map((name) => hold && known(remembered(hold.change, side, name)));
  return where === undefined ? undefined : JSON.stringify([where, ...others.map((one) => one ?? "")]);
}

/** Whether a host is locked already, and by what: of an attempt that failed, the state tells not what it replaced. */
type Earlier = "none" | "told" | "perhaps";

function earlierLock({ hold, lockdown }: TrackedHost): Earlier {
  if (lockdown?.tainted === true) {
    return "perhaps";
  }
  return lockdown?.change.before !== undefined ? "told" : hold?.change.before !== undefined ? "perhaps" : "none";
}

/** What only observes is not locked, whatever it was; and whoever was locked before is opened by it. */
function observing(
  { outcome, findings }: { outcome: Outcome; findings: readonly Danger[] },
  earlier: Earlier,
  address: Sides,
  mode: Sides,
  locks: boolean,
): { outcome: Outcome; findings: readonly Danger[] } {
  const observed = earlier === "told" && known(mode.before) === "observe";
  if (!locks || known(mode.after) !== "observe") {
    return { outcome: outcome === "relock" && observed ? "enforce" : outcome, findings };
  }
  const perhaps = earlier === "perhaps" ? "is perhaps locked already, and " : "";
  const detail = text`${address.after ?? ""}: ${[perhaps]}becomes observed, which denies nothing`;
  // Nothing locks it again.
  const others = findings.filter(([kind]) => kind !== "reopened");
  return {
    outcome: "observe",
    findings: earlier === "none" || observed ? others : [...others, ["opened", detail]],
  };
}

/** What a hold or lockdown is told anew in place, by name: values may be secret. */
function memoryChanges({ hold, lockdown }: TrackedHost): readonly string[] {
  const names = [hold, lockdown].flatMap((part) =>
    part?.change.actions.join() === "update" ? changedMemory(part) : [],
  );
  // Names are ours, unless somebody else wrote them.
  const shown = [...new Set(names.map((name) => (/^[a-z_]{1,40}$/.test(name) ? name : "something else")))].sort();
  return shown.length === 0 ? [] : [`remembered anew: ${shown.slice(0, MOST_NAMES).join(", ")}`];
}

/** More than there are. */
const MOST_NAMES = 30;

function changedMemory({ change }: Part): readonly string[] {
  const names = (["before", "after"] as const).flatMap((side) => change[side]?.namesAt(MEMORY[change.type]) ?? []);
  return names.filter((name) => !same(remembered(change, "before", name), remembered(change, "after", name)));
}

/** A host that is only told anew how it is reached. */
function unpinned({ hold, lockdown }: TrackedHost): readonly Danger[] {
  const isPinned = (side: "before" | "after"): boolean =>
    [hold, lockdown].some((part) => {
      const value = part && remembered(part.change, side, "host_key");
      return value !== undefined && known(value) !== "";
    });
  return hold?.change.after !== undefined && isPinned("before") && !isPinned("after")
    ? [["host-key", ["it was pinned until now; another machine could answer in its place"]]]
    : [];
}

const creates = (part: Part | undefined): boolean => part?.change.actions.includes("create") === true;

/** What the destruction of a hold does to its host; undefined when it is not destroyed. */
export function releaseOf({ change, tainted, block }: Part): "unlocks" | Text | undefined {
  const actions = change.actions.join();
  if (change.actions.includes("forget")) {
    return text`no unlock runs, for Terraform only forgets it (${actions})`;
  }
  if (!change.actions.includes("delete")) {
    return undefined;
  }
  if (block === undefined) {
    return [
      "no unlock of the firewall runs, for its block left the configuration",
      ...(change.reason === undefined ? [] : text` (${change.reason})`),
    ];
  }
  if (change.deposed !== undefined) {
    return ["no unlock runs, for this is what an earlier replacement of its hold left over"];
  }
  if (tainted) {
    return ["no unlock runs, for its hold is tainted"];
  }
  if (actions === "create,delete") {
    return ["no unlock runs, for its hold is replaced with create_before_destroy"];
  }
  return block.provisioners.length === 0 ? ["no unlock runs, for onDestroy is leave-locked"] : "unlocks";
}

function outcomeOf(
  host: TrackedHost,
  address: Sides,
  settings: Settings,
): { outcome: Outcome; findings: readonly Danger[] } {
  const { hold, lockdown } = host;
  const release = hold && releaseOf(hold);
  const locks = creates(lockdown);
  const was = address.before ?? { known: "no address" };
  const refused = settings.takeOver === "true" ? "taken over, for takeOver is set" : "refused, unless takeOver is set";
  if (hold !== undefined && release !== undefined && hold.change.after === undefined) {
    return release === "unlocks"
      ? { outcome: "unlock", findings: [["opened", text`${was}: unlock runs, and it is open from then on`]] }
      : { outcome: "leave", findings: [["left-locked", text`${was}: ${release}`]] };
  }
  if (release === "unlocks" && !locks) {
    const detail = text`${was}: its hold is replaced, which unlocks it, and this plan does not lock it again`;
    return { outcome: "unlock", findings: [["opened", detail]] };
  }
  if (hold !== undefined && release !== undefined) {
    const moves = !same(address.before, trigger(hold.change, "after", "address"));
    if (moves) {
      const old: Text =
        release === "unlocks"
          ? ["the old address is unlocked, and open"]
          : ["the old address stays locked: ", ...release];
      const findings: Danger[] = [["address", text`${was} becomes ${address.after ?? was}; ${old}`]];
      return {
        outcome: "move",
        findings: release === "unlocks" ? findings : [...findings, ["left-locked", text`${was}: ${release}`]],
      };
    }
    return release === "unlocks"
      ? {
          outcome: "reopen",
          findings: [["reopened", text`${was}: its hold is replaced (${hold.change.reason ?? "no reason given"})`]],
        }
      : {
          outcome: "relock",
          findings: [
            ["owner", text`${was}: ${release}, so that the old hold keeps the lock, and the new one is ${[refused]}`],
          ],
        };
  }
  const findings: Danger[] = [];
  if (hold === undefined) {
    findings.push(["unclear", text`${lockdown?.change.address ?? ""} has no hold that could be found`]);
  } else if (hold.change.before === undefined && lockdown?.change.before !== undefined) {
    findings.push(["owner", text`${was}: its hold is not in the state; the lock of the new one is ${[refused]}`]);
  }
  if (lockdown === undefined) {
    return {
      outcome: "stay",
      findings: [
        ...findings,
        ["incomplete", text`${was}: has a hold and no lockdown, so that this plan does not lock it`],
      ],
    };
  }
  if (lockdown.change.after === undefined) {
    return {
      outcome: "leave",
      findings: [
        ...findings,
        [
          "left-locked",
          text`${was}: only its lockdown leaves the state (${lockdown.change.actions.join()}); nothing runs on the host`,
        ],
      ],
    };
  }
  if (!locks) {
    return { outcome: "stay", findings };
  }
  const outcomes = { none: "first", told: "relock", perhaps: lockdown.tainted ? "retry" : "perhaps" } as const;
  return { outcome: outcomes[earlierLock(host)], findings };
}

function lockFindings(lockdown: Part, hold: Part | undefined, settings: Settings): readonly Danger[] {
  const findings: Danger[] = [];
  const pinned =
    hostKeyOf(lockdown.change) ?? (hold && memoryIsFresh(hold.change) ? hostKeyOf(hold.change) : undefined);
  if (pinned !== true) {
    findings.push([
      "host-key",
      pinned === false
        ? ["another machine could answer in its place; give connection.hostKey"]
        : ["this plan does not tell whether it is pinned"],
    ]);
  }
  if (lockdown.tainted || hold?.tainted === true) {
    findings.push(["tainted", ["the host is as it was before the lock that failed"]]);
  }
  const unguarded: Array<readonly [string | undefined, string, string]> = [
    [settings.skipPreflight, "skipPreflight", "what would lock you out is not checked; only the watchdog is left"],
    [settings.takeOver, "takeOver", "a lock that another owner has is taken away from it"],
  ];
  for (const [value, name, meaning] of unguarded) {
    if (value !== "false") {
      const shown = value === "true" ? `${name} is set` : `${name} is not told by this plan; if it is set`;
      findings.push(["unguarded", [`${shown}: ${meaning}`]]);
    }
  }
  return findings;
}

function accessFindings(ruleset: Sides, rulesets: Rulesets, observes: boolean, earlier: Earlier): readonly Danger[] {
  if (ruleset.after === undefined || "hidden" in ruleset.after) {
    return [["unknown", text`its ruleset is ${ruleset.after ?? { hidden: "known after apply" }}`]];
  }
  const after = rulesets.find(ruleset.after.known);
  if (after === undefined) {
    return [["unknown", text`no ruleset in this plan has the SHA-256 ${ruleset.after.known}`]];
  }
  const access = sshAccess(after);
  if (access === undefined) {
    return [["unknown", ["its ruleset is not as this version of ssh-only-firewall writes it; read who may reach SSH"]]];
  }
  if (access.passesAll !== observes) {
    const detail = observes ? "its ruleset denies, though it is only to observe" : "its ruleset denies nothing";
    return [["unknown", [detail]]];
  }
  const wide = access.sources.filter((source) => source.isWide);
  const findings: Danger[] =
    wide.length === 0
      ? []
      : [["open-to-world", text`TCP port ${String(access.port)} from ${listed(wide.map(String))}`]];
  const others = access.others.filter(({ source }) => source.isWide).map((one) => `${one.port} from ${one.source}`);
  if (others.length > 0) {
    findings.push(["open-to-world", text`an exception lets in ${listed(others)}`]);
  }
  if (observes) {
    return findings;
  }
  if (earlier === "perhaps") {
    return [...findings, ["cut-off", ["whether it is locked already cannot be told, nor what it loses"]]];
  }
  if (earlier === "none" || ruleset.before === undefined || same(ruleset.before, ruleset.after)) {
    return findings;
  }
  return [...findings, ...cutOff(rulesets.find(known(ruleset.before)), access)];
}

function cutOff(before: Texts | undefined, after: SshAccess): readonly Danger[] {
  const access = before && sshAccess(before);
  if (access === undefined) {
    const why = before === undefined ? "in this plan" : "as this version of ssh-only-firewall writes it";
    return [["cut-off", [`the ruleset that it has is not ${why}, so that it cannot be told what it loses`]]];
  }
  const lost = sourcesLost(access, after);
  const details = [
    ...(access.port === after.port ? [] : [text`the SSH port ${String(access.port)} becomes ${String(after.port)}`]),
    ...(lost.length === 0
      ? []
      : [text`no longer from ${listed(lost.map(String))}; from now on from ${listed(after.sources.map(String))}`]),
  ];
  return details.length === 0 ? [] : [["cut-off", joined(details, "; ")]];
}

const MOST = 8;

function listed(values: readonly string[]): Text {
  const shown = joined(values.slice(0, MOST).map((value) => text`${value}`));
  return values.length > MOST ? [...shown, ` and ${values.length - MOST} more`] : shown;
}

/** Undefined where nothing is said. */
function hostKeyOf(change: Change): boolean | undefined {
  const names = change.after?.namesAt(change.type === "null_resource" ? "triggers" : "input") ?? [];
  const value = remembered(change, "after", "host_key");
  return names.includes("host_key") ? value !== undefined && known(value) !== "" : undefined;
}

/** What an older null_resource remembers is what it was told when the host was first locked. */
function memoryIsFresh(change: Change): boolean {
  return change.actions.includes("create") || change.type === "terraform_data";
}

/** A setting stands in the script where it is the same for all hosts, else in what the lockdown or its hold remembers. */
function settingsOf(lockdown: Part | undefined, hold: Part | undefined): Settings {
  const [script] = lockdown?.block?.provisioners ?? [];
  const setting = (name: string): string | undefined => {
    const [, value] = new RegExp(`^SSH_ONLY_${name.toUpperCase()}='([^'$]*)'$`, "m").exec(script ?? "") ?? [];
    const parts = [lockdown, hold].filter((part) => part !== undefined);
    return (
      value ?? parts.map(({ change }) => known(remembered(change, "after", name))).find((one) => one !== undefined)
    );
  };
  return {
    backend: setting("backend"),
    confirmWithin: setting("confirm_within"),
    persist: setting("persist") ?? persistOf(lockdown),
    skipPreflight: setting("skip_preflight"),
    takeOver: setting("take_over"),
  };
}

/** A lockdown has this trigger where the setting is false, and nowhere else. */
function persistOf(lockdown: Part | undefined): string | undefined {
  const value = lockdown && trigger(lockdown.change, "after", "persist");
  return lockdown?.change.after === undefined || value !== undefined ? known(value) : "true";
}

function reasonsOf(lockdown: Part, triggers: Readonly<Record<string, Sides>>): readonly string[] {
  const changed = (name: string): boolean => !same(triggers[name].before, triggers[name].after);
  const reasons = [
    ...(changed("drift") ? [driftReason(triggers.drift.after)] : []),
    ...(changed("mode") ? ["its mode changes"] : []),
    ...(changed("persist") ? ["its persist changes"] : []),
    ...(changed("ruleset") ? ["its ruleset changes"] : []),
    ...(changed("program") ? ["the host program changes"] : []),
    ...(changed("address") ? ["its address changes"] : []),
    ...(changed("hold") && !changed("address") ? ["its hold is replaced"] : []),
    ...(lockdown.comes === true ? ["its lockdown is another resource than before"] : []),
    ...(lockdown.tainted ? ["the last lock failed"] : []),
    ...(lockdown.change.reason === "replace_by_request" ? ["somebody asked for it (-replace)"] : []),
    ...(lockdown.change.reason === "replace_by_triggers" ? ["replace_triggered_by"] : []),
  ];
  return reasons.length === 0 ? ["the plan does not say why"] : reasons;
}

/** Of detectDrift, which asked the host when this plan was made. */
function driftReason(after: Value | undefined): string {
  const found = foundIn(known(after) ?? "");
  if (found !== undefined) {
    return found === "open" ? "it was found open" : "its lock was found changed";
  }
  return after === undefined ? "detectDrift was turned off" : "whether it drifted is not told by this plan";
}
