/** Lines of what a host keeps of logins: sshd in the journal or in auth.log, else what `last` prints. */
import { plain } from "../output/text";
import { utcOfIso } from "./time";

export interface Login {
  /** Null where the log has neither year nor zone. */
  readonly at: string | null;
  /** The time as the log has it. */
  readonly logged: string;
  readonly user: string;
  readonly from: string;
  /** `publickey`, `password`; null where the log does not say. */
  readonly by: string | null;
  /** The fingerprint of the key. */
  readonly key: string | null;
  /** The client's port. */
  readonly fromPort: number | null;
}

const WHEN = String.raw`(?<when>\d{4}-\d\d-\d\dT\S{8,30}|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)`;
const SSHD = new RegExp(
  String.raw`^${WHEN} \S{1,255} sshd(?:-session)?(?:\[\d+\])?: Accepted (?<by>\S{1,50}) for (?<user>.{1,255}) from (?<from>\S{1,100}) port (?<port>\d{1,5})\b(?: ssh2: \S{1,50} (?:ID .* )?(?<key>(?:SHA256|MD5):\S{1,100}))?`,
);
/** A local login has no address; `reboot` and the like have no terminal of their own. */
const LAST =
  /^(?<user>\S{1,255}) +pts\/\d+ +(?<from>[0-9A-Fa-f.:%a-z-]{2,100}) +(?<when>\d{4}-\d\d-\d\dT\S{8,30}|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d)/;

export function loginOf(line: string): Login | undefined {
  const { when, user = "", from = "", by, key, port } = (SSHD.exec(line) ?? LAST.exec(line))?.groups ?? {};
  return when === undefined
    ? undefined
    : {
        at: utcOfIso(when),
        logged: plain(when),
        user: plain(user),
        from: plain(from),
        by: by === undefined ? null : plain(by),
        key: key === undefined ? null : plain(key),
        fromPort: port === undefined ? null : Number(port),
      };
}

/** Of the first line of a log: its time in UTC, else as the log has it. */
export function beginningOf(line: string): string | null {
  const when =
    new RegExp(`^${WHEN}`).exec(line)?.groups?.when ?? /^[A-Z][a-z]{2} [A-Z][a-z]{2} .{1,30}$/.exec(line)?.[0];
  return when === undefined ? null : (utcOfIso(when) ?? plain(when));
}
