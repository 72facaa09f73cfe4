# The host program of cdktf-ssh-only-firewall: closes this host to everything but SSH, and gives it back.
#
#   sh /var/lib/ssh-only-firewall/host.sh status [--json]     what is in force here
#   sh /var/lib/ssh-only-firewall/host.sh report              who was denied since, and who logged in
#   sh /var/lib/ssh-only-firewall/host.sh unlock              open this host again (by hand, on its console)
#   sh /var/lib/ssh-only-firewall/host.sh rollback            undo a lock that nobody has confirmed yet
#
# lock and confirm are run by Terraform. POSIX sh; lib/host/*.sh of the package, joined.
#
# Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not root; 4 a tool or a backend is missing; 5 the ruleset would cut
# the operator off; 6 the host needs a named exception to stay reachable; 7 another run is in progress; 8 the host
# belongs to another owner; 9 nothing is pending (rolled back or never locked); 10 the live rules are not the ruleset.

set -eu
umask 077
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}
export LC_ALL PATH

STATE=/var/lib/ssh-only-firewall
if [ -d /run ]; then RUN=/run; else RUN=/var/run; fi

# What a message says about the host; every verb keeps it true as it goes.
effect='The host was not changed.'

log() {
  [ -d "$STATE" ] || return 0
  read_date
  { printf '%s %s\n' "$date" "$*" >>"$STATE/log"; } 2>/dev/null || :
}

# Sets date, to the second, by one process for each second that the system is up.
read_date() {
  read_uptime
  [ "$uptime" != "${dated-0}" ] || [ "$uptime" = 0 ] || return 0
  date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  dated=$uptime
}

# The log keeps the last half megabyte or more.
trim_log() {
  [ -f "$STATE/log" ] && [ "$(wc -c <"$STATE/log")" -gt 1000000 ] || return 0
  tail -c 500000 "$STATE/log" >"$STATE/log.tmp" && mv -f "$STATE/log.tmp" "$STATE/log"
}

# A dead terminal must not stop what is under way.
say() {
  log "$*"
  printf 'ssh-only-firewall: %s\n' "$*" 2>/dev/null || :
}

# die CODE MESSAGE: the message gets what became of the host.
die() {
  code=$1
  shift
  said=yes
  log "failed: $* $effect"
  printf 'ssh-only-firewall: %s %s\n' "$*" "$effect" >&2 2>/dev/null || :
  exit "$code"
}

# Trapped on EXIT: nothing ends without a word about the host, or leaves half a file.
unexpected() {
  [ "$1" -ne 0 ] || return 0
  [ -z "${holding-}" ] || rm -rf "$STATE"/*.tmp "$STATE"/records/*/*.tmp
  [ -n "${said-}" ] || die "$1" "$verb failed unexpectedly (exit code $1)."
}

# to_disk FILES: before the host relies on them. For ten seconds at most: a file system that hangs, where not even a signal
# ends what waits for it, must not hold us up.
to_disk() {
  (exec sync "$@" >/dev/null 2>&1 9>&-) &
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

# legacy_table PROTOCOL [TABLE]: 0 if iptables-legacy has that table, or any, for ip or ip6. Asking the command would create it.
legacy_table() {
  [ -r "/proc/net/$1_tables_names" ] || return 1
  while read -r found; do
    [ "$found" != "${2:-$found}" ] || return 0
  done <"/proc/net/$1_tables_names"
  return 1
}

# write_file PATH TEXT: beside it, then renamed into place.
write_file() {
  printf '%s' "$2" >"$1.tmp" && mv -f "$1.tmp" "$1"
}

# One run at a time. The kernel frees the lock when its holder dies; a long-lived child must close descriptor 9.
take_host_lock() {
  have flock || die 4 'flock is missing (package util-linux, or busybox).'
  exec 9>"$RUN/ssh-only-firewall.lock"
  tries=0
  until flock -n 9; do
    tries=$((tries + 1))
    [ "$tries" -le "$1" ] || die 7 "Another run of this program has been in progress for $1 s: try again when it has ended."
    sleep 1
  done
  holding=yes
}

# Before what may take as long as somebody takes to read it.
leave_host_lock() {
  exec 9>&-
  holding=''
}

need_root() {
  # Of root alone, wherever a test knows -O: without a process.
  [ -O /proc/sys ] 2>/dev/null || [ "$(id -u)" -eq 0 ] || die 3 'This needs root.'
}
