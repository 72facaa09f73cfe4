# What the host remembers, in $STATE (0700):
#
#   records/ATTEMPT/   one per lock: meta (key=value), the ruleset files, listing (the live rules as the kernel
#                      shows them, proven equal to the ruleset), and by confirm: sealed (a copy of meta and ruleset), and
#                      host.sh (the program, for the boot after a power cut that damages the other one)
#   pending            names the attempt that is loaded and waits for its confirm, the boot that it belongs to, the seconds since
#                      that boot at which it is due, and once more the owner, for the day on which the record is damaged; or, in
#                      place of an attempt, an unlock (unlock.sh)
#   confirmed          names the attempt that is in force for good
#   beside             the filter tables of other firewalls that have our chains (other-firewalls.sh)
#   rolled-back        the locks and unlocks that nobody confirmed, and why, until the next confirm
#   evidence           who was denied, which protocol and port, how often, first and last (evidence.sh)
#   baseline/          what listened, who was connected and which rules there were before the first lock; and, since then,
#                      gaps: when the rules were gone, and modes: when the host only observed (evidence.sh); sessions and
#                      probes: who asked or deployed, and what was probed (ask-notes.sh)
#   host.sh, log
#
# Renaming pending to confirmed is the one moment at which a host becomes locked, and removing confirmed the one at which it
# becomes open.

# Sets pending and confirmed: an attempt each, or empty. A lock that was pending when the host went down is not pending
# any more, because its rules and its watchdog are gone.
read_state() {
  pending='' confirmed='' stale='' boot='' due='' pending_owner='' confirmed_owner=''
  [ ! -f "$STATE/confirmed" ] || {
    read -r confirmed boot due confirmed_owner <"$STATE/confirmed" || :
    is_identifier "$confirmed" || find_confirmed
  }
  [ ! -f "$STATE/pending" ] || read -r pending boot due pending_owner <"$STATE/pending" || :
  read_boot_id
  if [ -n "$pending" ] && [ "$boot" != "$boot_id" ]; then
    stale=$pending
    pending=''
  fi
}

# Where `confirmed` is damaged: confirm has sealed one record. Sets confirmed, which is never empty then.
find_confirmed() {
  confirmed=unknown confirmed_owner=''
  for dir in "$STATE"/records/*; do
    [ ! -f "$dir/sealed" ] || confirmed=${dir##*/}
  done
}

is_identifier() {
  case $1 in
    '' | *[!A-Za-z0-9._-]*) return 1 ;;
  esac
}

# Sets boot_id, without a process, because the watchdog reads it every second. All containers of a machine share the machine's
# identifier, so our identifier includes the start time of init.
read_boot_id() {
  boot_id=''
  read -r boot_id 2>/dev/null </proc/sys/kernel/random/boot_id || boot_id=unknown
  read -r stat 2>/dev/null </proc/1/stat || return 0
  # shellcheck disable=SC2086 # words; the name before them, in brackets, may hold anything
  set -- ${stat##*\) }
  boot_id=$boot_id-${20-}
}

# Sets uptime, in seconds, without a process.
read_uptime() {
  uptime=0
  read -r uptime _ 2>/dev/null </proc/uptime || :
  uptime=${uptime%%.*}
}

# Under the host lock: makes what read_state found true on disk too.
drop_stale_pending() {
  [ -n "$stale" ] || return 0
  kept='the rules were not kept' what="lock $stale"
  [ "$stale" != "$unlocking" ] || kept='the unlock was not kept' what='the unlock'
  printf '%s\n' "$stale the host was restarted: $kept" >>"$STATE/rolled-back" 2>/dev/null || :
  [ -n "$confirmed" ] || forget_use
  rm -f "$STATE/pending"
  log "rolled back $what: the host was restarted before it was confirmed"
  drop_old_records
}

# Sets rec_* from the record of an attempt. Where it is damaged or lost, rec_damaged is not empty, and no more is known than the
# owner, if that is, and which backend to unload.
read_record() {
  read_meta "$1"
  rec_damaged=''
  # An unlock has no ruleset.
  [ -z "$1" ] || [ "$1" = "$unlocking" ] || meta_is_whole || forget_meta "$1"
  iptables_rename_variant
  # The kernel may have got IPv6 since, which is to be closed too; or lost it, and with it all rules.
  if [ -z "$rec_backend" ]; then
    :
  elif [ ! -e /proc/net/if_inet6 ]; then
    rec_families=iptables
  elif have "ip6tables$rec_variant-save"; then
    rec_families='iptables ip6tables'
  fi
}

# The last line is written last.
meta_is_whole() {
  is_identifier "$rec_owner" && is_identifier "$rec_host" && is_identifier "$rec_ruleset" && [ -n "$rec_locked_at" ] || return 1
  case $rec_port:$rec_mode:$rec_persist in
    :* | *[!0-9]*:*:* | *:*[!a-z]*:* | *:*:*[!a-z]*) return 1 ;;
  esac
  case $rec_locked_at$rec_program$rec_listened$rec_stack$rec_construct$rec_workspace$rec_from in
    *[!A-Za-z0-9._~%/+:\ -]*) return 1 ;;
  esac
  case " $backends " in
    *" $rec_backend "*) ;;
    *) return 1 ;;
  esac
}

# forget_meta ATTEMPT: what a damaged record says is not repeated.
forget_meta() {
  kept_backend=$rec_backend kept_variant=$rec_variant
  rec_damaged=yes
  clear_meta
  case " $backends " in
    *" $kept_backend "*) rec_backend=$kept_backend ;;
  esac
  case $kept_variant in
    -nft | -legacy) rec_variant=$kept_variant ;;
  esac
  [ "$1" != "${confirmed-}" ] || rec_owner=${confirmed_owner-}
  [ "$1" != "${pending-}" ] || rec_owner=${pending_owner-}
  is_identifier "$rec_owner" || rec_owner=''
}

clear_meta() {
  rec_host='' rec_owner='' rec_ruleset='' rec_backend='' rec_variant='' rec_families='' rec_port='' rec_program='' rec_locked_at=''
  rec_persist='' rec_mode='' rec_log_denied='' rec_listened='' rec_replaced=''
  rec_stack='' rec_construct='' rec_workspace='' rec_from='' rec_connection='' rec_unlocked_up=''
}

read_meta() {
  rec_dir=$STATE/records/$1
  clear_meta
  [ -n "$1" ] && [ -f "$rec_dir/meta" ] || return 0
  while IFS='=' read -r key value; do
    case $key in
      host) rec_host=$value ;;
      owner) rec_owner=$value ;;
      ruleset) rec_ruleset=$value ;;
      backend) rec_backend=$value ;;
      variant) rec_variant=$value ;;
      families) rec_families=$value ;;
      port) rec_port=$value ;;
      program) rec_program=$value ;;
      locked_at) rec_locked_at=$value ;;
      persist) rec_persist=$value ;;
      mode) rec_mode=$value ;;
      log_denied) rec_log_denied=$value ;;
      listened) rec_listened=$value ;;
      replaced) rec_replaced=$value ;;
      stack) rec_stack=$value ;;
      construct) rec_construct=$value ;;
      workspace) rec_workspace=$value ;;
      from) rec_from=$value ;;
      connection) rec_connection=$value ;;
      unlocked_up) rec_unlocked_up=$value ;;
    esac
  done <"$rec_dir/meta"
}

# Writes the record of this lock, after choose_backend.
write_record() {
  rec_dir=$STATE/records/$SSH_ONLY_ATTEMPT
  # After a confirm or an unlock that was killed, a name on the disk may still lead to it.
  [ ! -e "$rec_dir" ] || { to_disk "$STATE"; rm -rf "$rec_dir"; }
  mkdir -p "$rec_dir"
  each_text write_text
  [ -n "${listening-}" ] || find_listening
  find_client
  read_date
  printf '%s\n' "host=$SSH_ONLY_HOST
owner=$SSH_ONLY_OWNER
ruleset=$SSH_ONLY_RULESET
backend=$backend
variant=$chosen_variant
families=$chosen_families
port=$SSH_ONLY_PORT
persist=$SSH_ONLY_PERSIST
mode=$SSH_ONLY_MODE
log_denied=$SSH_ONLY_LOG_DENIED
listened=$listening
replaced=$confirmed
stack=$SSH_ONLY_STACK
construct=$SSH_ONLY_CONSTRUCT
workspace=$SSH_ONLY_WORKSPACE
from=$client
program=$SSH_ONLY_PROGRAM_VERSION
locked_at=$date" >"$rec_dir/meta"
}

# write_text FILE TEXT: a text of the ruleset, into the record.
write_text() { printf '%s' "$2" >"$rec_dir/$1"; }

# Keeps a copy of the record that confirm has proven. Text that loads is not necessarily the text that was proven: the half
# block that a disk lost may be the rule that lets SSH in, and live_matches would find the live rules equal to the damaged file.
seal_record() { print_sealed >"$rec_dir/sealed"; }

# shellcheck disable=SC2086 # a list
print_sealed() { (cd "$rec_dir" && cat meta $ruleset_files); }

# The record of a lock keeps the program that has locked it, as a second name of the same file where that can be.
keep_program() { ln -f "$STATE/host.sh" "$rec_dir/host.sh" 2>/dev/null || cp -f "$STATE/host.sh" "$rec_dir/host.sh"; }

# Under the host lock: installs the program again from a record, where a power cut has damaged it.
repair_program() {
  find_program && [ "$program" != "$STATE/host.sh" ] || return 0
  log 'the installed host program was damaged, and is replaced by the copy in the record'
  write_file "$STATE/host.sh" "$text
" || :
}

# record_is_sealed ATTEMPT: 0 if the record is still what was proven, or was confirmed by a program that kept no copy.
record_is_sealed() {
  read_record "$1"
  [ -z "$rec_damaged" ] || return 1
  [ ! -f "$rec_dir/sealed" ] || [ "$(print_sealed 2>/dev/null)" = "$(cat "$rec_dir/sealed")" ]
}

# Removes the records that neither pending nor confirmed names.
drop_old_records() {
  read_state
  for dir in "$STATE"/records/*; do
    case ${dir##*/} in
      "$pending" | "$confirmed") ;;
      *) rm -rf "$dir" ;;
    esac
  done
}

# What was here before the first lock: evidence for the owner. Never loaded again, because a saved copy of rules is not safe.
take_baseline() {
  [ ! -d "$STATE/baseline" ] || return 0
  taken=$STATE/baseline.tmp
  [ ! -e "$taken" ] || rm -rf "$taken"
  mkdir "$taken"
  if have ss; then
    ss -tuanp >"$taken/sockets" 2>&1 || :
  else
    cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 >"$taken/sockets" 2>/dev/null || :
  fi
  ! have nft || nft -t list ruleset >"$taken/nftables" 2>/dev/null || nft list ruleset >"$taken/nftables" 2>&1 || :
  if legacy_table ip; then
    iptables-legacy-save >"$taken/iptables-legacy" 2>/dev/null ||
      iptables-save >"$taken/iptables-legacy" 2>/dev/null || :
  fi
  read_date
  printf '%s\n' "$date" >"$taken/taken_at"
  true >"$taken/kept"
  mv "$taken" "$STATE/baseline"
}
