/** Tools of other releases of Debian, without their kernels: nft and iptables that a lab host runs instead of its own. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { describeUnless } from "../support/describe-unless";
import type { Host, HostFirewall } from "./lab";
import { whyNoLab } from "./prerequisites";

/** The oldest and the newest of what there is; each lists rules in its own words. */
export type Release = "bullseye" | "bookworm" | "trixie" | "sid";

export const releases: readonly Release[] = ["bullseye", "bookworm", "trixie", "sid"];

/** Outside the repository: they are the same for every checkout. */
const cache = "/var/cache/ssh-only-lab";
/** On a host: the tools that it has now. Hosts see the files of this machine. */
const TOOLS = "/opt/tools";

/** As jest's `describe`, for tests on hosts that change their tools. */
export function describeWithTools(name: string, tests: () => void): void {
  describeUnless(whyNoLab() ?? whyNoTools(), name, tests);
}

/** Shell text for the provision of a host whose tools are to change. A host has nft only where its firewall is nftables. */
export function changeableTools(firewall: HostFirewall): string {
  return `set -- ${firewall === "iptables-legacy" ? "legacy" : "nft"}\n${LINK}${firewall === "nftables" ? LINK_NFT : ""}`;
}

/** First in the PATH of the host program. */
const LINK = `
cd /usr/local/sbin
for command in iptables ip6tables; do
  for end in '' -save -restore; do
    ln -s "${TOOLS}/$command-$1$end" "$command$end"
    for variant in nft legacy; do ln -s "${TOOLS}/$command-$variant$end" "$command-$variant$end"; done
  done
done
`;
const LINK_NFT = `ln -s ${TOOLS}/nft nft\n`;

/** Upgrades, or downgrades, the firewall tools of the host. */
export async function useTools(host: Host, release: Release): Promise<void> {
  await host.exec(["ln", "-sfn", `${cache}/tools-${release}/bin`, TOOLS]);
}

/** Synchronous, because Jest wants to know at once which tests there are. */
function whyNoTools(): string | undefined {
  for (const release of releases) {
    const { status, stderr } = spawnSync("/bin/sh", [path.join(__dirname, "release-tools.sh"), cache, release], {
      encoding: "utf8",
    });
    if (status !== 0) {
      return stderr.trim().split("\n").at(-1)?.replace(/\.$/, "");
    }
  }
  return undefined;
}
