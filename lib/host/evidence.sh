# Who was denied. The kernel forgets at every load and restart, so what it has counted is added up in $STATE/evidence:
#
#   DIRECTION PROTOCOL PEER PORT PACKETS FIRST LAST KERNEL
#
# Times are seconds since 1970; KERNEL is what the kernel had counted when it was read last. Protocol `all` is the sum of a
# direction, which is all there is with iptables. Kept are the first five thousand, so that a flood buries nobody.

# evidence_now: from the kernel, DIRECTION PROTOCOL PEER PORT PACKETS AGE. The age is that of the last packet.
evidence_now() {
  if have nft && table=$(nft -n list table inet ssh_only_firewall 2>/dev/null); then
    printf '%s\n' "$table" | awk '
      # 59d23h59m59s984ms, or 5183999s.
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
      $1 == "set" { direction = $2 ~ /^denied_in_/ ? "in" : $2 ~ /^denied_out_/ ? "out" : ""; others = $2 ~ /_others$/ }
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
      }'
    return 0
  fi
  read_record "${confirmed:-$pending}"
  [ "$rec_backend" = iptables ] || return 0
  ipt_use "$rec_variant" "$rec_families"
  for family in $ipt_families; do "$family$ipt_variant-save" -c -t filter 2>/dev/null || :; done | awk '
    BEGIN { name["SSH_ONLY_IN"] = "in"; name["SSH_ONLY_OUT"] = "out"; name["SSH_ONLY_FWD"] = "forward" }
    $2 == "-A" && ($3 in name) && (/ -j (DROP|REJECT)/ || (NF == 5 && $5 == "RETURN")) {
      split(substr($1, 2), counter, ":")
      sum[name[$3]] += counter[1]
    }
    END { for (direction in sum) if (sum[direction] > 0) print direction, "all", "-", "-", sum[direction], 0 }'
}

# Under the host lock: adds what the kernel has counted since. Never in the way of what calls it.
keep_evidence() {
  [ -n "$pending$confirmed" ] && [ -d "$STATE/records" ] || return 0
  seen=$(evidence_now) || return 0
  [ -n "$seen" ] || return 0
  now=$(date +%s)
  looked=0
  [ ! -f "$STATE/evidence" ] || looked=$(date -r "$STATE/evidence" +%s 2>/dev/null) || looked=0
  {
    [ ! -f "$STATE/evidence" ] || cat "$STATE/evidence"
    printf '%s\n' "$seen"
  } | awk -v now="$now" -v looked="$looked" '
    { key = $1 " " $2 " " $3 " " $4 }
    NF == 8 { order[++n] = key; packets[key] = $5; first[key] = $6; last[key] = $7; kernel[key] = $8; next }
    {
      came = now - $6
      if (!(key in packets)) {
        if (n >= 5000 && $2 != "all") next
        order[++n] = key
        packets[key] = kernel[key] = 0
        # Of the first of several, only the time of the look before is known.
        first[key] = $5 > 1 && now - looked <= 60 && looked < came ? looked : came
      }
      more = $5 >= kernel[key] ? $5 - kernel[key] : $5
      if (more > 0) { packets[key] += more; last[key] = came }
      kernel[key] = $5
    }
    END { for (i = 1; i <= n; i++) { key = order[i]; print key, packets[key], first[key], last[key], kernel[key] } }
  ' >"$STATE/evidence.tmp" && mv -f "$STATE/evidence.tmp" "$STATE/evidence" || rm -f "$STATE/evidence.tmp"
}

# After every load: the kernel counts from nothing again.
forget_counts() {
  [ -f "$STATE/evidence" ] || return 0
  awk '{ $8 = 0; print }' "$STATE/evidence" >"$STATE/evidence.tmp" && mv -f "$STATE/evidence.tmp" "$STATE/evidence" ||
    rm -f "$STATE/evidence.tmp"
}

# 0 if it is time to keep evidence: something was denied since the last look, or, where asking costs as much as keeping, a
# minute has gone by. For the guard, whose rounds it counts.
counted() {
  round=$((${round-0} + 1))
  if [ "$rec_backend" = nftables ]; then
    counts=$(printf '%s\n' "$table" | sed -n 's/.*counter packets \([0-9]*\) .* comment "denied.*/\1/p')
    [ "$counts" != "${counts_before-}" ] || return 1
    counts_before=$counts
  else
    [ $((round % 12)) -eq 0 ]
  fi
}
