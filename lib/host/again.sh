# lock and confirm of an attempt that is confirmed already. Terraform runs both again after a run that was killed, because it
# does not know how far that run came.

# Under the host lock: leaves this lock in force, or restores it.
lock_again() {
  check_confirmed "$SSH_ONLY_OWNER" "$SSH_ONLY_RULESET"
  undo_newer_lock
  program_is_whole "$STATE/host.sh" || install_program
  if ! confirmed_matches; then
    effect='Not all rules of this lock are in force: see status.'
    apply_confirmed ||
      die 10 "The live rules are not the ruleset of this lock, and its record cannot be loaded again. $replace_lockdown"
    effect='Its rules had been changed, and are in force again.'
  fi
  settle_guard
  say "$rec_host: this lock is confirmed already, since $rec_locked_at. $effect"
  report_refusal
  report_conflicts "$SSH_ONLY_HOST: " "$SSH_ONLY_PORT" 'A new lock may not be confirmed with that rule'
}

confirm_again() {
  check_confirmed "$1" "$3"
  confirmed_matches ||
    die 10 "This lock is confirmed already, but the live rules are not its ruleset: another program changed them. $replace_lockdown"
  # The confirm before this one may have been killed before its rename was on the disk.
  to_disk "$STATE"
  settle_guard
  say "$rec_host: this lock is confirmed already. $effect"
}

replace_lockdown='Run terraform apply with -replace of the lockdown of this host.'

# check_confirmed OWNER RULESET: reads the record of what is confirmed.
check_confirmed() {
  read_record "$confirmed"
  [ -z "$rec_damaged" ] || die 10 "This lock is confirmed already, but its record is damaged. $replace_lockdown"
  [ "$rec_owner" = "$1" ] && [ "$rec_ruleset" = "$2" ] ||
    die 8 "This lock is confirmed already, with owner $rec_owner and ruleset $rec_ruleset, not $1 and $2."
}

confirmed_matches() {
  confirmed_is_proven_and_sealed || { record_is_sealed "$confirmed" && live_matches "$confirmed"; }
}

# A lock that is pending over this one is rolled back if it has the same owner: the state that Terraform has does not know it.
undo_newer_lock() {
  [ -n "$pending" ] || return 0
  read_record "$pending"
  newer='A newer lock'
  [ "$pending" != "$unlocking" ] || newer='An unlock'
  [ "$rec_owner" = "$SSH_ONLY_OWNER" ] ||
    die 8 "Another owner (hold ${rec_owner:-unknown}) has a lock or unlock pending here over this one. Deploy again when it is confirmed or rolled back."
  effect="$newer of the same owner is pending, and the watchdog rolls it back."
  roll_back "$pending" 'an earlier lock of the same owner was run again' 0 ||
    die 1 "$newer of the same owner cannot be rolled back."
  effect="$newer of the same owner was pending, and is rolled back."
}

# The run that was killed may not have come so far.
settle_guard() {
  read_record "$confirmed"
  if [ "$rec_persist" != true ]; then
    verb_stop_guard
    call_init forget
  elif ! call_init guard_runs; then
    verb_start_guard
  fi
}

# What the pre-flight would refuse today must not fail a lock that is in force, or hide.
report_refusal() {
  [ "$SSH_ONLY_SKIP_PREFLIGHT" != true ] || return 0
  refused=$(
    effect='This lock stays in force.'
    (preflight) 2>&1
  ) || say "$SSH_ONLY_HOST: the next new lock would be refused: ${refused#ssh-only-firewall: }"
}
