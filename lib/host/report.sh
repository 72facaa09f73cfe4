# report: what the owner of the host wants to know before it is given up. Sections that begin with ==; read by the
# command line, and by people.

verb_report() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  keep_evidence
  current=${pending:-$confirmed}
  read_record "$current"
  leave_host_lock
  printf '== host\nhost=%s\nowner=%s\nmode=%s\nbackend=%s\nport=%s\nlocked_at=%s\nbaseline_at=%s\nnow=%s\n' \
    "$rec_host" "$rec_owner" "$rec_mode" "$rec_backend" "$rec_port" "$rec_locked_at" \
    "$(cat "$STATE/baseline/taken_at" 2>/dev/null || :)" "$(date +%s)"
  [ ! -f "$STATE/baseline/gaps" ] || sed 's/^/gap=/' "$STATE/baseline/gaps"
  [ ! -f "$STATE/baseline/modes" ] || sed 's/^/mode_from=/' "$STATE/baseline/modes"
  logged=''
  [ "$rec_backend" != iptables ] || logged=$(sed -n 's/.*--limit \([0-9]*\)\/minute -j LOG .*/\1/p' "$rec_dir/iptables" | head -n 1)
  printf 'logged=%s\n' "$logged"
  printf '== denied\n'
  [ ! -f "$STATE/evidence" ] || cut -d ' ' -f 1-7 "$STATE/evidence"
  printf '== sockets\n'
  [ ! -f "$STATE/baseline/sockets" ] || cat "$STATE/baseline/sockets"
  printf '== logins\n'
  logins
  printf '== sources\n%s' "$sources"
  printf '== sampled\n'
  [ -z "$logged" ] || sampled
}

# sampled: with iptables, whom the log of the kernel names, as DIRECTION PROTOCOL PEER PORT PACKETS FIRST LAST. Only a sample: the
# ruleset writes so many a minute, and the log forgets. Kept are the first five thousand of each direction.
sampled() {
  begin=$(date -r "$STATE/baseline/taken_at" +%s 2>/dev/null) || begin=0
  kernel_log | awk -v begin="$begin" '
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
    END { for (i = 1; i <= n; i++) print order[i], packets[order[i]], first[order[i]], last[order[i]] }'
}

# kernel_log: our lines of it, each behind the seconds since 1970: from the journal, else since the boot.
kernel_log() {
  if have journalctl && journalctl -q --no-pager -o short-unix _TRANSPORT=kernel 2>/dev/null | grep ' ssh-only-firewall [a-z]*: '; then
    return 0
  fi
  have dmesg && read -r up rest </proc/uptime || return 0
  dmesg 2>/dev/null | sed -n 's/^[^[]*\[ *\([0-9]*\)\.[0-9]*\]\(.* \)\{0,1\}ssh-only-firewall /\1 ssh-only-firewall /p' |
    awk -v boot="$(($(date +%s) - ${up%.*}))" '{ $1 += boot; print }'
}

# logins: of SSH, the last five hundred of each log that this host keeps of them. Sets sources: a line for each log, NAME LINES
# BEGINNING, with the number of logins in it and the beginning of its first line.
logins() {
  sources=''
  found=no
  if have journalctl; then
    tell_logins journal "$(journalctl -q --no-pager -o short-iso 2>/dev/null | head -n 1)" \
      "$(journalctl -q --no-pager -o short-iso -t sshd -t sshd-session 2>/dev/null | accepted)"
  fi
  for log in auth.log secure; do
    # What was rotated comes first, by its date where that is in its name.
    set --
    for file in "/var/log/$log"-* "/var/log/$log.1" "/var/log/$log"; do
      case $file in
        *.gz | *.xz | *.bz2 | *.zst) ;;
        *) [ ! -f "$file" ] || set -- "$@" "$file" ;;
      esac
    done
    [ $# -eq 0 ] || tell_logins "$log" "$(cat "$@" 2>/dev/null | head -n 1)" "$(cat "$@" 2>/dev/null | accepted)"
  done
  [ "$found" = no ] && have last || return 0
  # It begins with the newest, and ends with the beginning.
  lines=$(last -w --time-format iso 2>/dev/null | grep . || last 2>/dev/null | grep .) || return 0
  tell_logins last "$(printf '%s\n' "$lines" | sed -n '$s/^[^ ]* begins //p')" \
    "$(printf '%s\n' "$lines" | awk '{ if (NR <= 500) line[NR] = $0 } END { print NR; for (i = 1; i in line; i++) print line[i] }')"
}

# accepted: of standard input how many logins there are, and below that the last of them.
accepted() {
  awk '
    /sshd.*: Accepted / { line[++n % 500] = $0 }
    END { print n + 0; for (i = n > 500 ? n - 499 : 1; i <= n; i++) print line[i % 500] }'
}

# tell_logins NAME BEGINNING LINES: the first of which is their number.
tell_logins() {
  lines_of=${3%%"$line_break"*}
  [ -n "$2" ] || [ "$lines_of" -gt 0 ] || return 0
  sources="$sources$(printf '%s %s %.80s' "$1" "$lines_of" "$2")$line_break"
  [ "$lines_of" -gt 0 ] || return 0
  found=yes
  printf '%s\n' "${3#*"$line_break"}"
}

line_break='
'
