/** What the command line takes from its own package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The package's folder, from its sources and from dist alike. */
export function packageFolder(from = __dirname): string {
  return existsSync(join(from, "package.json")) ? from : packageFolder(dirname(from));
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as { version: string }).version;
}
