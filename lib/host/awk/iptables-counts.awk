# Of the filter tables, by iptables-save -c: DIRECTION all - - PACKETS 0, the sum of what our chains denied, or would have.

BEGIN {
  name["SSH_ONLY_IN"] = "in"
  name["SSH_ONLY_OUT"] = "out"
  name["SSH_ONLY_FWD"] = "forward"
}
$2 == "-A" && ($3 in name) && (/ -j (DROP|REJECT)/ || (NF == 5 && $5 == "RETURN")) {
  split(substr($1, 2), counter, ":")
  sum[name[$3]] += counter[1]
}
END { for (direction in sum) if (sum[direction] > 0) print direction, "all", "-", "-", sum[direction], 0 }
