# Of iptables-save: the rules that would drop new connections to `port`, a line each. `only` names a word, for rules with that
# word; or is empty, for all.

function names_port(   i, k, n, part, range) {
  for (i = 1; i < NF; i++) if ($i ~ /^--dports?$/ && $(i - 1) != "!") {
    n = split($(i + 1), part, ",")
    for (k = 1; k <= n; k++) {
      if (split(part[k], range, ":") == 1) range[2] = range[1]
      if (range[1] + 0 <= port + 0 && port + 0 <= range[2] + 0) return 1
    }
  }
  return 0
}
/^\*/ { table = substr($1, 2); ours = 0; next }
/^:(INPUT|PREROUTING) DROP/ { drops[table] = substr($1, 2) }
$1 != "-A" { next }
/^-A INPUT -j SSH_ONLY_IN/ { ours = 1 }
{ named = / -p tcp / && names_port() }
/ -j ACCEPT/ && (named || !/dport|ESTABLISHED| -i lo |icmp| -p udp | -p igmp /) { accepting[table] = 1 }
ours { accepting[table] = 1 }
named && / -j (DROP|REJECT)/ && $2 !~ /^(SSH_.*|OUTPUT|FORWARD|POSTROUTING)$/ && !ours && (only == "" || index($0, only)) {
  printf "%s, table %s: %s\n", family, table, $0
}
END {
  for (table in drops) if (only == "" && !(table in accepting))
    printf "%s, table %s, chain %s: policy DROP, and nothing there accepts port %s\n", family, table, drops[table], port
}
