/**
 * What a host gets besides its ruleset and its connection: the one table from which locals, scripts, memory and the review
 * are made. The keys are the properties of a host in TypeScript.
 */
import { TRIGGERS } from "./triggers";

export interface HostSetting {
  /** In locals and in memory; in capitals, the name of the script's variable. */
  readonly name: string;
  /** Its change locks the host again: the trigger is there unless the setting has this value. @default - no trigger */
  readonly triggerUnless?: string;
}

/** The value of takeOver that takes over only what the same stack, construct, workspace and host name have locked. */
export const SAME_STACK = "same-stack";

export const SETTINGS = {
  backend: { name: "backend" },
  confirmWithinSeconds: { name: "confirm_within" },
  skipPreflight: { name: "skip_preflight" },
  takeOver: { name: "take_over" },
  persist: { name: TRIGGERS.persist, triggerUnless: "true" },
} as const satisfies Record<string, HostSetting>;

export const SETTING_LIST: readonly HostSetting[] = Object.values(SETTINGS);

/** Those that a plan would not show, for lack of a trigger: resources remember them where hosts differ. */
export const REMEMBERED_SETTINGS = SETTING_LIST.filter(({ triggerUnless }) => triggerUnless === undefined);
