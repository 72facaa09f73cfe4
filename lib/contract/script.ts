/** The scripts that Terraform uploads: settings as quoted constants, then an empty line, then the launcher. */

export const SHEBANG = "#!/bin/sh";

/** The verbs that the provisioners of lockdown and hold run. */
export const VERBS = {
  lock: "lock",
  confirm: "confirm",
  probation: "probation",
  unlock: "unlock",
  confirmUnlock: "confirm-unlock",
} as const;

/** The script's variable for a setting, which is called as in the locals. */
export function variable(setting: string): string {
  return `SSH_ONLY_${setting.toUpperCase()}`;
}

/** Names the verb, and the words that follow it. */
export const VERB = "verb";

/** Whether a script looks like one of these. */
export function hasVerb(script: string): boolean {
  return script.includes(`${variable(VERB)}=`);
}

/** The verb that a script runs on a host; empty for a script that is not one of these. */
export function verbIn(script: string): string {
  return (
    new RegExp(`^${variable(VERB)}='(?:\\$\\{replace\\(join\\(" ", \\[")?([\\w-]+)["']`, "m").exec(script)?.[1] ?? ""
  );
}

/** The value of a setting, where the script has it word for word. */
export function settingIn(script: string, setting: string): string | undefined {
  return new RegExp(`^${variable(setting)}='([^'$]*)'$`, "m").exec(script)?.[1];
}

/** A quoted constant, parts of which Terraform may fill in and quote: nothing in it is shell. */
const SETTING = /^SSH_ONLY_\w+='(?:(?:[^'$\n]|\$(?!\{))*|\$\{replace\([^{}'\n]*, "'", "'\\\\''"\)\})'$/;

/** Whether a script has nothing but settings and one of these launchers. */
export function isScript(script: string, launchers: readonly string[]): boolean {
  const [shebang, ...lines] = script.split("\n");
  const end = lines.indexOf("");
  const rest = lines.slice(end + 1).join("\n");
  const unescaped = rest.replace(/([$%])\1\{/g, "$1{");
  return (
    shebang === SHEBANG && lines.slice(0, end).every((line) => SETTING.test(line)) && launchers.includes(unescaped)
  );
}
