# Of the filter table, by iptables-save: our chains, in one order whatever the order of their creation, and without counters.
# Exit code 0: they look like the copy; 1: a jump to them does not come first; 2: there is no copy; 3: it is another.

$1 == "-A" && !($2 in first) { first[$2] = $3 $4 }
{
  chain = $1 == "-A" ? $2 : substr($1, 2)
  if ((!(/^:/) && $1 != "-A") || chain !~ /^SSH_(ONLY|CHECK)_/) next
  whose = chain ~ /^SSH_ONLY_/ ? "live" : "copy"
  sub(/^SSH_[A-Z]*_/, "", chain)
  sub(/ \[[0-9:]*\]$/, "")
  gsub(/SSH_CHECK_/, "SSH_ONLY_")
  rules[whose chain] = rules[whose chain] $0 "\n"
}
END {
  live = rules["liveIN"] rules["liveOUT"] rules["liveFWD"]
  copy = rules["copyIN"] rules["copyOUT"] rules["copyFWD"]
  printf "%s", live
  if (first["INPUT"] != "-jSSH_ONLY_IN" || first["OUTPUT"] != "-jSSH_ONLY_OUT" || first["FORWARD"] != "-jSSH_ONLY_FWD") exit 1
  exit copy == "" ? 2 : copy == live ? 0 : 3
}
