# The verbs lock, confirm and rollback. Each takes the host lock, so that one runs at a time.

# The settings are variables (SSH_ONLY_*) in front of the program, in the script that Terraform uploads.
verb_lock() {
  need_root
  check_settings
  take_host_lock 30
  read_state
  drop_stale_pending
  if [ "$confirmed" = "$SSH_ONLY_ATTEMPT" ]; then
    lock_again
    return 0
  fi
  choose_backend
  check_owner
  preflight
  install_program
  trim_log
  report_replaced_lock
  announce_lock
  take_baseline
  write_record
  load_lock
  drop_old_records
  say "$SSH_ONLY_HOST: loaded, and the live rules match the ruleset. The host is pending."
  report_conflicts "$SSH_ONLY_HOST: " "$SSH_ONLY_PORT" 'If confirm cannot connect, change that rule'
  found=$(print_bridged)
  [ -z "$found" ] || say "$SSH_ONLY_HOST: $found"
}

install_program() {
  # Tried, because the test of busybox looks at the mode only. A directory without a lock in it is no change.
  [ -d "$STATE" ] || mkdir "$STATE" 2>/dev/null || refuse 1 state-folder "${STATE%/*} cannot be written: is it read-only?"
  keep_file "$STATE/host.sh" "$SSH_ONLY_PROGRAM" 0600 2>/dev/null || refuse 1 state-folder "$STATE cannot be written: is the disk full, or read-only?"
}

# Long before the rules could cut this connection: sshd may be slower than we are, and what it has not sent is lost.
announce_lock() {
  action='loading rules that allow only SSH'
  [ "$SSH_ONLY_MODE" != observe ] || action='loading rules that only observe'
  say "$SSH_ONLY_HOST: $action ($backend, ruleset $(short "$SSH_ONLY_RULESET")). Unless this lock is confirmed within $SSH_ONLY_CONFIRM_WITHIN s, the host rolls back automatically, also if this connection dies now."
}

# From pending to loaded, and undone if that fails.
load_lock() {
  # Before there is something to undo: a session may end at any line.
  effect='Undoing the lock.'
  undo_at_end lock "$SSH_ONLY_ATTEMPT"
  make_pending "$SSH_ONLY_ATTEMPT" "$SSH_ONLY_CONFIRM_WITHIN" "$SSH_ONLY_OWNER"
  # systemd starts a watchdog again that was killed; elsewhere a guard does its work, which a first lock does not have yet.
  [ "$init" = systemd ] || find_guard || run_detached guard first
  apply_record "$SSH_ONLY_ATTEMPT" || die 1 'The ruleset does not load.'
  live_matches "$SSH_ONLY_ATTEMPT" || die 10 'The rules that are live are not the ruleset that was loaded.'
  keep_what_is_done
}

# undo_at_end VERB ATTEMPT: until the traps are taken away, whatever ends this verb undoes it.
undo_at_end() {
  undone_verb=$1 undone=$2
  trap 'undo $? "$undone_verb" "$undone"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

keep_what_is_done() { trap - EXIT HUP INT TERM; }

# undo CODE VERB ATTEMPT: whatever ends lock or unlock early ends here; what fails here is left to the watchdog.
undo() {
  trap '' EXIT HUP INT TERM
  set +e
  rm -f "$STATE"/*.tmp "$STATE"/records/*/*.tmp
  effect='The host is pending, and the watchdog rolls it back.'
  (
    set -e
    roll_back "$3" "$2 failed" 0
  ) && effect='The host is as it was before.'
  printf 'ssh-only-firewall: The %s failed. %s\n' "$2" "$effect" >&2 2>/dev/null
  exit "$1"
}

# report_conflicts NAME PORT REMEDY
report_conflicts() {
  # Known since the load, where there was a reason to look.
  [ -n "${nft_tables+set}" ] || list_nft_tables
  conflicting_rules "$2" | while read -r rule; do
    say "$1another firewall has a conflicting rule, which may drop SSH. $3: $rule"
  done
}

# confirm OWNER ATTEMPT RULESET [probation]: over a new connection, which has come through the new rules.
verb_confirm() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  if [ "$confirmed" = "$2" ] && [ -z "$pending" ]; then
    confirm_again "$@"
    return 0
  fi
  check_pending "$@"
  [ "${4-}" != probation ] || [ "$rec_mode" = observe ] || check_probation
  # None of this has an effect before the host is confirmed. The files that boot will load are those that were loaded, and
  # that live_matches has proven.
  seal_record
  keep_program
  boot_files=''
  if [ "$rec_persist" = true ]; then call_init persist; fi
  # Each file, and each directory that names one.
  # shellcheck disable=SC2086 # a list
  to_disk "$rec_dir"/* "$rec_dir" "$STATE/records" "$STATE/host.sh" "$STATE/pending" "$STATE" "${STATE%/*}" $boot_files
  # This makes the host locked.
  mv -f "$STATE/pending" "$STATE/confirmed"
  to_disk "$STATE"
  finish_confirm
}

# check_pending OWNER ATTEMPT RULESET: reads the record of what is pending.
check_pending() {
  [ "$pending" = "$2" ] || die_too_late "$2"
  read_record "$pending"
  effect='It is still pending, and rolls back unless it is confirmed.'
  [ -z "$rec_damaged" ] || die 10 'The record of the pending lock is damaged: deploy again when it has rolled back.'
  [ "$rec_owner" = "$1" ] && [ "$rec_ruleset" = "$3" ] ||
    die 8 "The pending lock has owner $rec_owner and ruleset $rec_ruleset, not $1 and $3."
  live_matches "$pending" || die 10 'The live rules are no longer the ruleset that was loaded: another program changed them.'
}

# Terraform runs the confirm also where what waited has failed.
check_probation() {
  over=''
  read -r over 2>/dev/null <"$rec_dir/probation" || :
  [ -n "$over" ] || die 9 'This lock is not confirmed, because its probation has not begun: see the output before this message.'
  read_uptime
  [ "$uptime" -ge "$over" ] || die 9 'This lock is not confirmed, because the connection was lost before its probation was over.'
}

# probation OWNER ATTEMPT RULESET SECONDS WITHIN: over a new connection, which has come through the new rules. The host stays pending
# for SECONDS, and until a confirm over one more connection, which may take WITHIN: what a cache, a lease or a route loses
# minutes later is lost in that time, and rolls back.
verb_probation() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  if [ "$confirmed" = "$2" ] && [ -z "$pending" ]; then
    check_confirmed "$1" "$3"
    say "$rec_host: this lock is confirmed already, and needs no probation. $effect"
    return 0
  fi
  check_pending "$@"
  if [ "$rec_mode" = observe ]; then
    say "$rec_host: rules that only observe need no probation. $effect"
    return 0
  fi
  read_uptime
  over=$((uptime + $4))
  write_file "$rec_dir/probation" "$over
" || die 1 "$STATE cannot be written: is the disk full?"
  make_pending "$2" $(($4 + $5)) "$1"
  say "$rec_host: reached over a new connection, and on probation for $4 s. Unless it is then confirmed within $5 s, over one more new connection, the host rolls back automatically."
  # The watchdog takes it.
  leave_host_lock
  while [ "$uptime" -lt "$over" ]; do
    sleep 1
    read_state
    [ "$pending" = "$2" ] || die_too_late "$2"
    read_uptime
  done
  say "$rec_host: the probation is over. $effect"
}

finish_confirm() {
  rm -f "$STATE/rolled-back"
  effect='The host is locked.'
  [ "$rec_mode" != observe ] || effect='The host is observed: nothing is denied.'
  drop_old_records
  if [ "$rec_persist" = true ]; then
    verb_start_guard
  else
    verb_stop_guard
    call_init forget
  fi
  read_record "$confirmed"
  say "$rec_host: confirmed over a new connection. $effect"
}

# die_too_late ATTEMPT
die_too_late() {
  [ "$confirmed:$pending" != "$1:$unlocking" ] || die 9 'This lock is confirmed already, but is being unlocked. Deploy again when the unlock is confirmed or rolled back.'
  [ "$confirmed" != "$1" ] || die 9 "This lock is confirmed already, but a newer one is pending over it ($pending). Deploy again when that is confirmed or rolled back."
  why=''
  while read -r attempt reason; do
    [ "$attempt" != "$1" ] || why=$reason
  done 2>/dev/null <"$STATE/rolled-back" || :
  [ -n "$why$pending$confirmed" ] || why='it is not known here'
  [ -n "$why" ] || die 9 "Another deploy has locked this host since (${pending:-$confirmed}). This lock was replaced, and is not confirmed."
  effect='Nothing of this lock was kept.'
  die 9 "Too late: this lock is no longer pending ($why)."
}

# rollback: by hand, what the watchdog would do.
verb_rollback() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  if [ -z "$pending" ] && rules_are_explained; then
    say "Nothing is pending. $effect"
    return 0
  fi
  roll_back "$pending" 'rolled back by hand' 0
  say "Rolled back: $outcome."
}
