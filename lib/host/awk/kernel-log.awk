# Of the lines of the kernel log that the ruleset writes, each behind its time: DIRECTION PROTOCOL PEER PORT PACKETS FIRST LAST.
# Only those since `begin`, and the first five thousand of each direction.

BEGIN { number["TCP"] = 6; number["UDP"] = 17; number["ICMP"] = 1; number["ICMPv6"] = 58 }
/ssh-only-firewall (in|out): / {
  time = int($1)
  if (time < begin) next
  direction = /ssh-only-firewall in: / ? "in" : "out"
  sub(/.*ssh-only-firewall (in|out): /, "")
  split("", word)
  # Behind the packet there may be another, which an error of ICMP is about.
  for (i = 1; i <= NF && $i !~ /^\[/; i++) if (split($i, part, "=") == 2 && !(part[1] in word)) word[part[1]] = part[2]
  protocol = word["PROTO"] in number ? number[word["PROTO"]] : word["PROTO"]
  key = direction " " protocol " " word[direction == "in" ? "SRC" : "DST"] " " ("DPT" in word ? word["DPT"] : "-")
  if (!(key in packets)) {
    if (++kept[direction] > 5000) next
    order[++n] = key
    first[key] = time
  }
  packets[key]++
  last[key] = time
}
END { for (i = 1; i <= n; i++) print order[i], packets[order[i]], first[order[i]], last[order[i]] }
