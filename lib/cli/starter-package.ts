/** The package.json of a project that `init` makes. Versions are exact: no release changes what locks a fleet by itself. */
import { packageVersion } from "./package";

export const CLIS = ["cdktf", "cdktn"] as const;
export type Cli = (typeof CLIS)[number];

const COMMON = { "@cdktf/provider-null": "11.0.0", cdktf: "0.21.0", constructs: "10.6.0" };

const OF_CLI: Readonly<Record<Cli, Readonly<Record<string, string>>>> = {
  cdktf: { "cdktf-cli": "0.21.0" },
  cdktn: { "cdktn-cli": "0.24.0" },
};

/** The command line that runs on this Node: cdktf's crashes on 24, and cdktn's needs 22.19. */
export function defaultCli(node = process.versions.node): Cli {
  return Number.parseInt(node, 10) >= 24 ? "cdktn" : "cdktf";
}

export function dependenciesOf(cli: Cli): Readonly<Record<string, string>> {
  const dependencies = { ...COMMON, ...OF_CLI[cli], "cdktf-ssh-only-firewall": packageVersion() };
  return Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The commands are scripts, so that workflows are the same with either. */
export function starterPackage(cli: Cli): string {
  const scripts = Object.fromEntries(["synth", "diff", "deploy", "destroy"].map((name) => [name, `${cli} ${name}`]));
  return `${JSON.stringify({ private: true, scripts, dependencies: dependenciesOf(cli) }, undefined, 2)}\n`;
}
