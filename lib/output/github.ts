/** Workflow commands of GitHub Actions, which it shows as annotations of a run or of the lines of a file. */

export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly col?: number;
  readonly title?: string;
}

export type Level = "error" | "warning" | "notice";

/** One line: what GitHub would read as its own syntax is escaped as it requires. */
export function annotation(level: Level, place: Place, message: string): string {
  const properties = Object.entries(place).map(([name, value]) => `${name}=${property(String(value))}`);
  return `::${level}${properties.length > 0 ? ` ${properties.join(",")}` : ""}::${data(message)}\n`;
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
