# The table of nftables, by `nft -n list table`: DIRECTION PROTOCOL PEER PORT PACKETS AGE for each peer that was denied, and for
# the sum of each direction. AGE is that of the last packet, in seconds.

# As in 59d23h59m59s984ms, or 5183999s.
function seconds(text,   sum, unit) {
  sub(/[0-9]+ms$/, "", text)
  for (sum = 0; match(text, /^[0-9]+[dhms]/); text = substr(text, RLENGTH + 1)) {
    unit = substr(text, RLENGTH, 1)
    sum += substr(text, 1, RLENGTH - 1) * (unit == "d" ? 86400 : unit == "h" ? 3600 : unit == "m" ? 60 : 1)
  }
  return sum
}
function element(text,   word, n, i, packets, left) {
  n = split(text, word, " ")
  for (i = 1; i <= n; i++) {
    if (word[i] == "packets") packets = word[i + 1]
    if (word[i] == "expires") left = seconds(word[i + 1])
  }
  if (packets > 0) print direction, word[3], word[1], others ? "-" : word[5], packets, 5184000 - left
}
$1 == "set" {
  direction = $2 ~ /^denied_in_/ ? "in" : $2 ~ /^denied_out_/ ? "out" : ""
  others = $2 ~ /_others$/
}
$1 == "elements" { inside = direction != ""; sub(/^.*[{]/, "") }
inside {
  ends = /[}]/
  gsub(/[{}]/, "")
  count = split($0, part, ",")
  for (p = 1; p <= count; p++) if (part[p] ~ /packets/) element(part[p])
  if (ends) inside = 0
}
/counter packets .* comment "denied / {
  sub(/^.*counter packets /, "")
  packets = $1
  gsub(/.*denied |".*/, "")
  if (packets > 0) print $0, "all", "-", "-", packets, 0
}
