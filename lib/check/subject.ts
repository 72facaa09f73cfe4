/** A host to be checked: how it is reached, and the settings that its lock would get. */
import { FLEET } from "../contract/names";
import { RULESET_TEXTS } from "../contract/backends";
import { type AskedConnection, askedConnection, CONNECTION } from "../contract/connection";
import { encodedPath } from "../contract/origin";
import { variable } from "../contract/script";
import { SETTINGS } from "../contract/settings";
import { rulesetHash } from "../contract/triggers";
import { checkQuestion, hostProgram, hostProgramVersion } from "../host/program";
import { shellWord } from "../output/shell-word";
import type { Host as DeclaredHost } from "../policy/host";
import { POLICY_SETTINGS } from "../policy/policy-settings";
import { renderRulesets } from "../ruleset/backends";
import { type Host, unknownHost } from "../state/hosts";

export interface Subject {
  readonly host: Host;
  readonly stack: string;
  readonly construct: string;
  /** By the names of the settings of a lock. */
  readonly settings: Readonly<Record<string, string>>;
  /** Whether Terraform asks an agent. */
  readonly agent: boolean;
}

/** Why a host cannot be asked before Terraform has run; undefined where it can. */
export function unknownUntilApply({ host, settings }: Subject): string | undefined {
  const isKnown = host.address !== undefined && RULESET_TEXTS.every((text) => settings[text] !== undefined);
  return isKnown
    ? undefined
    : "its address or its ruleset is known only at apply (a token): the deploy runs the same checks, before any change";
}

/** A host of a fleet file. */
export function subjectOf(declared: DeclaredHost, stack: string): Subject {
  const { key, policy, connection } = declared;
  const values = { ...connection, port: connection.port ?? policy.sshPort };
  const asked = askedConnection((_, property) =>
    values[property] === undefined ? undefined : String(values[property]),
  );
  const knobs = Object.entries(SETTINGS).map(([property, { name }]) => [
    name,
    String(declared[property as keyof typeof SETTINGS]),
  ]);
  const ofPolicy = Object.entries(POLICY_SETTINGS).map(([name, valueOf]) => [name, String(valueOf(policy))]);
  const texts = renderRulesets(policy, declared.backend);
  const settings = Object.fromEntries([
    ...knobs,
    ...ofPolicy,
    [CONNECTION.scriptPath.name, connection.scriptPath],
    ...RULESET_TEXTS.map((text) => [text, texts[text] ?? ""]),
  ]) as Record<string, string>;
  return {
    host: declaredHost(key, declared.address, asked),
    stack,
    construct: FLEET.construct,
    settings,
    agent: connection.agent,
  };
}

export function declaredHost(key: string, address: string | undefined, connection: AskedConnection): Host {
  return { ...unknownHost(key, "declared"), why: undefined, address, connection };
}

/** What the host is asked: the settings as Terraform would give them to lock, and the question. */
export function questionFor({ host, stack, construct, settings }: Subject): string {
  const texts = Object.fromEntries(RULESET_TEXTS.map((text) => [text, settings[text] ?? ""]));
  const all = {
    ...settings,
    host: host.key,
    // An owner and an attempt that no host has.
    owner: "check",
    attempt: "check",
    ruleset: rulesetHash(texts),
    stack: encodedPath(stack),
    construct: encodedPath(construct),
    workspace: "",
    program_version: hostProgramVersion(),
    program: hostProgram(),
  };
  const constants = Object.entries(all).map(([name, value]) => `${variable(name)}=${shellWord(value)}`);
  return [...constants, checkQuestion()].join("\n");
}
