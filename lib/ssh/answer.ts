/** What a host answers, read from what ssh and the host printed. */
import { decoded } from "../contract/origin";
import { isObject } from "../input/keys";
import { lastLine, plain } from "../output/text";
import { withoutNotices } from "./log";
import type { Ended } from "./process";

const STATES = ["open", "pending", "locked", "observed", "unlocking"] as const;
const RULES = ["none", "matches", "drifted", "damaged", "unrecorded"] as const;

/** What a host recorded of the deploy that locked it. */
export interface LockedBy {
  readonly stack: string;
  readonly construct: string;
  readonly workspace: string;
  /** The host's name in `hosts`. */
  readonly host: string;
  /** The address from which Terraform connected; empty where it is not known. */
  readonly from: string;
}

export interface Answered {
  readonly kind: "answered";
  readonly state: (typeof STATES)[number];
  readonly rules: (typeof RULES)[number];
  readonly owner: string;
  readonly ruleset: string;
  readonly program: string;
  readonly lockedAt: string;
  /** Earlier host programs recorded none. */
  readonly lockedBy?: LockedBy;
  /** What is wrong there, in the host's own words; empty where nothing is. */
  readonly problem: string;
  /** Its bridges with guests that are reached past its rules; earlier host programs did not look. */
  readonly bridged?: string;
  /** The port that its ruleset lets in. */
  readonly port: number | undefined;
  /** Where something on it listened when it was locked. */
  readonly listened: readonly number[];
}

export interface NotAnswered {
  readonly kind: "unreachable" | "unclear";
  readonly why: string;
  /** Behind a proxy, as far as it is known: it did not let ssh through, or it did, and does not reach the host. */
  readonly proxy?: "lost" | "passed";
}

export type Answer = Answered | NotAnswered;

export function answerOf(
  { code, timedOut, stdout, stderr, log }: Omit<Ended, "milliseconds"> & { readonly log: string },
  timeoutSeconds: number,
): Answer {
  const [, status] = stdout.replace(/\r/g, "").split(/^ssh-only-firewall-status /m);
  if (status !== undefined) {
    return statusOf(status.replace(/^ssh-only-firewall-said$.*/ms, "").trimEnd());
  }
  if (timedOut) {
    return { kind: "unreachable", why: `no answer within ${timeoutSeconds} s` };
  }
  if (code === 255) {
    return unreached(lastLine(withoutNotices(log)), stderr);
  }
  const output = lastLine(stderr);
  if (/sudo/.test(stderr) && /\btty\b|terminal is required to run/.test(output)) {
    return unclear(
      `logged in, but sudo there requires a terminal (requiretty), which only Terraform has: ${output}; add "Defaults:USER !requiretty" to sudoers`,
    );
  }
  if (/not allowed to execute/.test(output)) {
    return unclear(
      `logged in, but sudo does not run /bin/sh there; allow it in sudoers, by a last line "USER ALL=(ALL) NOPASSWD: /bin/sh"`,
    );
  }
  return unclear(
    /sudo/.test(stderr)
      ? `logged in, but not as root: ${output || "sudo failed"}; log in as root, or allow sudo without a password`
      : `logged in, but got no answer${output === "" ? "" : `: ${output}`}`,
  );
}

/** What ssh logs of its end, and what a proxy printed, which has the reason where it ended first. */
function unreached(logged: string, stderr: string): NotAnswered {
  const why = logged || lastLine(stderr) || "ssh ended without a message";
  if (!/UNKNOWN port 65535|^kex_exchange_identification|banner exchange/.test(logged)) {
    return { kind: "unreachable", why };
  }
  const lines = stderr.split(/[\r\n]+/);
  const unopened = lines.find((line) => /^channel \d+: open failed: /.test(line));
  if (unopened !== undefined) {
    return { kind: "unreachable", why: plain(unopened.replace(/^channel \d+: /, "")), proxy: "passed" };
  }
  const reason = lines.find((line) => IS_REASON.test(line));
  return reason === undefined
    ? { kind: "unreachable", why }
    : { kind: "unreachable", why: plain(reason), proxy: "lost" };
}

/** Of what ssh prints when it cannot connect or log in. */
const IS_REASON =
  /verification failed|permission denied|authentication failures|refused|timed out|resolve|unreachable|no route|reset by/i;

const unclear = (why: string): NotAnswered => ({ kind: "unclear", why });

function statusOf(status: string): Answer {
  const [, code, output = status] = /^(\d+) (.*)$/s.exec(status) ?? [];
  const json = parse(/\{.*\}/.exec(output)?.[0] ?? "");
  const state = STATES.find((one) => one === json.state);
  const rules = RULES.find((one) => one === json.rules);
  if ((code !== "0" && code !== "10") || state === undefined || rules === undefined) {
    return unclear(`its host program failed: ${lastLine(output)}`);
  }
  const text = (name: string): string => (typeof json[name] === "string" ? json[name] : "");
  const port = Number(text("port"));
  return {
    kind: "answered",
    state,
    rules,
    owner: text("owner"),
    ruleset: text("ruleset"),
    program: text("program"),
    lockedAt: text("lockedAt"),
    ...lockedBy(text),
    problem: text("problem"),
    ...(text("bridged") === "" ? {} : { bridged: text("bridged") }),
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    listened: text("listened")
      .split(" ")
      .map(Number)
      .filter((one) => one > 0 && one < 65536),
  };
}

function lockedBy(text: (name: string) => string): Pick<Answered, "lockedBy"> {
  const [stack = "", construct = "", workspace = ""] = ["stack", "construct", "workspace"].map((name) =>
    decoded(text(name)),
  );
  return stack === "" ? {} : { lockedBy: { stack, construct, workspace, host: text("host"), from: text("from") } };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
