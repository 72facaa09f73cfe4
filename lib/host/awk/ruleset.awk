# Of the sources of SSH, in one line, and the texts of a ruleset, each behind a line `== NAME`: nothing is loaded that the package
# does not write, for values that only the apply knew are in it. What is no address stands where an address has to, or adds words
# or lines that no rule has. Behind addresses.awk and ruleset-lines.awk.
# Prints one line: `allowed` or `foreign`, whether a source covers `address`; or `unsound` and the line.

function unsound(line) {
  gsub(/[^ -~]/, "?", line)
  print "unsound " substr(line, 1, 100)
  failed = 1
  exit
}
BEGIN {
  split("SSH_ONLY_IN SSH_ONLY_OUT SSH_ONLY_FWD", own, " ")
  count = groups(address, ours)
  far = "^((ip|ip6) [sd]addr A |meta nfproto ipv[46] )?"
  state = "( ct state (established|related))?"
  opening = "( tcp flags & [(]syn [|] ack[)] != syn)?"
  flow = "(ip|ip6) [sd]addr [.] udp [sd]port [.] udp [sd]port"
  nft_port = far "(tcp|udp) [sd]port N( udp dport N)?" state opening " accept$"
  nft_icmp = far "icmp(v6)? type ([a-z0-9-]+|[{] [a-z0-9, -]+ [}])( icmp(v6)? code N)?( ip6 hoplimit N)?" state " accept$"
  nft_protocol = "^((ip|ip6) [sd]addr A|meta nfproto ipv[46]) meta l4proto P accept$"
  nft_other = "^([io]ifname \"lo\"( fib daddr type [{] local, broadcast, multicast [}])? accept|meta nfproto ipv[46] ct state related tcp flags & rst == rst accept|tcp flags & [(]syn [|] ack[)] != syn accept|meta nfproto ipv6 frag frag-off != 0 (accept|drop)|(" flow " @asked_(in|out)_ipv[46] )?update @asked_(in|out)_ipv[46] [{] " flow " [}]( accept)?)$"
  nft_note = "^(meta nfproto ipv[46] meta l4proto (tcp|udp|!= [{] tcp, udp [}]) update @denied_(in|out)_ipv[46](_others)? [{] (ip|ip6) [sd]addr [.] meta l4proto( [.] (tcp|udp) dport)? counter [}]|limit rate N/minute log prefix \"ssh-only-firewall (in|out|forward): \"|counter comment \"denied (in|out|forward)\"|drop|meta l4proto tcp reject with tcp reset|reject with icmpx type admin-prohibited)$"
  ipt_rule = "^-A SSH_ONLY_(IN|OUT|FWD)( -[io] lo)?( -m addrtype --dst-type (LOCAL|LOCAL,BROADCAST,MULTICAST|MULTICAST))?( -[sd] A)?( -p (P|tcp|udp|icmp|ipv6-icmp))?( -m (tcp|udp|icmp|icmp6))?( --sport N)?( --dport N)?( --icmp(v6)?-type [a-z0-9/-]+)?( (! )?--tcp-flags [A-Z,]+ [A-Z,]+)?( -m hl --hl-eq N)?( -m conntrack --ctstate (ESTABLISHED|RELATED))?( -m limit --limit N/minute)? -j (ACCEPT|DROP|RETURN|REJECT --reject-with [a-z0-9-]+|LOG --log-prefix \"ssh-only-firewall (in|out|forward): \")$"
}
NR == 1 {
  for (f = 1; f <= NF; f++) {
    if (!family_of($f)) unsound($f)
    if (covers($f)) covered = 1
  }
  next
}
/^== / {
  if (texts && step != 0 && step != 9) unsound("the end of " text " is missing")
  if ($2 != (texts == 0 ? "nftables" : texts == 1 ? "iptables" : "ip6tables") || ++texts > 3) unsound($0)
  text = $2
  ipv6 = text == "ip6tables"
  step = 0
  next
}
/^[ \t]*(#.*)?$/ { next }
{
  line = form()
  if (!(text == "nftables" ? nftables(line) : iptables(line))) unsound($0)
}
END {
  if (!failed && (texts != 3 || step != 0 && step != 9)) unsound("the end of " text " is missing")
  if (!failed) print covered ? "allowed" : "foreign"
}
