# Of the filter table, by iptables-save: the commands that make each jump to our chains the first rule, and the only one.
# Nothing where that is so.

BEGIN {
  want["INPUT"] = "SSH_ONLY_IN"
  want["OUTPUT"] = "SSH_ONLY_OUT"
  want["FORWARD"] = "SSH_ONLY_FWD"
}
$1 == "-A" && ($2 in want) {
  if (!($2 in first)) first[$2] = $3 $4
  if (NF == 4 && $3 $4 == "-j" want[$2]) ours[$2]++
}
END {
  for (c in want) {
    if (first[c] == "-j" want[c] && ours[c] == 1) continue
    for (; ours[c] > 0; ours[c]--) print "-D " c " -j " want[c]
    print "-I " c " 1 -j " want[c]
  }
}
