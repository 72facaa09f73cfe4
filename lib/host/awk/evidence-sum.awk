# Lines of $STATE/evidence, and behind them what the kernel has counted: DIRECTION PROTOCOL PEER PORT PACKETS AGE. Prints the new
# lines of evidence. `now` is the time, and `looked` that of the last look, in seconds since 1970.

{ key = $1 " " $2 " " $3 " " $4 }
NF == 8 { order[++n] = key; kept[$1] += $2 != "all"; packets[key] = $5; first[key] = $6; last[key] = $7; kernel[key] = $8; next }
{
  came = now - $6
  if (!(key in packets)) {
    if ($2 != "all" && ++kept[$1] > 5000) next
    order[++n] = key
    packets[key] = kernel[key] = 0
    # Of the first of several only this is known: it came after the look before. So with a sum, whose time is that of the look.
    # The guard looks every few seconds, or with iptables every minute.
    first[key] = came
    if ($5 > 1 || $2 == "all") first[key] = now - looked > 90 ? "-" : now - looked > 10 && looked < came ? looked : came
  }
  more = $5 >= kernel[key] ? $5 - kernel[key] : $5
  if (more > 0) { packets[key] += more; last[key] = came }
  kernel[key] = $5
}
END { for (i = 1; i <= n; i++) { key = order[i]; print key, packets[key], first[key], last[key], kernel[key] } }
