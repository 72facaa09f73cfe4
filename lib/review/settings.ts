/** How a host is locked and reached, as far as a plan shows it: in its scripts, and in what its hold and lockdown remember. */
import { CONNECTION } from "../contract/connection";
import { settingIn } from "../contract/script";
import { type HostSetting, SAME_STACK, SETTINGS } from "../contract/settings";
import type { Danger } from "./dangers";
import type { TrackedHost } from "./firewalls";
import { type FirewallResource, remembered, rememberedNames, SIDES, trigger } from "./resources";
import { type Change, known, same } from "./plan";

/** How a host is locked, as text; undefined where the plan does not say. */
export type Settings = { readonly [Property in keyof typeof SETTINGS]: string | undefined };

/** A setting stands in the script where it is the same for all hosts, else in what the lockdown or its hold remembers. */
export function settingsOf(lockdown: FirewallResource | undefined, hold: FirewallResource | undefined): Settings {
  const [script = ""] = lockdown?.block?.provisioners ?? [];
  const valueOf = ({ name, triggerUnless }: HostSetting): string | undefined =>
    settingIn(script, name) ??
    [lockdown, hold]
      .map((one) => one && known(remembered(one.change, "after", name)))
      .find((value) => value !== undefined) ??
    (triggerUnless === undefined ? undefined : triggered(lockdown, name, triggerUnless));
  const values = Object.entries(SETTINGS).map(([property, setting]) => [property, valueOf(setting)] as const);
  return Object.fromEntries(values) as Settings;
}

/** Of a setting whose trigger is there unless it has a certain value. */
function triggered(lockdown: FirewallResource | undefined, name: string, unless: string): string | undefined {
  const value = lockdown && trigger(lockdown.change, "after", name);
  return lockdown?.change.after === undefined || value !== undefined ? known(value) : unless;
}

export function lockFindings(
  lockdown: FirewallResource,
  hold: FirewallResource | undefined,
  settings: Settings,
): readonly Danger[] {
  const findings: Danger[] = [];
  const pinned =
    hostKeyOf(lockdown.change) ?? (hold && memoryIsFresh(hold.change) ? hostKeyOf(hold.change) : undefined);
  if (pinned !== true) {
    findings.push([
      "host-key",
      pinned === false
        ? [
            isBehindBastion(hold)
              ? "another machine could answer in its place; behind a bastion, connection.hostKey works with Terraform 1.15 or later only"
              : "another machine could answer in its place; set connection.hostKey",
          ]
        : ["this plan does not show whether it is pinned"],
    ]);
  }
  if (lockdown.tainted || hold?.tainted === true) {
    findings.push(["tainted", ["the host is as it was before the lock that failed"]]);
  }
  return [...findings, ...unguarded(settings)];
}

function isBehindBastion(hold: FirewallResource | undefined): boolean {
  const host = hold && remembered(hold.change, "after", CONNECTION.bastionHost.name);
  return host !== undefined && known(host) !== "";
}

function unguarded({ skipPreflight, takeOver }: Settings): readonly Danger[] {
  const takenOver =
    takeOver === SAME_STACK
      ? "a lock of the same stack that this state does not have is taken over, and no other"
      : "a lock of another owner is taken over";
  const settings: ReadonlyArray<readonly [string | undefined, string, string]> = [
    [skipPreflight, "skipPreflight", "nothing checks whether it would lock you out; only the watchdog is left"],
    [takeOver, "takeOver", takenOver],
  ];
  return settings
    .filter(([value]) => value !== "false")
    .map(([value, name, meaning]) => ["unguarded", [`${settingText(name, value)}: ${meaning}`]]);
}

function settingText(name: string, value: string | undefined): string {
  switch (value) {
    case "true":
      return `${name} is set`;
    case SAME_STACK:
      return `${name} is ${value}`;
    default:
      return `this plan does not show whether ${name} is set; if it is`;
  }
}

/** A host of which only the way to reach it changes. */
export function unpinned({ hold, lockdown }: TrackedHost): readonly Danger[] {
  const isPinned = (side: "before" | "after"): boolean =>
    [hold, lockdown].some((part) => {
      const value = part && remembered(part.change, side, CONNECTION.hostKey.name);
      return value !== undefined && known(value) !== "";
    });
  return hold?.change.after !== undefined && isPinned("before") && !isPinned("after")
    ? [["host-key", ["it was pinned until now; another machine could answer in its place"]]]
    : [];
}

/** Undefined where nothing is said. */
function hostKeyOf(change: Change): boolean | undefined {
  const value = remembered(change, "after", CONNECTION.hostKey.name);
  return rememberedNames(change, "after").includes(CONNECTION.hostKey.name)
    ? value !== undefined && known(value) !== ""
    : undefined;
}

/** What an older null_resource remembers is what it got when the host was first locked. */
function memoryIsFresh(change: Change): boolean {
  return change.actions.includes("create") || change.type === "terraform_data";
}

/** What changes in place in a hold or lockdown, by name: values may be secret. */
export function memoryChanges({ hold, lockdown }: TrackedHost): readonly string[] {
  const names = [hold, lockdown].flatMap((part) =>
    part?.change.actions.join() === "update" ? changedMemory(part) : [],
  );
  // Names are ours, unless somebody else wrote them.
  const shown = [...new Set(names.map((name) => (/^[a-z_]{1,40}$/.test(name) ? name : "something else")))].sort();
  return shown.length === 0 ? [] : [`updated in Terraform: ${shown.slice(0, MOST_NAMES).join(", ")}`];
}

/** More than there are. */
const MOST_NAMES = 30;

function changedMemory({ change }: FirewallResource): readonly string[] {
  const names = SIDES.flatMap((side) => rememberedNames(change, side));
  return names.filter((name) => !same(remembered(change, "before", name), remembered(change, "after", name)));
}
