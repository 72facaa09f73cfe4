# Of a filter table, by iptables-save. Exit code 0: it drops whatever its rules do not accept, and does not ask our chains first.

/^:(INPUT|OUTPUT) DROP/ { drops[substr($1, 2)] = 1 }
$1 == "-A" && !($2 in first) { first[$2] = $3 $4 }
/^-A (INPUT|OUTPUT) -j (DROP|REJECT)/ { drops[$2] = 1 }
END {
  for (chain in drops) if (first[chain] !~ /^-jSSH_ONLY_/) found = 1
  exit !found
}
