# Who was denied. The kernel forgets at every load and restart, so what it has counted is added up in $STATE/evidence:
#
#   DIRECTION PROTOCOL PEER PORT PACKETS FIRST LAST KERNEL
#
# Times are seconds since 1970, and FIRST is - where nobody knows; KERNEL is what the kernel had counted when it was read last.
# Protocol `all` is the sum of a direction, which is all there is with iptables. Kept are the first five thousand of each
# direction, so that a flood buries nobody.

# Prints what the kernel has denied since the last load: DIRECTION PROTOCOL PEER PORT PACKETS AGE. The age is that of the last
# packet.
print_counts() {
  for candidate in $backends; do
    ! "${candidate}_print_counts" || return 0
  done
}

# Where what the kernel has counted could not be written: unkept records it, and stands in memory and, where the disk is only full, on
# it. Once the kernel has forgotten it, lost has the times, FROM UNTIL, until they are in baseline/gaps.
unkept=$RUN/ssh-only-firewall.unkept
lost=$RUN/ssh-only-firewall.lost

# Under the host lock: adds what the kernel has counted since. Fails if that cannot be written. Sets sum, what evidence should have.
keep_evidence() {
  sum=''
  [ -n "$pending$confirmed" ] && [ -d "$STATE/records" ] || return 0
  seen=$(print_counts) || return 0
  [ -n "$seen" ] || return 0
  find_last_look
  sum=$(sum_evidence) && write_file "$STATE/evidence" "$sum
" 2>/dev/null || {
    rm -f "$STATE/evidence.tmp"
    mark_unkept
    return 1
  }
  mark_kept
}

# Sets now and looked. Before the first look there was the lock; the guard may have looked since, and found nothing.
find_last_look() {
  now=$(date +%s)
  looked=$STATE/evidence
  [ -f "$looked" ] || looked=$STATE/records/${confirmed:-$pending}/meta
  looked=$(date -r "$looked" +%s 2>/dev/null) || looked=0
  if [ -n "${looked_up-}" ] && seconds_since "$looked_up" && [ $((now - seconds)) -gt "$looked" ]; then
    looked=$((now - seconds))
  fi
}

sum_evidence() {
  { with_file "$STATE/evidence" cat && printf '%s\n' "$seen"; } | awk -v now="$now" -v looked="$looked" "$awk_evidence_sum"
}

# A full disk takes no new file, but another name.
mark_unkept() {
  { true >"$unkept"; } 2>/dev/null || :
  [ ! -e "$STATE/baseline/kept" ] || mv -f "$STATE/baseline/kept" "$STATE/baseline/unkept" 2>/dev/null || :
}

mark_kept() {
  [ ! -e "$unkept" ] || rm -f "$unkept"
  if [ -e "$STATE/baseline/unkept" ]; then
    mv -f "$STATE/baseline/unkept" "$STATE/baseline/kept" 2>/dev/null || :
  elif [ -d "$STATE/baseline" ] && [ ! -e "$STATE/baseline/kept" ]; then
    { true >"$STATE/baseline/kept"; } 2>/dev/null || :
  fi
}

is_unkept() { [ -e "$unkept" ] || [ -e "$STATE/baseline/unkept" ]; }

# 0 if something that was seen is not on the disk.
evidence_is_missing() { is_unkept || [ -s "$lost" ]; }

# Before the kernel forgets, or after a restart: what could not be written is lost.
note_loss() {
  is_unkept || return 0
  find_last_look
  add_to_lost "$looked" "$now"
  mark_kept
}

# add_to_lost FROM UNTIL
add_to_lost() {
  { printf '%s %s\n' "$1" "$2" >>"$lost"; } 2>/dev/null || :
  write_lost
}

# Under the host lock: writes lost into baseline/gaps, as NUMBER FROM UNTIL, as soon as that can be written. Kept are the last
# twenty.
write_lost() {
  [ -s "$lost" ] && [ -d "$STATE/baseline" ] || return 0
  gaps=$(print_gaps | tail -n 20)
  ! write_file "$STATE/baseline/gaps" "$gaps
" 2>/dev/null || rm -f "$lost"
  rm -f "$STATE/baseline/gaps.tmp"
}

# Prints those on the disk, and behind them those that are not there yet.
print_gaps() {
  with_file "$STATE/baseline/gaps" cat
  read_last_line "$STATE/baseline/gaps" 0
  [ ! -s "$lost" ] || while read -r from until; do
    last=$((last + 1))
    printf '%s %s %s\n' "$last" "$from" "$until"
  done <"$lost"
}

# Before a ruleset comes into force, under the host lock: if the one that should have been in force was not, that is a gap. FROM is
# - where nobody knows. A host that boots has been down, and not open, as long as it had no network.
note_gap() {
  [ -n "$pending$confirmed" ] && [ -d "$STATE/baseline" ] || return 0
  ! something_is_in_force || return 0
  # A tool that fails once says nothing about the rules.
  call_backend can_list && ! something_is_in_force || return 0
  [ "$verb" != boot ] || has_network || return 0
  until=$(date +%s)
  from=-
  if [ -n "${seen_up-}" ] && seconds_since "$seen_up"; then from=$((until - seconds)); fi
  add_to_lost "$from" "$until"
}

something_is_in_force() {
  for held in $pending $confirmed; do
    ! live_matches "$held" >/dev/null 2>&1 || return 0
  done
  return 1
}

# read_last_line PATH DEFAULT: sets last to the first word of its last line.
read_last_line() {
  last=$2
  [ ! -f "$1" ] || while read -r word rest; do last=$word; done <"$1"
}

# 0 if somebody could reach this host: it has a route, or an IPv6 address on another device than lo.
has_network() {
  rows=0
  ! [ -r /proc/net/route ] || while read -r rest; do rows=$((rows + 1)); done </proc/net/route
  [ "$rows" -le 1 ] || return 0
  ! [ -r /proc/net/if_inet6 ] || while read -r rest rest rest rest rest device; do
    [ "$device" = lo ] || return 0
  done </proc/net/if_inet6
  return 1
}

# Of the record, which is now in force: writes into baseline/modes, as MODE TIME, when the host began to observe, or to deny. A
# host that has only ever denied has no such file.
note_mode() {
  read_last_line "$STATE/baseline/modes" enforce
  [ "${rec_mode:-enforce}" != "$last" ] && [ -d "$STATE/baseline" ] || return 0
  { printf '%s %s\n' "${rec_mode:-enforce}" "$(date +%s)" >>"$STATE/baseline/modes"; } 2>/dev/null || :
}

# note_session FROM: that this program runs for Terraform in the session of that SSH_CONNECTION: what asks a host notes it likewise
# (ask-notes.sh). Where it cannot be written, the login is taken for that of somebody else.
note_session() {
  # shellcheck disable=SC2086 # four words
  set -- $1
  [ $# -ge 2 ] && [ -d "$STATE/baseline" ] || return 0
  case $1$2 in *[!0-9A-Fa-f:.]*) return 0 ;; esac
  { printf '%s %s %s\n' "$(date +%s)" "$1" "$2" >>"$STATE/baseline/sessions"; } 2>/dev/null || :
}

# Keeps the last of them: what is lost is taken for use.
trim_notes() {
  for notes in "$STATE/baseline/sessions" "$STATE/baseline/probes"; do
    [ -f "$notes" ] && [ "$(wc -l <"$notes")" -gt 20000 ] || continue
    rewrite "$notes" tail -n 10000 "$notes" 2>/dev/null || :
  done
}

# Once the host is open: baseline and evidence are of a time that has ended.
forget_use() { rm -rf "$STATE/baseline" "$STATE/evidence" "$unkept" "$lost" || :; }

# After every load: the kernel counts from nothing again.
forget_counts() {
  # shellcheck disable=SC2016 # of awk
  [ ! -f "$STATE/evidence" ] || rewrite "$STATE/evidence" awk '{ $8 = 0; print }' "$STATE/evidence" 2>/dev/null || :
}

# For the guard, after confirmed_is_proven: 0 if it is time to keep evidence. Counts the guard's rounds, and remembers, in
# seconds since the boot, when the rules were there (seen_up), and when all that had come was in evidence (looked_up).
has_new_counts() {
  round=$((${round-0} + 1))
  read -r seen_up rest </proc/uptime || seen_up=''
  call_backend has_new_counts
}

# seconds_since UP: sets seconds, the time since the uptime was UP. Other clocks may jump.
seconds_since() {
  read -r up rest </proc/uptime || return 1
  seconds=$((${up%.*} - ${1%.*}))
}
