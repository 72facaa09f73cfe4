# Functions for addresses and ranges, IPv4 and IPv6. `ours` has the groups of the address of the client, and `count` their number.

function hex(text,   i, n) {
  n = 0
  for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
  return n
}
# Fills out[1..count] with 16-bit groups; returns their number: 2 for IPv4, 8 for IPv6.
function groups(text, out,   part, head, tail, n, m, i) {
  text = tolower(text)
  if (text ~ /^::ffff:[0-9]+\./) sub(/^::ffff:/, "", text)
  if (text !~ /:/) {
    if (split(text, part, ".") != 4) return 0
    out[1] = part[1] * 256 + part[2]
    out[2] = part[3] * 256 + part[4]
    return 2
  }
  sub(/%.*/, "", text)
  n = split(text, part, "::")
  m = n == 2 ? split(part[2], tail, ":") : 0
  n = split(part[1], head, ":")
  for (i = 1; i <= 8; i++) out[i] = i <= n ? hex(head[i]) : i > 8 - m ? hex(tail[i - 8 + m]) : 0
  return 8
}
function covers(source,   cidr, bits, g, unit, same) {
  bits = split(source, cidr, "/") == 2 ? cidr[2] : 128
  if (!count || groups(cidr[1], theirs) != count) return 0
  same = 1
  for (g = 1; g <= count && bits > 0; g++) {
    # Not a power: the awk of busybox may have no mathematics.
    for (unit = 1; bits < 16; bits++) unit *= 2
    if (int(ours[g] / unit) != int(theirs[g] / unit)) same = 0
    bits -= 16
  }
  return same
}
# 4 or 6 for an address or range of that family; 0 for everything else.
function family_of(text,   cidr, part, n, i, short) {
  n = split(text, cidr, "/")
  if (n > 2 || (n == 2 && cidr[2] !~ /^(0|[1-9][0-9]?[0-9]?)$/)) return 0
  text = cidr[1]
  if (text ~ /^[0-9.]+$/) {
    if (split(text, part, ".") != 4 || (n == 2 && cidr[2] > 32)) return 0
    for (i = 1; i <= 4; i++) if (part[i] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || part[i] > 255) return 0
    return 4
  }
  if (text !~ /^[0-9a-fA-F:]+$/ || text ~ /:::|^:[^:]|[^:]:$/ || (n == 2 && cidr[2] > 128)) return 0
  short = gsub(/::/, ":0:", text)
  sub(/^:/, "", text)
  sub(/:$/, "", text)
  n = split(text, part, ":")
  for (i = 1; i <= n; i++) if (part[i] !~ /^[0-9a-fA-F]+$/ || length(part[i]) > 4) return 0
  return short == 0 && n == 8 || short == 1 && n < 9 ? 6 : 0
}
