# Exit code 0: one of the sources on standard input covers `address`.

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
BEGIN { count = groups(address, ours) }
{
  for (f = 1; f <= NF; f++) {
    bits = split($f, cidr, "/") == 2 ? cidr[2] : 128
    if (!count || groups(cidr[1], theirs) != count) continue
    same = 1
    for (g = 1; g <= count && bits > 0; g++) {
      # Not a power: the awk of busybox may have no mathematics.
      for (unit = 1; bits < 16; bits++) unit *= 2
      if (int(ours[g] / unit) != int(theirs[g] / unit)) same = 0
      bits -= 16
    }
    if (same) found = 1
  }
}
END { exit !found }
