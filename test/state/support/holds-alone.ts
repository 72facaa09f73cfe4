/** What a real Terraform wrote of a firewall of which one hold is left: `web-2`, of user ops at 192.0.2.11, port 2222. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TrackerKind } from "../../../lib/index";

export const HOLDS_ALONE: readonly TrackerKind[] = ["null_resource", "terraform_data"];

/** As terraform show -json prints the state, as terraform state pull does, and the plan of a destroy. */
export type Written = "shown" | "filed" | "plan";

export function holdAlone(tracker: TrackerKind, written: Written): string {
  return readFileSync(join(__dirname, "../../golden/hold-alone", `${tracker}-${written}.json`), "utf8");
}

/** As an earlier version wrote it: without the role. */
export const withoutRole = (text: string): string => text.replace(/"role": "ssh-only-firewall hold"/g, '"other": "x"');

/** As a user calls it, who overrides the names of resources. */
export const renamed = (text: string): string => text.replaceAll("fleet_hold", "grip");
