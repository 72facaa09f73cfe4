# Of `nft list ruleset`, with the members of sets or without: the rules that would drop new connections to `port`, a line each. Our own chains come first in the
# filter table they are in, so that they are left out.

function report() {
  if (drops != "" && !accepts) printf "table %s, chain%s: policy drop, and nothing there accepts port %s\n", table, drops, port
  drops = ""
  accepts = 0
}
# Whether the words from that one on, ports and ranges, name the port.
function listed(i,   range) {
  for (; i <= NF && $i ~ /^[0-9]+(-[0-9]+)?$/; i++) {
    if (split($i, range, "-") == 1) range[2] = range[1]
    if (range[1] + 0 <= port + 0 && port + 0 <= range[2] + 0) return 1
  }
  return 0
}
function names_port(   i) {
  for (i = 1; i < NF; i++) if ($i == "dport" && ($(i - 1) == "tcp" || $(i - 1) == "th")) {
    if ($(i + 1) ~ /^@/ ? (table $(i + 1)) in holds : listed(i + 1)) return 1
  }
  return 0
}
/^table / { report(); table = $2 " " $3; own = $3 ~ /^ssh_only_firewall/; next }
own { next }
$1 == "set" { set = table "@" $2; ports = 0; next }
$1 == "chain" { chain = $2; set = ""; away = 0; next }
set != "" {
  # Without its members, a set of ports may have any.
  if (/type inet_service/) { ports = 1; holds[set] = 1 }
  if (/elements = /) { delete holds[set]; sub(/.*elements = /, "") }
  gsub(/[{},]/, " ")
  $0 = $0
  if (ports && listed(1)) holds[set] = 1
  next
}
$1 == "type" && / hook / {
  away = !/ hook (ingress|prerouting|input) /
  if (!away && /policy drop/) drops = drops " " chain
  next
}
{
  rule = $0
  sub(/^[ \t]*/, "", rule)
  gsub(/[{},]/, " ")
  $0 = $0
  named = names_port()
}
/ jump SSH_ONLY_IN/ { accepts = 1 }
/(^|[ \t])accept/ && (named || !/dport|established|iif(name)? "?lo|icmp|udp|igmp/) { accepts = 1 }
named && !away && / (drop|reject)( |$)/ { printf "table %s, chain %s: %s\n", table, chain, rule }
END { report() }
