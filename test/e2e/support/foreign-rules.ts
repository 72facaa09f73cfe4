/** Rules of other tools, as a host may have them before it is locked, and what of a host's rules is theirs. */
import type { Host, HostFirewall, Target } from "../../lab/lab";

/** Loads them on the host. They drop everything from the banned machine, and count it. */
export async function addForeignRules(host: Host, banned: Target): Promise<void> {
  if (kindOf(host) === "nftables") {
    await host.exec(["nft", "-f", "-"], { input: nftRules(banned) });
  } else {
    await host.exec(["iptables-restore"], { input: iptablesRules(banned.ipv4) });
    await host.exec(["ip6tables-restore"], { input: iptablesRules(banned.ipv6) });
  }
}

/** All rules, as each tool of the host shows them, without counters: nft shows no details of `recent`. */
export async function allRules(host: Host): Promise<string> {
  const own = kindOf(host) === "nftables" ? "" : await saved(host);
  return (await host.rules()) + own.replace(/^#.*\n/gm, "").replace(/ \[\d+:\d+\]$/gm, "");
}

/** The part of `allRules` that is not the package's, one line a rule. */
export function foreignPart(rules: string): string {
  return rules
    .replace(/^table inet ssh_only_firewall \{\n.*?^\}\n/gms, "")
    .replace(/^\tchain SSH_ONLY_\w+ \{\n.*?^\t\}\n/gms, "")
    .split("\n")
    .filter((line) => line !== "" && !line.includes("SSH_ONLY_"))
    .join("\n");
}

/** How many packets from the banned machine the foreign rules have dropped since they were loaded. */
export async function droppedByForeignRules(host: Host): Promise<number> {
  const text = kindOf(host) === "nftables" ? (await host.exec("nft list ruleset")).stdout : await saved(host, "-c");
  const drops =
    kindOf(host) === "nftables"
      ? [...text.matchAll(/counter packets (\d+) bytes \d+ drop/g)]
      : [...text.matchAll(/^\[(\d+):\d+\] -A BANNED -j DROP$/gm)];
  if (drops.length !== 2) {
    throw new Error(`One rule of each family bans, but ${drops.length} were found in:\n${text}`);
  }
  return drops.reduce((sum, [, packets]) => sum + Number(packets), 0);
}

/** Addresses that the foreign rules have noted; no rule of ours may make them forget. */
export async function notedByForeignRules(host: Host): Promise<string[]> {
  const command =
    kindOf(host) === "nftables" ? "nft list set inet foreign talkers" : "cat /proc/net/xt_recent/visitors*";
  const { stdout } = await host.exec(command);
  return [...new Set(stdout.match(/10\.77\.0\.\d+/g))].sort();
}

function kindOf(host: Host): HostFirewall {
  return host.options.firewall ?? "nftables";
}

async function saved(host: Host, option = ""): Promise<string> {
  return (await host.exec(`iptables-save ${option}; ip6tables-save ${option}`)).stdout;
}

/** The names of sets, chains and counters are those that other tools could have given them. */
function nftRules(banned: Target): string {
  return `
    table inet foreign {
      set banned { type ipv4_addr; flags interval; elements = { ${banned.ipv4}, 203.0.113.0/24 }; }
      set talkers { type ipv4_addr; size 1024; flags dynamic,timeout; timeout 1h; }
      counter seen { }
      chain input {
        type filter hook input priority 0; policy accept;
        ip saddr @banned counter drop
        ip6 saddr ${banned.ipv6} counter drop
        tcp dport 8080 update @talkers { ip saddr }
        counter name seen
      }
      chain forward {
        type filter hook forward priority 0; policy accept;
        tcp dport 25 drop
      }
    }
    table ip foreign_nat {
      chain prerouting {
        type nat hook prerouting priority -100; policy accept;
        tcp dport 8081 redirect to :8080
      }
    }`;
}

function iptablesRules(banned: string): string {
  const limits = "--hashlimit-above 100/sec --hashlimit-burst 200 --hashlimit-mode srcip --hashlimit-name per_source";
  return [
    "*raw",
    ":PREROUTING ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":BANNED - [0:0]",
    `-A PREROUTING -s ${banned} -j BANNED`,
    "-A BANNED -j DROP",
    "COMMIT",
    "*filter",
    ":INPUT DROP [0:0]",
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":LIMITS - [0:0]",
    ":UNUSED - [0:0]",
    "-A INPUT -j LIMITS",
    "-A INPUT -j ACCEPT",
    "-A FORWARD -p tcp -m tcp --dport 25 -j DROP",
    "-A FORWARD -j ACCEPT",
    "-A LIMITS -p tcp -m tcp --dport 8080 -m recent --set --name visitors --rsource",
    "-A LIMITS -p tcp -m tcp --dport 8080 -m recent --update --seconds 2 --hitcount 20 --name visitors --rsource -j DROP",
    `-A LIMITS -p tcp -m tcp --dport 3306 -m hashlimit ${limits} -j DROP`,
    "COMMIT",
    "",
  ].join("\n");
}
