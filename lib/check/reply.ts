/** What a host replies to `check`: whether lock would refuse it. */
import { plain } from "../output/text";

/** Why a host is not ready: a word for programs, and a sentence with the remedy. */
export interface Reason {
  readonly word: string;
  readonly text: string;
}

export interface CheckReply {
  readonly refusals: readonly Reason[];
  /** Rules of other firewalls that may drop SSH. */
  readonly conflicts: readonly string[];
  /** Of guests that are reached past the rules. */
  readonly bridges: readonly string[];
}

/** The refusal of a host that another owner has locked. */
export const LOCKED = "locked";

/** Undefined where the reply is not whole, for a host may end at any line. */
export function checkReply(stdout: string): CheckReply | undefined {
  const [, code, reply] =
    /^ssh-only-firewall-check (\d+)\n(.*)^ssh-only-firewall-checked$/ms.exec(stdout.replace(/\r/g, "")) ?? [];
  if (code === undefined || reply === undefined) {
    return undefined;
  }
  const lines = reply.split("\n").filter((line) => line !== "");
  const refusals = lines.flatMap((line): Reason[] => {
    const [, word = "", text = ""] = /^refused \d+ ([a-z-]+) (.*)$/.exec(line) ?? [];
    return word === "" ? [] : [{ word, text: sentence(text) }];
  });
  const conflicts = lines.flatMap((line) =>
    line.startsWith("conflict ") ? [plain(line.slice("conflict ".length))] : [],
  );
  const bridges = lines.flatMap((line) => (line.startsWith("bridge ") ? [sentence(line.slice("bridge ".length))] : []));
  const others = lines.filter((line) => !/^(?:refused|conflict|bridge) /.test(line));
  const failed = code !== "0" && refusals.length === 0 ? [{ word: "failed", text: sentence(others.join(" ")) }] : [];
  return { refusals: [...refusals, ...failed], conflicts, bridges };
}

/** A message may be longer than what is shown of other values. */
const sentence = (text: string): string => (text.match(/.{1,250}/gsu) ?? []).map(plain).join("").trim();
