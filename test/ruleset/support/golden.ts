/** Rulesets written down in test/golden/ruleset, byte for byte. `UPDATE_GOLDEN=1 npx jest golden` writes them anew. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defined } from "../../support/required";
import { renderIptables, renderIptablesFile } from "../../../lib/ruleset/backends/iptables";
import { renderNftables } from "../../../lib/ruleset/backends/nftables";
import { policies, withTokensNamed } from "./policies";

export const GOLDEN = join(__dirname, "../../golden/ruleset");

/** Every golden file with the text that is rendered for it. */
export const rendered: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.entries(policies).flatMap(([name, policy]) => [
    [`${name}.nft`, renderNftables(policy)],
    [`${name}.v4`, renderIptables(policy, "ipv4")],
    [`${name}.v6`, renderIptables(policy, "ipv6")],
  ]),
  ...(["default", "every-exception"] as const).flatMap((name) => [
    [`whole-file/${name}.v4`, renderIptablesFile(policies[name], "ipv4")],
    [`whole-file/${name}.v6`, renderIptablesFile(policies[name], "ipv6")],
  ]),
]);

/** One of them. */
export function golden(name: string): string {
  return defined(rendered[name], name);
}

/** Compares with the file, or writes it where that was asked for. */
export function expectGolden(name: string): void {
  const text = withTokensNamed(golden(name));
  const file = join(GOLDEN, name);
  if (process.env.UPDATE_GOLDEN === "1") {
    if (process.env.CI !== undefined) {
      throw new Error("UPDATE_GOLDEN is refused where CI is set: golden files are changed by a person who reads them");
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  if (!existsSync(file)) {
    throw new Error(`test/golden/ruleset/${name} is missing; UPDATE_GOLDEN=1 npx jest golden writes it`);
  }
  // As lists of lines, because jest then shows the lines that differ.
  expect(text.split("\n")).toEqual(readFileSync(file, "utf8").split("\n"));
}
