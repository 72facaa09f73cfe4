# Unlock is commit confirmed, as lock is: without our rules, those of other programs may drop SSH, and nobody can see in
# reading them. The rules are taken out, the watchdog is armed, and unless confirm-unlock comes over a new connection, the host
# locks itself again.

# What `pending` names in place of an attempt while an unlock waits for its confirm; no attempt has such a name. Its record has no
# ruleset, only whose lock it was, and which connection ran the unlock.
unlocking=unlock:

unlock_seconds=120

# unlock                   by hand. On a console, where nobody can be cut off, it needs no confirm
# unlock --console         the same, where this program does not see that it is one
# unlock OWNER SECONDS     by Terraform: opens only what belongs to that owner
verb_unlock() {
  need_root
  read_unlock_words "$@"
  take_host_lock 30
  read_state
  drop_stale_pending
  if [ -z "$confirmed${pending#"$unlocking"}" ] && ! anything_is_live; then
    # What is left of a lock that was rolled back, or of an unlock that was killed.
    verb_stop_guard
    forget_lock
    say "This host is open: there is nothing to unlock. $effect"
    return 0
  fi
  find_other_owners "$owner"
  if [ -n "$others" ]; then
    unlock_own
  elif [ -n "$limit" ] && unlock_may_cut_off; then
    open_until_confirmed
  else
    open_host
  fi
}

# Sets owner, and limit: the seconds until the host locks itself again, or empty where nobody has to confirm.
read_unlock_words() {
  owner='' limit=$unlock_seconds
  find_login
  case $#:${1-} in
    1:--console) limit='' ;;
    0:) ! is_on_console || limit='' ;;
    1:*)
      owner=$1
      is_on_console ||
        die 2 'This destroy is of a version that does not confirm an unlock, and the host would lock itself again: destroy with the version that locked it, or run unlock by hand.'
      limit=''
      ;;
    *)
      owner=$1 limit=$2
      case $limit in
        '' | *[!0-9]*) die 2 "'$limit' is not a number." ;;
      esac
      ;;
  esac
}

# Sets came_from: the SSH_CONNECTION of this login; where su or sudo have cleared it, that of a parent process; empty where
# nobody came over SSH.
find_login() {
  came_from=${SSH_ONLY_FROM-${SSH_CONNECTION-}}
  [ -n "${SSH_ONLY_FROM+set}" ] || find_login_of_parents
  # It becomes part of the record.
  case $came_from in *[!0-9A-Za-z:.%_\ -]*) came_from=unknown ;; esac
}

find_login_of_parents() {
  process=$$
  while [ -z "$came_from" ] && [ "$process" -gt 1 ]; do
    came_from=$(tr '\0' '\n' 2>/dev/null <"/proc/$process/environ" | sed -n 's/^SSH_CONNECTION=//p')
    read -r stat 2>/dev/null <"/proc/$process/stat" || return 0
    # The name, in brackets, may hold anything; behind it come the state and the parent.
    stat=${stat##*) ? }
    process=${stat%% *}
  done
}

# After find_login. A terminal of tmux or machinectl may be that of somebody who came over SSH.
is_on_console() {
  [ -z "$came_from" ] || return 1
  case $(readlink /proc/self/fd/0 2>/dev/null) in
    /dev/pts/*) return 1 ;;
  esac
}

# 0 unless there is nothing that could be locked again, or the rules let everything pass anyway.
unlock_may_cut_off() {
  [ -n "$confirmed" ] || return 1
  read_record "$confirmed"
  # One whose record is damaged, and that did not load at boot, is open already.
  [ "$rec_mode" != observe ] && { record_is_sealed "$confirmed" || anything_is_live; }
}

# find_other_owners [OWNER]: sets others to the attempts that belong to another owner, and name to the host.
find_other_owners() {
  others=''
  name=''
  read_record ''
  for attempt in ${pending#"$unlocking"} $confirmed; do
    read_record "$attempt"
    name="${rec_host:+$rec_host: }"
    # Nobody is the owner of a record that names none.
    [ "${1:-$rec_owner}" = "$rec_owner" ] || others="$others$attempt "
  done
}

open_until_confirmed() {
  effect='It stays locked.'
  [ -n "$rec_owner" ] && record_is_sealed "$confirmed" ||
    die 10 "The record of this lock is damaged, so that the host could not lock itself again if nobody confirmed: deploy to it once, which writes the record anew, or run unlock --console there."
  say "${name}removing the rules of this program. Unless this unlock is confirmed over a new connection within $limit s, the host locks itself again, also if this connection dies now."
  keep_evidence || :
  note_loss
  effect='Undoing the unlock.'
  undo_at_end unlock "$unlocking"
  write_unlock_record
  make_pending "$unlocking" "$limit" "$rec_owner"
  unload_except nothing || die 1 'Not all rules of this program can be removed.'
  drop_old_records
  keep_what_is_done
  read_record "$confirmed"
  say "${name}the rules are removed. The host is open until this unlock is confirmed or undone."
  [ -n "$owner" ] ||
    say "To keep it open, log in over a new connection, and run there: sh $STATE/host.sh confirm-unlock"
  # What was known of tables is of the time before.
  list_nft_tables
  report_conflicts "$name" "$rec_port" 'If confirm-unlock cannot connect, change that rule'
}

# After read_record of the lock.
write_unlock_record() {
  read_uptime
  mkdir -p "$STATE/records/$unlocking" && write_file "$STATE/records/$unlocking/meta" "host=$rec_host
owner=$rec_owner
port=$rec_port
mode=$rec_mode
connection=$came_from
unlocked_up=$uptime
" || die 1 "$STATE cannot be written: is the disk full, or read-only?"
}

# Rolls an unlock back, under the host lock. It is tried for ever: an open host would not be more open.
lock_after_unlock() {
  # Until then the rules were there.
  read_record "$unlocking"
  seen_up=$rec_unlocked_up
  apply_confirmed || return 1
  outcome='the host has locked itself again'
}

# confirm-unlock [OWNER]: over a new connection, which has come in without our rules.
verb_confirm_unlock() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  read_record "${confirmed:-$pending}"
  if [ -n "$confirmed${pending#"$unlocking"}" ]; then
    [ "${1:-$rec_owner}" = "$rec_owner" ] || {
      say_that_it_stays
      return 0
    }
    [ "$pending" = "$unlocking" ] || die_not_unlocking
  fi
  name=${rec_host:+$rec_host: }
  if [ -n "$confirmed" ]; then
    effect='The unlock is still pending, and the host locks itself again unless it is confirmed.'
    check_new_connection
    how=', confirmed over a new connection'
  fi
  ! anything_is_live || die 10 'Rules of this program are live, so that this connection proves nothing.'
  if [ -n "$confirmed" ]; then
    make_open
  else
    # The confirm before this one was killed, or its answer was lost.
    verb_stop_guard
    forget_lock
    say "This host is open: there is nothing to confirm."
  fi
}

die_not_unlocking() {
  [ -z "$pending" ] || {
    effect='It rolls back unless it is confirmed.'
    die 9 "A lock ($pending) is pending here: somebody has deployed since the unlock."
  }
  why='it is not known here, or was replaced by a lock'
  while read -r attempt reason; do
    [ "$attempt" != "$unlocking" ] || why=$reason
  done 2>/dev/null <"$STATE/rolled-back" || :
  effect='The host is locked.'
  die 9 "This unlock is not pending ($why). If no new connection came through, another firewall drops SSH where our rules do not accept it first: have it accept port $rec_port from where you connect, and destroy again."
}

# A session over the connection that ran unlock proves nothing: it was let in by our rules.
check_new_connection() {
  find_login
  read_record "$pending"
  [ -z "$came_from" ] || [ "$came_from" != "$rec_connection" ] ||
    die 1 "This is the same connection as that of unlock ($came_from): log in once more, over a connection of its own (ssh -o ControlPath=none)."
}

# Opens the host at once.
open_host() {
  trap '' HUP PIPE
  effect='Unlocking failed half-way, and some of its rules may still be in force: run it again.'
  how=''
  if [ -n "$confirmed" ]; then
    read_record "$confirmed"
    # Should this be killed, the host is locked again. Where nothing can be written, the guard must not restore the rules.
    (write_unlock_record && make_pending "$unlocking" 60 "$rec_owner") >/dev/null 2>&1 || verb_stop_guard
  fi
  unload_except nothing || {
    anything_is_live || effect='Its rules are gone, and the host is OPEN, but still recorded as locked: run unlock again.'
    die 1 'Not all rules of this program can be removed.'
  }
  make_open
}

# From here on, the rules are gone for good: what is left half-way is only litter.
make_open() {
  trap '' HUP PIPE INT TERM
  forget_saved_rules || :
  rm -f "$STATE/confirmed" 2>/dev/null || {
    effect='The rules are gone, and the host is OPEN until it is restarted.'
    read_state
    [ -z "$pending" ] || effect='The rules are gone, and the host is open until the watchdog locks it again.'
    die 1 "$STATE cannot be written, and still says that this host is locked: make it writable, and run unlock again."
  }
  verb_stop_guard
  forget_lock
  say "${name}unlocked$how: every rule of this program is gone. The host is open."
}

# Everything but the log. Once nothing names a record, on the disk too: also where the run before this one was killed just then.
forget_lock() {
  rm -f "$STATE/pending"
  [ ! -d "$STATE" ] || to_disk "$STATE"
  call_init forget
  rm -rf "$STATE/rolled-back" "$STATE/records" "$STATE/baseline" "$STATE/evidence" "$STATE/host.sh" "$RUN/ssh-only-firewall.armed" "$RUN/ssh-only-firewall.guard" "$proven" "$unkept" "$lost"
}

# What belongs to other owners stays in force: a pending lock of this owner is undone.
unlock_own() {
  if [ "$others" = "$confirmed " ] && [ -n "$pending" ]; then
    roll_back "$pending" 'unlocked by its owner' 0
    say "The pending lock of this owner is undone: $outcome, and belongs to another owner."
  elif [ "$others" = "$pending " ] && [ -n "$confirmed" ]; then
    read_record "$pending"
    effect='The host was not changed.'
    die 8 "Another owner (hold $rec_owner) has a lock pending here over this one: destroy again when it is confirmed or rolled back."
  else
    read_record "${confirmed:-$pending}"
    say_that_it_stays
  fi
}

say_that_it_stays() {
  # The removal of a lock of this owner, whose confirm was killed, may not be on the disk yet.
  to_disk "$STATE"
  effect='The host was not changed.'
  [ -n "$rec_owner" ] || die 8 "The record of the lock in force here is damaged, and names no owner. Deploy with takeOver: true for this host, which repairs it, or run unlock on its console."
  say "This host is locked by another owner (hold $rec_owner${rec_locked_at:+, since $rec_locked_at}), and stays locked. The host was not changed."
}
