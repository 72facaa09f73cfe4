# A table of nftables, from standard input, without what changes by itself: counters, the members of dynamic sets, and what nft
# says of them in comments. Base chains read the same whatever name this nft has for their priority.
# With `file`: prints nothing, and the exit code is 0 if that file has the same.
# With `sealed`: what is read behind standard input has to be, as it is, what that file has.

function out(line) {
  if (file == "") print line
  else if ((getline known < file) < 1 || known != line) exit differs = 1
}
FNR < NR && file != sealed { if ((getline known < file) > 0) exit differs = 1; file = sealed }
FNR < NR { out($0); next }
skipping { if (/}/) skipping = 0; next }
/^[ \t]*elements = [{]/ { if (!/}/) skipping = 1; next }
/^[ \t]*type filter hook/ { sub(/priority .*; policy/, "priority; policy") }
{
  sub(/[ \t]+#[^"]*$/, "")
  gsub(/packets [0-9]+ bytes [0-9]+/, "")
  gsub(/[ \t]+/, " ")
  sub(/ssh_only_firewall_check/, "ssh_only_firewall")
  out($0)
}
END { exit differs || (file != "" && (getline known < file) > 0) }
