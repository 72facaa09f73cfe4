# status [--json]: what is in force here. Exit code 0 when the live rules are what the state says.

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
  read_record "$current"
  [ "$state:$rec_mode" != locked:observe ] || state=observed
  problem=''
  # The guard may only be starting.
  if [ "$rules:$rec_persist:$pending" = matches:true: ] && ! guard_runs && sleep 1 && ! guard_runs && sleep 2 && ! guard_runs; then
    problem='the guard does not run, so that rules which another program removes stay away: deploy again, or restart the host'
  fi
  case $rules in
    drifted) problem='the live rules are not the ruleset: another program changed them' ;;
    unrecorded) problem='rules of this program are live that it did not record: run unlock' ;;
  esac
  if [ "${1-}" = --json ]; then
    printf '{"state":"%s","rules":"%s","host":"%s","owner":"%s","ruleset":"%s","backend":"%s","port":"%s","lockedAt":"%s","program":"%s","listened":"%s","problem":"%s"}\n' \
      "$state" "$rules" "$rec_host" "$rec_owner" "$rec_ruleset" "$rec_backend" "$rec_port" "$rec_locked_at" "$rec_program" "$rec_listened" "$problem"
  else
    printf 'state:   %s\n' "$state"
    if [ -n "$current" ]; then
      printf 'host:    %s\nowner:   %s\nruleset: %s\nbackend: %s\nport:    %s\nsince:   %s\nrules:   %s\n' \
        "$rec_host" "$rec_owner" "$rec_ruleset" "$rec_backend" "$rec_port" "$rec_locked_at" "$rules"
    fi
    [ -z "$problem" ] || printf 'problem: %s\n' "$problem"
    list_nft_tables
    [ -z "$current" ] || suspects "$rec_port" | sed 's/^/suspect: another program may drop SSH: /'
  fi
  [ -n "$problem" ] || return 0
  said=yes
  exit 10
}

# Sets rules: what the live ones are to the record.
find_rules() {
  rules=none
  if [ -n "$pending$confirmed" ]; then
    rules=matches
    { [ -n "$pending" ] || record_is_sealed "$confirmed"; } && live_matches "${pending:-$confirmed}" || rules=drifted
  elif anything_live; then
    rules=unrecorded
  fi
}
