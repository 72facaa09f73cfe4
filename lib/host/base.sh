# The host program of cdktf-ssh-only-firewall (NUMBER bytes): closes this host to everything but SSH, and opens it again.
#
#   sh /var/lib/ssh-only-firewall/host.sh status [--json]     show what is in force here
#   sh /var/lib/ssh-only-firewall/host.sh report              show who was denied since the lock, and who logged in
#   sh /var/lib/ssh-only-firewall/host.sh unlock              open this host again; over SSH, confirm it within two minutes
#   sh /var/lib/ssh-only-firewall/host.sh confirm-unlock      the confirm, over a new connection
#   sh /var/lib/ssh-only-firewall/host.sh rollback            undo a lock or unlock that nobody has confirmed yet
#
# Run by Terraform:
#   lock                              load the ruleset in the settings; it rolls back unless it is confirmed in time
#   check                             only report whether lock would refuse those settings here; changes nothing
#   confirm OWNER ATTEMPT RULESET     keep the pending lock; run over a new connection, which has come through it
#   probation OWNER ATTEMPT RULESET SECONDS WITHIN
#                                     keep it pending for SECONDS, to be confirmed within WITHIN seconds after that, by
#                                     confirm OWNER ATTEMPT RULESET probation
#   unlock OWNER SECONDS              open the host, unless it belongs to another owner; it locks itself again unless confirmed
#   confirm-unlock OWNER              keep it open; run over a new connection, which has come in without the rules
# Run by the init system, or by the verbs above:
#   boot                              load the confirmed ruleset
#   guard, start-guard, stop-guard    restore the confirmed ruleset whenever another program removes it
#   watchdog ATTEMPT DUE              roll that lock or unlock back unless it is confirmed when the host has been up for DUE seconds
#
# Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not root; 4 a tool or a backend is missing; 5 the ruleset would cut
# the operator off; 6 the host needs a named exception to stay reachable; 7 another run is in progress; 8 the host
# belongs to another owner; 9 nothing is pending (rolled back or never locked); 10 the live rules are not the ruleset.
#
# The source with its comments: lib/host/ of the npm package cdktf-ssh-only-firewall.

set -eu
umask 077
LC_ALL=C
# Nothing of the login's, which neither the watchdog nor the boot would have. The last one is that of NixOS.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
export LC_ALL PATH

STATE=/var/lib/ssh-only-firewall
if [ -d /run ]; then RUN=/run; else RUN=/var/run; fi

# The end of each message: what happened to the host. Every verb keeps it true as it goes.
effect='The host was not changed.'

log() {
  [ -d "$STATE" ] && [ -z "${checking-}" ] || return 0
  read_date
  { printf '%s %s\n' "$date" "$*" >>"$STATE/log"; } 2>/dev/null || :
}

# Sets date. Starts a process at most once a second.
read_date() {
  read_uptime
  [ "$uptime" != "${dated-0}" ] || [ "$uptime" = 0 ] || return 0
  date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  dated=$uptime
}

# The log keeps the last half megabyte or more.
trim_log() {
  [ -f "$STATE/log" ] && [ "$(wc -c <"$STATE/log")" -gt 1000000 ] || return 0
  rewrite "$STATE/log" tail -c 500000 "$STATE/log" || :
}

# A closed terminal must not stop the verb.
say() {
  log "$*"
  printf 'ssh-only-firewall: %s\n' "$*" 2>/dev/null || :
}

# die CODE MESSAGE: the message ends with what happened to the host.
die() {
  code=$1
  shift
  reported=yes
  [ -z "${checking-}" ] || report_refused "$code" "$*"
  log "failed: $* $effect"
  printf 'ssh-only-firewall: %s %s\n' "$*" "$effect" >&2 2>/dev/null || :
  exit "$code"
}

# refuse CODE WORD MESSAGE: die, before any change. The word is for who reads what `check` reports.
refuse() {
  refusal=$2 code=$1
  shift 2
  die "$code" "$@"
}

# Trapped on EXIT: nothing ends without a message about the host, or leaves half a file.
unexpected() {
  [ "$1" -ne 0 ] || return 0
  [ -z "${holding-}" ] || rm -rf "$STATE"/*.tmp "$STATE"/records/*/*.tmp
  [ -n "${reported-}" ] || die "$1" "$verb failed unexpectedly (exit code $1)."
}

# to_disk FILES: writes them to the disk before the host relies on them. Waits ten seconds at most: where a file system hangs,
# not even a signal ends the process that waits for it.
to_disk() {
  # Where a file system does not sync what it is asked to, everything.
  (sync "$@" || exec sync) >/dev/null 2>&1 9>&- &
  tries=0
  while [ "$tries" -lt 1000 ] && read -r stat 2>/dev/null <"/proc/$!/stat"; do
    case $stat in *') Z '*) break ;; esac
    pause
  done
}

# A hundredth of a second, or a second where sleep knows no fractions; counts the hundredths in tries.
pause() {
  if sleep 0.01 2>/dev/null; then
    tries=$((tries + 1))
  else
    sleep 1
    tries=$((tries + 100))
  fi
}

# The first twelve digits of a hash, for people.
short() { printf '%.12s' "$1"; }

have() { command -v "$1" >/dev/null 2>&1; }

# legacy_table PROTOCOL [TABLE]: 0 if iptables-legacy has that table, or any, for ip or ip6. The command itself would create it.
legacy_table() {
  [ -r "/proc/net/$1_tables_names" ] || return 1
  while read -r found; do
    [ "$found" != "${2:-$found}" ] || return 0
  done <"/proc/net/$1_tables_names"
  return 1
}

# write_file PATH TEXT: the whole text, or a failure and the file as it was.
write_file() {
  printf '%s' "$2" >"$1.tmp" && replace_file "$1"
}

# replace_file PATH: by PATH.tmp. What replaces a file is on the disk before: after a power cut there is the old one or the new one,
# and not an empty one.
replace_file() {
  [ ! -e "$1" ] || to_disk "$1.tmp"
  mv -f "$1.tmp" "$1"
}

# keep_file PATH TEXT MODE: as write_file, but leaves a file alone that has that text.
keep_file() {
  if [ -s "$1" ] && [ "$(cat "$1" && echo .)" = "$2." ]; then
    chmod "$3" "$1"
  else
    printf '%s' "$2" >"$1.tmp" && chmod "$3" "$1.tmp" && replace_file "$1"
  fi
}

# rewrite PATH COMMAND...: the file becomes what the command prints; where that fails, it stays as it was.
rewrite() {
  target=$1
  shift
  "$@" >"$target.tmp" && replace_file "$target" || {
    rm -f "$target.tmp"
    return 1
  }
}

# with_file PATH COMMAND...: the command with that file, if there is one.
with_file() {
  path=$1
  shift
  [ ! -f "$path" ] || "$@" "$path"
}

# One run at a time. The kernel frees the lock when its holder dies; a long-lived child must close descriptor 9.
take_host_lock() {
  have flock || refuse 4 missing-tool 'flock is missing (package util-linux, or busybox).'
  exec 9>"$RUN/ssh-only-firewall.lock"
  tries=0
  until flock -n 9; do
    tries=$((tries + 1))
    [ "$tries" -le "$1" ] || refuse 7 busy "Another run of this program has been in progress for $1 s: try again when it has ended."
    sleep 1
  done
  holding=yes
}

# Before output that somebody may read slowly.
leave_host_lock() {
  exec 9>&-
  holding=''
}

need_root() {
  # Only root owns /proc/sys. Without a process, where test has -O.
  [ -O /proc/sys ] 2>/dev/null || [ "$(id -u)" -eq 0 ] || refuse 3 no-root 'This needs root.'
}
