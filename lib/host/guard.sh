# The guard: a loop that restores the confirmed ruleset when another program removes it (nft flush ruleset, iptables -F, the
# reload of another firewall). It serves every way of losing the rules and every init system; hooks into the units of other
# firewalls would serve only those that we know.

guard_seconds=5

# guard [first]: that of a first lock ends with it, unless it has become the guard of a confirmed ruleset.
verb_guard() {
  trap '' HUP
  trap end_guard TERM
  set +e
  spare_me
  printf '%s\n' "$$" >"$RUN/ssh-only-firewall.guard"
  overdue=0
  failing=''
  while :; do
    sleep "$guard_seconds"
    ! another_guards || return 0
    guard_once
    [ -z "${1-}" ] || [ -n "$pending" ] || { [ -n "$confirmed" ] && [ "$rec_persist" = true ]; } || break
  done
  rm -f "$RUN/ssh-only-firewall.guard"
}

# One that was started late, when it was to be stopped or another had been started, is one too many.
another_guards() { read -r guard 2>/dev/null <"$RUN/ssh-only-firewall.guard" && [ "$guard" != "$$" ]; }

guard_once() {
  read_state
  [ -n "$confirmed$pending" ] || return 0
  read_record "${pending:-$confirmed}"
  [ "$rec_mode" = observe ] || end_panic
  if [ -n "$pending" ]; then
    ! is_overdue || roll_back_overdue
    return
  fi
  overdue=0
  if nothing_is_missing; then
    { ! has_new_counts && ! evidence_is_missing; } || (take_host_lock 10 && keep_evidence && write_lost) </dev/null >/dev/null 2>&1
  else
    restore
  fi
}

# It runs every few seconds for months.
nothing_is_missing() {
  confirmed_is_proven && ! other_firewall_drops
}

restore() {
  if (
    take_host_lock 10
    read_state
    [ -n "$confirmed" ] && [ -z "$pending" ] && ! nothing_is_missing || exit 0
    trim_log
    restore_what_is_missing
  ) </dev/null >/dev/null 2>&1; then
    failing=''
  else
    [ -n "$failing" ] || log 'another program removed or changed the rules, and they cannot be restored: this host may be OPEN. See status.'
    failing=yes
  fi
}

# Under the host lock.
restore_what_is_missing() {
  if confirmed_is_in_force; then
    # Only the words of a tool are others, if nothing else drops.
    other_firewall_drops || return 0
    join_other_tables || return 1
    log 'another firewall began to drop by default: SSH now passes there too'
  else
    apply_confirmed || return 1
    log 'another program removed or changed the rules: the confirmed ruleset is in force again'
  fi
}

# 0 if a lock has been pending for a minute longer than its watchdog would have let it: the watchdog is dead.
is_overdue() {
  [ -n "$due" ] || return 1
  read_uptime
  [ "$uptime" -gt $((due + 60)) ]
}

roll_back_overdue() {
  (
    take_host_lock 10
    roll_back "$pending" 'nobody confirmed it in time, and its watchdog is gone' "$overdue"
  ) </dev/null >/dev/null 2>&1
  [ $? -eq 7 ] || overdue=$((overdue + 1))
}

# At every shutdown: keeps what the kernel has counted since the last look. If somebody else holds the host lock, they have
# kept it, or have removed the lock.
end_guard() {
  trap '' TERM
  (
    exec 9>"$RUN/ssh-only-firewall.lock"
    flock -n 9 || exit 0
    read_state
    [ -z "$confirmed" ] || keep_evidence
  ) </dev/null >/dev/null 2>&1
  exit 0
}

# Where the init system does not run our services: a process in the background.
start_detached_guard() {
  stop_detached_guard
  run_detached guard
  # Otherwise a status right after this, on a busy host, would report that no guard runs.
  tries=0
  while [ "$tries" -lt 1000 ] && [ ! -s "$RUN/ssh-only-firewall.guard" ]; do pause; done
}

stop_detached_guard() {
  ! find_guard || kill "$guard" 2>/dev/null || :
  rm -f "$RUN/ssh-only-firewall.guard"
}

# Sets guard to the number of its process, where that is still a guard.
find_guard() {
  [ -f "$RUN/ssh-only-firewall.guard" ] && read -r guard <"$RUN/ssh-only-firewall.guard" || return 1
  # Shells leave out what is between the words.
  words=''
  { read -r words <"/proc/$guard/cmdline"; } 2>/dev/null || :
  case $words in
    *"$STATE"*/host.shguard*) return 0 ;;
  esac
  return 1
}
