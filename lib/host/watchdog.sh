# The way back. The watchdog is armed before the rules are loaded, outlives the SSH session, and ends by itself when the lock it
# guards is no longer pending. It counts sleeps, so that a clock that jumps does not move it. If it is killed all the same,
# systemd starts it again, for the time that is left, and the guard of a confirmed ruleset does its work.

# When memory runs out, the kernel kills others first.
spare_me() { printf '%s\n' -1000 2>/dev/null >"/proc/$$/oom_score_adj" || :; }

# run_detached VERB [WORDS]: in the background, away from the SSH session and the host lock.
run_detached() {
  detach=''
  ! have setsid || detach=setsid
  (
    trap '' HUP
    # As at boot: with nothing of the login, such as where libraries are.
    # shellcheck disable=SC2086 # no word, or one
    exec env -i $detach /bin/sh "$STATE/host.sh" "$@" </dev/null >/dev/null 2>&1 9>&-
  ) &
}

# Sets armed, the attempt of the last watchdog that reported that it runs, armed_due, the time limit that it keeps, and stuck, why
# it could not undo that lock.
read_armed() {
  armed='' armed_due='' stuck=''
  [ ! -s "$RUN/ssh-only-firewall.armed" ] ||
    { read -r armed && read -r armed_due && read -r stuck; } 2>/dev/null <"$RUN/ssh-only-firewall.armed" || :
}

# What the watchdog and the boot will need, as they will run: the tools that a login finds are not always theirs. Sets stuck.
find_what_bars_undo() {
  stuck=''
  # What an unlock is undone by.
  if [ "$attempt" = "$unlocking" ]; then read_record "$confirmed"; else read_record "$attempt"; fi
  ! barred=$(call_backend can_load) || return 0
  stuck="The watchdog could not undo this lock, nor the boot load it: without the environment of your login $rec_backend does not work here. $(printf '%s' "$barred" | tr '\n' ' ')"
}

# make_pending ATTEMPT SECONDS OWNER: names that attempt in `pending`, and arms its watchdog. Sets due. Dies where that fails.
make_pending() {
  read_uptime
  due=$((uptime + $2))
  # A watchdog of this attempt that was armed in the same second must not take this one for its own.
  read_armed
  [ "$armed $armed_due" != "$1 $due" ] || due=$((due + 1))
  write_file "$STATE/pending" "$1 $boot_id $due $3
" || die 1 "$STATE cannot be written: is the disk full?"
  arm_watchdog "$1" || die 1 'The watchdog does not start.'
}

# arm_watchdog ATTEMPT: for the pending lock, which ends at $due. Fails if the watchdog does not report that it runs, and that it can
# undo that lock.
arm_watchdog() {
  true >"$RUN/ssh-only-firewall.armed"
  call_init start_watchdog "$1" "$due"
  tries=0
  armed='' armed_due=''
  while [ "$armed $armed_due" != "$1 $due" ]; do
    [ "$tries" -lt 1000 ] || return 1
    pause
    read_armed
  done
  [ -z "$stuck" ] || die 4 "$stuck"
}

# 0 if nothing is pending any more, or the pending lock has a watchdog of its own. A lock that was killed before it had armed one
# leaves the rules of the previous lock in force.
is_relieved() {
  read_state
  [ "$pending $due" != "$attempt $kept_due" ] || return 1
  [ -n "$pending" ] || {
    [ ! -f "$STATE/pending" ] && { [ "$confirmed" = "$attempt" ] || rules_are_explained; }
    return
  }
  read_armed
  [ "$armed $armed_due" = "$pending $due" ]
}

# 0 unless our rules are live, and no name in the state folder leads to them: somebody has removed `pending`.
rules_are_explained() {
  if [ -n "$confirmed" ]; then
    confirmed_matches
    return
  fi
  ! anything_is_live || return 1
}

verb_watchdog() {
  trap '' HUP INT
  set +e
  spare_me
  attempt=$1
  kept_due=$2
  # One that was killed is started again when its lock is confirmed, undone, or replaced by another one with its own watchdog.
  ! is_relieved || exit 0
  if [ "$pending $due" = "$attempt $kept_due" ]; then
    find_what_bars_undo
    printf '%s\n' "$attempt" "$due" "$stuck" >"$RUN/ssh-only-firewall.armed"
  fi
  read_uptime
  left=$((kept_due - uptime))
  while [ "$left" -gt 0 ] && [ "$uptime" -lt "$kept_due" ]; do
    sleep 1
    ! is_relieved || exit 0
    left=$((left - 1))
    read_uptime
  done
  # A failed step never stops it: every round is a process of its own.
  failures=0
  while ! is_relieved; do
    (
      set -e
      effect='The lock is still pending; the watchdog tries again.'
      take_host_lock 30
      ! is_relieved || exit 0
      reason='nobody confirmed it in time'
      [ ! -e "$STATE/records/$pending/probation" ] || reason='it was reached once, and not confirmed after its probation'
      roll_back "$pending" "$reason" "$failures"
    ) </dev/null >/dev/null 2>&1
    # While another run holds the host lock, nobody has tried the ruleset.
    [ $? -eq 7 ] || failures=$((failures + 1))
    # Only an unlock is undone for longer.
    sleep $((failures < 4 ? 1 : 5))
  done
}

# roll_back ATTEMPT REASON FAILURES: restores what was in force before that lock. Under the host lock. After three failures to
# load the previous ruleset it opens the host: reachable comes before closed. Sets outcome.
roll_back() {
  read_state
  [ "$pending" = "$1" ] || return 0
  if [ "$1" = "$unlocking" ] && [ -n "$confirmed" ]; then
    lock_after_unlock || return 1
  elif [ -n "$confirmed" ] && [ "$3" -lt 3 ]; then
    apply_confirmed || return 1
    outcome="the ruleset confirmed before is in force again"
  else
    unload_except nothing || return 1
    forget_use
    outcome="the host is open"
    if [ -n "$confirmed" ]; then
      rm -f "$STATE/confirmed"
      to_disk "$STATE"
      outcome="the ruleset confirmed before did not load: the host is OPEN"
    fi
  fi
  printf '%s %s\n' "$1" "$2: $outcome" >>"$STATE/rolled-back" 2>/dev/null || :
  rm -f "$STATE/pending"
  what="lock $1"
  [ "$1" != "$unlocking" ] || what='the unlock'
  log "rolled back $what: $2; $outcome"
  drop_old_records
}
