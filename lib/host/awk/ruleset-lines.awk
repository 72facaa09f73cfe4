# Functions that know the lines of a ruleset, by what our backends write. `step` is where in its text one is.

# 1 if from word i on there is an address of that family, or a set of them. Sets last, the word that ends it.
function address_at(i, family) {
  last = i
  if ($i != "{") return family_of($i) == family
  for (i++; i < NF && $i ~ /,$/; i++) if (family_of(substr($i, 1, length($i) - 1)) != family) return 0
  last = i + 1
  return $last == "}" && family_of($i) == family
}
# The line with A in the place of an address, N in that of a number from 0 to 65535, and P in that
# of a protocol.
function form(   i, text, word) {
  text = ""
  for (i = 1; i <= NF; i++) {
    word = $i
    if (i > 1 && $(i - 1) ~ /^([sd]addr|-[sd])$/ && word !~ /^(\.|type)$/) {
      if (address_at(i, ipv6 || $(i - 2) == "ip6" ? 6 : 4)) { word = "A"; i = last }
    } else if (i > 1 && word ~ /^(0|[1-9][0-9]*)(\/minute)?$/ && $(i - 1) ~ /^(--)?([sd]port|hoplimit|hl-eq|code|rate|limit)$/ && word + 0 < 65536)
      sub(/^[0-9]+/, "N", word)
    else if (i > 1 && $(i - 1) ~ /^(l4proto|-p)$/ && word ~ /^[1-9][0-9]?[0-9]?$/ && word + 0 < 255) word = "P"
    text = text (i > 1 && text != "" ? " " : "") word
  }
  return text
}
function nftables(line) {
  if (step == 0 && line == "table inet ssh_only_firewall" || step == 1 && line == "delete table inet ssh_only_firewall") return ++step
  if (step == 2 && line == "table inet ssh_only_firewall {") return step = 3
  if (step == 3 && line ~ /^set (denied|asked)_(in|out)_ipv[46](_others)? \{ type ipv[46]_addr( \. inet_(proto|service))+; size [0-9]+; flags (dynamic,)?timeout; timeout [0-9]+[ds]; \}$/) return 1
  if (step == 3 && line ~ /^chain (input|output|forward) \{$/ && !($2 in chains)) { chains[$2] = chain = $2; return step = 4 }
  if (step == 4 && line ~ /^type filter hook (input|output|forward) priority -10; policy (drop|accept);$/ && $4 == chain) { passes = $NF == "accept;"; return step = 5 }
  if (step == 5 && line == "}") return step = 3
  if (step == 3 && line == "}" && ("input" in chains) && ("output" in chains) && ("forward" in chains)) return step = 9
  if (step != 5) return 0
  if (line == "accept") return passes
  return line ~ nft_port || line ~ nft_icmp || line ~ nft_protocol || line ~ nft_other || line ~ nft_note
}
function iptables(line) {
  if (step == 0 && line == "*filter") return step = 1
  if ((step in own) && line == ":" own[step] " - [0:0]") return ++step
  if (step == 4 && line == "COMMIT") return step = 9
  return step == 4 && line ~ ipt_rule
}
