# status [--json]: shows what is in force here. Exit code 0 if the live rules are those of the record.

verb_status() {
  need_root
  read_state
  # Without the host lock, which costs a process: what is proven now is true, whoever is about to change it.
  if [ -n "$confirmed" ] && [ -z "$pending$stale" ] && confirmed_is_proven_and_sealed; then
    rules=matches
  else
    take_host_lock 30
    read_state
    drop_stale_pending
    find_rules
    leave_host_lock
  fi
  current=${pending:-$confirmed}
  state=open
  [ -z "$confirmed" ] || state=locked
  [ -z "$pending" ] || state=pending
  if [ "$pending" = "$unlocking" ]; then
    current=$confirmed
    # Else only what an unlock leaves that was killed at its end.
    state=open
    [ -z "$confirmed" ] || state=unlocking
  fi
  read_record "$current"
  [ "$state:$rec_mode" != locked:observe ] || state=observed
  find_problem
  if [ "${1-}" = --json ]; then print_status_json; else print_status; fi
  [ -n "$problem" ] || return 0
  reported=yes
  exit 10
}

find_problem() {
  problem=''
  # The guard may only be starting.
  if [ "$rules:$rec_persist:$pending" = matches:true: ] &&
    ! call_init guard_runs && sleep 1 && ! call_init guard_runs && sleep 2 && ! call_init guard_runs; then
    problem='the guard does not run, so that nothing restores rules which another program removes: deploy again, or restart the host'
  fi
  [ -n "$problem" ] || ! evidence_is_missing ||
    problem="denied peers cannot be recorded: the disk is full, or read-only; what is not written before a restart is lost"
  case $rules in
    damaged) problem='the record of this lock is damaged: deploy to this host again, which repairs it' ;;
    drifted) problem='the live rules are not the ruleset: another program changed them' ;;
    unrecorded) problem='rules of this program are live that it did not record: run unlock' ;;
  esac
}

print_status_json() {
  find_bridged
  printf '{"state":"%s","rules":"%s","host":"%s","owner":"%s","ruleset":"%s","backend":"%s","port":"%s","lockedAt":"%s","program":"%s","listened":"%s","stack":"%s","construct":"%s","workspace":"%s","from":"%s","bridged":"%s","problem":"%s"}\n' \
    "$state" "$rules" "$rec_host" "$rec_owner" "$rec_ruleset" "$rec_backend" "$rec_port" "$rec_locked_at" "$rec_program" "$rec_listened" \
    "$rec_stack" "$rec_construct" "$rec_workspace" "$rec_from" "$bridged" "$problem"
}

print_status() {
  printf 'state:   %s\n' "$state"
  if [ -n "$current" ]; then
    printf 'host:    %s\nowner:   %s\nruleset: %s\nbackend: %s\nport:    %s\nsince:   %s\n' \
      "$rec_host" "$rec_owner" "$rec_ruleset" "$rec_backend" "$rec_port" "$rec_locked_at"
    [ -z "$rec_stack" ] || printf 'by:      stack %s, construct %s, workspace %s\n' "$rec_stack" "$rec_construct" "$rec_workspace"
    [ -z "$rec_from" ] || printf 'from:    %s\n' "$rec_from"
    printf 'rules:   %s\n' "$rules"
  fi
  [ -z "$problem" ] || printf 'problem: %s\n' "$problem"
  [ -z "$current" ] || print_bridged | sed 's/^/bridge:  /'
  list_nft_tables
  [ -z "$current" ] || conflicting_rules "$rec_port" | sed 's/^/conflict: another firewall may drop SSH: /'
}

# Sets rules: how the live rules compare with the record.
find_rules() {
  rules=none
  if [ "$pending" = "$unlocking" ]; then
    ! anything_is_live || rules=drifted
  elif [ -n "$pending$confirmed" ]; then
    rules=matches
    if [ -z "$pending" ] && ! record_is_sealed "$confirmed"; then
      rules=damaged
    else
      live_matches "${pending:-$confirmed}" || rules=drifted
      [ -z "$rec_damaged" ] || rules=damaged
    fi
  elif anything_is_live; then
    rules=unrecorded
  fi
}
