# Of the filter table, by iptables-save: the commands that make each jump to our chains the first rule, and the only one.
# Nothing where that is so.

BEGIN {
  jump["INPUT"] = "SSH_ONLY_IN"
  jump["OUTPUT"] = "SSH_ONLY_OUT"
  jump["FORWARD"] = "SSH_ONLY_FWD"
}
$1 == "-A" && ($2 in jump) {
  if (!($2 in first)) first[$2] = $3 $4
  if (NF == 4 && $3 $4 == "-j" jump[$2]) ours[$2]++
}
END {
  for (c in jump) {
    if (first[c] == "-j" jump[c] && ours[c] == 1) continue
    for (; ours[c] > 0; ours[c]--) print "-D " c " -j " jump[c]
    print "-I " c " 1 -j " jump[c]
  }
}
