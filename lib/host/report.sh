# report: what the owner of the host wants to know before it is given up. Sections that begin with ==, for the command line and
# for people. Lines of sockets and logins, in which others may have put words, are marked: what stands in one begins no section.

verb_report() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  keep_evidence || :
  write_lost
  trim_notes
  [ "$pending" != "$unlocking" ] || pending=''
  read_record "${pending:-$confirmed}"
  leave_host_lock
  # Where each peer is counted, the log has nothing to add.
  logged=''
  call_backend counts_peers || logged=$rec_log_denied
  printf '== host\nhost=%s\nowner=%s\nmode=%s\nbackend=%s\nport=%s\nlocked_at=%s\nbaseline_at=%s\nnow=%s\n' \
    "$rec_host" "$rec_owner" "$rec_mode" "$rec_backend" "$rec_port" "$rec_locked_at" \
    "$(cat "$STATE/baseline/taken_at" 2>/dev/null || :)" "$(date +%s)"
  print_gaps | sed 's/^/gap=/'
  with_file "$STATE/baseline/modes" sed 's/^/mode_from=/'
  with_file "$STATE/baseline/sessions" sed -n '/^[0-9]* [0-9A-Fa-f:.]* [0-9]*$/s/^/session=/p'
  with_file "$STATE/baseline/probes" sed -n '/^[0-9]* [0-9A-Fa-f:.]* [0-9,]*$/s/^/probe=/p'
  printf 'logged=%s\n' "$logged"
  printf '== denied\n'
  # Also what cannot be written.
  if [ -n "$sum" ]; then printf '%s\n' "$sum"; else with_file "$STATE/evidence" cat; fi | cut -d ' ' -f 1-7
  printf '== sockets\n'
  with_file "$STATE/baseline/sockets" sed 's/^/| /'
  printf '== logins\n'
  print_logins
  printf '== sources\n%s' "$sources"
  printf '== sampled\n'
  [ -z "$logged" ] || print_sample
}

# Prints the peers that the kernel's log names, as DIRECTION PROTOCOL PEER PORT PACKETS FIRST LAST. Only a sample: the ruleset
# logs that many packets a minute, and the log forgets.
print_sample() {
  begin=$(date -r "$STATE/baseline/taken_at" +%s 2>/dev/null) || begin=0
  kernel_log | awk -v begin="$begin" "$awk_kernel_log"
}

# Prints our lines of the kernel's log, each behind the seconds since 1970: from the journal, else those since the boot.
kernel_log() {
  if have journalctl && journalctl -q --no-pager -o short-unix _TRANSPORT=kernel 2>/dev/null | grep ' ssh-only-firewall [a-z]*: '; then
    return 0
  fi
  have dmesg && read -r up rest </proc/uptime || return 0
  dmesg 2>/dev/null | sed -n 's/^[^[]*\[ *\([0-9]*\)\.[0-9]*\]\(.* \)\{0,1\}ssh-only-firewall /\1 ssh-only-firewall /p' |
    awk -v boot="$(($(date +%s) - ${up%.*}))" '{ $1 += boot; print }'
}

# Prints the SSH logins, the last five hundred of each log that this host keeps of them. Sets sources: a line for each log, NAME
# LINES BEGINNING, with the number of logins in it and the beginning of its first line.
print_logins() {
  sources=''
  found=no
  if have journalctl; then
    print_log journal "$(journalctl -q --no-pager -o short-iso 2>/dev/null | head -n 1)" \
      "$(journal_of_sshd 2>/dev/null | accepted)"
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
    [ $# -eq 0 ] || print_log "$log" "$(cat "$@" 2>/dev/null | head -n 1)" "$(cat "$@" 2>/dev/null | accepted)"
  done
  [ "$found" = no ] && have last || return 0
  # It begins with the newest, and ends with the beginning.
  lines=$(last -w --time-format iso 2>/dev/null | grep . || last 2>/dev/null | grep .) || return 0
  print_log last "$(printf '%s\n' "$lines" | sed -n '$s/^[^ ]* begins //p')" \
    "$(printf '%s\n' "$lines" | awk '{ if (NR <= 500) line[NR] = $0 } END { print NR; for (i = 1; i in line; i++) print line[i] }')"
}

# Who wrote a message, journald has from the kernel. Anybody may call himself sshd, and run a program of root by a link of that name.
journal_of_sshd() {
  set -- _UID=0 SYSLOG_IDENTIFIER=sshd SYSLOG_IDENTIFIER=sshd-session
  for sshd in "$(command -v sshd)" /usr/sbin/sshd /usr/local/sbin/sshd; do
    [ -z "$sshd" ] || set -- "$@" "_EXE=$(readlink -f "$sshd")"
  done
  for folder in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh /usr/libexec /usr/local/libexec; do
    set -- "$@" "_EXE=$folder/sshd-session"
  done
  journalctl -q --no-pager -o short-iso "$@"
}

# Of standard input: the number of logins, and below that the last of them.
accepted() {
  awk '
    /^[^ ]+ +([^ ]+ [^ ]+ )?[^ ]+ sshd(-session)?(\[[0-9]+\])?: Accepted / { line[++n % 500] = $0 }
    END { print n + 0; for (i = n > 500 ? n - 499 : 1; i <= n; i++) print line[i % 500] }'
}

# print_log NAME BEGINNING LINES: the first line is their number.
print_log() {
  lines_of=${3%%"$line_break"*}
  [ -n "$2" ] || [ "$lines_of" -gt 0 ] || return 0
  sources="$sources$(printf '%s %s %.80s' "$1" "$lines_of" "$2")$line_break"
  [ "$lines_of" -gt 0 ] || return 0
  found=yes
  printf '%s\n' "${3#*"$line_break"}" | sed 's/^/| /'
}

line_break='
'
