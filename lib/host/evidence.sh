# Who was denied. The kernel forgets at every load and restart, so what it has counted is added up in $STATE/evidence:
#
#   DIRECTION PROTOCOL PEER PORT PACKETS FIRST LAST KERNEL
#
# Times are seconds since 1970, and FIRST is - where nobody knows; KERNEL is what the kernel had counted when it was read last.
# Protocol `all` is the sum of a direction, which is all there is with iptables. Kept are the first five thousand of each
# direction, so that a flood buries nobody.

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
  # Before the first look there was the lock; the guard may have looked since, and found nothing.
  looked=$STATE/evidence
  [ -f "$looked" ] || looked=$STATE/records/${pending:-$confirmed}/meta
  looked=$(date -r "$looked" +%s 2>/dev/null) || looked=0
  if [ -n "${looked_up-}" ] && seconds_since "$looked_up" && [ $((now - seconds)) -gt "$looked" ]; then
    looked=$((now - seconds))
  fi
  {
    [ ! -f "$STATE/evidence" ] || cat "$STATE/evidence"
    printf '%s\n' "$seen"
  } | awk -v now="$now" -v looked="$looked" '
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
  ' >"$STATE/evidence.tmp" && mv -f "$STATE/evidence.tmp" "$STATE/evidence" || rm -f "$STATE/evidence.tmp"
}

# Before a ruleset comes into force, under the host lock: writes into baseline/gaps, as NUMBER FROM UNTIL, when the one that should
# have been in force was not, and how often that was before; FROM is - where nobody knows. Kept are the last twenty. A host that
# boots has been down, and not open, as long as it had no network.
note_gap() {
  [ -n "$pending$confirmed" ] && [ -d "$STATE/baseline" ] || return 0
  for held in $pending $confirmed; do
    ! live_matches "$held" >/dev/null 2>&1 || return 0
  done
  [ "$verb" != boot ] || has_network || return 0
  until=$(date +%s)
  from=-
  if [ -n "${seen_up-}" ] && seconds_since "$seen_up"; then from=$((until - seconds)); fi
  number=0
  [ ! -f "$STATE/baseline/gaps" ] || while read -r last rest; do number=$last; done <"$STATE/baseline/gaps"
  {
    [ ! -f "$STATE/baseline/gaps" ] || tail -n 19 "$STATE/baseline/gaps"
    printf '%s %s %s\n' "$((number + 1))" "$from" "$until"
  } >"$STATE/baseline/gaps.tmp" && mv -f "$STATE/baseline/gaps.tmp" "$STATE/baseline/gaps" || rm -f "$STATE/baseline/gaps.tmp"
}

# 0 if somebody could reach this host: it has a route, or an address of IPv6 that is not its own only.
has_network() {
  rows=0
  ! [ -r /proc/net/route ] || while read -r rest; do rows=$((rows + 1)); done </proc/net/route
  [ "$rows" -le 1 ] || return 0
  ! [ -r /proc/net/if_inet6 ] || while read -r rest rest rest rest rest device; do
    [ "$device" = lo ] || return 0
  done </proc/net/if_inet6
  return 1
}

# note_mode, of the record that was read and is now in force: writes into baseline/modes, as MODE TIME, when it began to observe, or
# to deny. A host that has only ever denied has no such file.
note_mode() {
  was=enforce
  [ ! -f "$STATE/baseline/modes" ] || while read -r last rest; do was=$last; done <"$STATE/baseline/modes"
  [ "${rec_mode:-enforce}" != "$was" ] && [ -d "$STATE/baseline" ] || return 0
  { printf '%s %s\n' "${rec_mode:-enforce}" "$(date +%s)" >>"$STATE/baseline/modes"; } 2>/dev/null || :
}

# Once the host is open: what was here before the first lock, and what came since, is of a time that has ended.
forget_use() { rm -rf "$STATE/baseline" "$STATE/evidence" || :; }

# After every load: the kernel counts from nothing again.
forget_counts() {
  [ -f "$STATE/evidence" ] || return 0
  awk '{ $8 = 0; print }' "$STATE/evidence" >"$STATE/evidence.tmp" && mv -f "$STATE/evidence.tmp" "$STATE/evidence" ||
    rm -f "$STATE/evidence.tmp"
}

# 0 if it is time to keep evidence: something was denied since the last look, or, where asking costs as much as keeping, a
# minute has gone by. For the guard, whose rounds it counts; it remembers, as the seconds that the system is up, when the rules
# were there (seen_up), and when all that had come was in evidence (looked_up).
counted() {
  round=$((${round-0} + 1))
  read -r seen_up rest </proc/uptime || seen_up=''
  if [ "$rec_backend" = nftables ]; then
    counts=$(printf '%s\n' "$table" | sed -n 's/.*counter packets \([0-9]*\) .* comment "denied.*/\1/p')
    if [ "$counts" = "${counts_before-}" ]; then
      looked_up=$seen_up
      return 1
    fi
    # Where all passes they change all the time, and to read them takes long.
    [ "$rec_mode" != observe ] || [ $((round % 12)) -eq 0 ] || return 1
    counts_before=$counts
  else
    [ $((round % 12)) -eq 0 ] || return 1
    looked_up=${asked_up-}
    asked_up=$seen_up
  fi
}

# seconds_since UP: sets seconds, since the system was up for that long. Other clocks may jump.
seconds_since() {
  read -r up rest </proc/uptime || return 1
  seconds=$((${up%.*} - ${1%.*}))
}
