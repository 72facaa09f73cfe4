/** What ssh logs of a login at level VERBOSE, and prints of its settings. */

/** Where ssh connects to. */
export interface Destination {
  readonly host: string;
  readonly port: number | undefined;
  readonly isDirect: boolean;
}

/** From a log; undefined where ssh uses a connection that is there already. */
export function connectedTo(log: string): Destination | undefined {
  const [, host, port] = /^Authenticated to \S+ \(\[(\S+)\]:(\d+)\)/m.exec(log) ?? [];
  if (host !== undefined) {
    return { host, port: Number(port), isDirect: true };
  }
  return /^Authenticated to \S+ \(via proxy\)/m.test(log) ? { host: "", port: undefined, isDirect: false } : undefined;
}

/** The errors in a log, without what ssh logs of every login. */
export function withoutNotices(log: string): string {
  return log.replace(/^(Authenticated to|Transferred|Bytes per second|Warning)\b.*\n/gm, "");
}

/** From what `ssh -G` prints. */
export function destinationOf(settings: string): Destination | undefined {
  const lines = settings.split("\n").map((line) => line.split(" "));
  const of = (name: string): string | undefined => {
    const words = lines
      .find(([word]) => word === name)
      ?.slice(1)
      .join(" ");
    return words === "" || words === "none" ? undefined : words;
  };
  const host = of("hostname");
  const port = Number(of("port"));
  return host === undefined
    ? undefined
    : {
        host,
        port: Number.isInteger(port) ? port : undefined,
        isDirect: of("proxycommand") === undefined && of("proxyjump") === undefined,
      };
}
