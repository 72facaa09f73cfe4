/** Reading what `report --json` printed. */
import { REPORT_VERSION, VERDICT_WORDS, type VerdictWord } from "../contract/verdicts";
import { Node, UnreadableError } from "./json";

export interface KeptReport {
  readonly at: string | undefined;
  readonly hosts: readonly ReportedHost[];
}

export interface ReportedHost {
  readonly host: string;
  readonly firewall: string | undefined;
  readonly address: string | undefined;
  readonly state: string | undefined;
  readonly verdict: VerdictWord;
  readonly quietSince: string | undefined;
  readonly reasons: readonly string[];
}

const GIVE = "give what `ssh-only-firewall report --json` prints";

/** Throws UnreadableError, which says what to do. */
export function readKeptReport(bytes: Uint8Array): KeptReport {
  const document = new Node(parse(bytes));
  if (document.at("verdicts").isAbsent || document.at("hosts").isAbsent) {
    throw new UnreadableError(`is not a report; ${GIVE}`);
  }
  if (document.at("version").value !== REPORT_VERSION) {
    throw new UnreadableError(`is a report of another version of ssh-only-firewall; ${GIVE}`);
  }
  return { at: document.at("at").optionalText(), hosts: document.at("hosts").list().map(reported) };
}

function parse(bytes: Uint8Array): unknown {
  // PowerShell's `>` writes UTF-16.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return JSON.parse(new TextDecoder(encoding).decode(bytes));
  } catch {
    throw new UnreadableError(`is not JSON; ${GIVE}`);
  }
}

function reported(node: Node): ReportedHost {
  const word = node.at("verdict");
  const verdict = VERDICT_WORDS.find((one) => one === word.value);
  return {
    host: node.at("host").text(),
    firewall: node.at("firewall").optionalText(),
    address: node.at("address").optionalText(),
    state: node.at("state").optionalText(),
    verdict: verdict ?? word.refuse(`one of ${VERDICT_WORDS.join(", ")}`),
    quietSince: node.at("quietSince").optionalText(),
    reasons: node
      .at("reasons")
      .list()
      .map((one) => one.text()),
  };
}
