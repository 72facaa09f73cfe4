# check: would lock refuse this host? By the functions of lock, and without a change: nothing is loaded, written or logged.
#
# Prints a line "refused CODE WORD MESSAGE" for each refusal, and "conflict RULE" for each rule of another firewall that may drop
# SSH, and "bridge SENTENCE" where guests are reached past the rules. Exit code: 0 if lock would go on, else that of the first refusal.

# Where iptables-legacy has no table yet, asking makes an empty one: then in a network of its own, if there can be one.
apart=''

verb_check() {
  need_root
  check_settings
  share_host_lock
  read_state
  find_apart
  find_checks
  first=0
  for check in choose_backend check_owner check_script_place $checks; do
    # As lock has it: set -e is off in what is asked for its exit code.
    set +e
    found=$(set -e && "$check")
    code=$?
    set -e
    [ "$code" -eq 0 ] || [ -n "$found" ] || found="refused $code failed $check failed unexpectedly."
    [ -z "$found" ] || printf '%s\n' "$found"
    [ "$first" -ne 0 ] || first=$code
  done
  list_nft_tables
  conflicting_rules "$SSH_ONLY_PORT" | sed 's/^/conflict /'
  print_bridged | sed 's/^/bridge /'
  reported=yes
  exit "$first"
}

# Where Terraform puts its script, which it runs by its name. There lock itself never starts. SSH_ONLY_SCRIPT_PATH is for check alone.
check_script_place() {
  [ -n "${SSH_ONLY_SCRIPT_PATH-}" ] && find_home || return 0
  case $SSH_ONLY_SCRIPT_PATH in
    /*) find_mount "${SSH_ONLY_SCRIPT_PATH%/*}" ;;
    *) find_mount "$home" ;;
  esac
  case ,$options, in
    *,noexec,*) refuse 1 noexec "Nothing can be executed on $place of this host (noexec), where Terraform puts its script: set connection.scriptPath to a path in a folder elsewhere that only the login user can enter." ;;
  esac
}

# report_refused CODE MESSAGE: in one line, and ends.
report_refused() {
  printf 'refused %s %s %s\n' "$1" "${refusal:-failed}" "$(printf '%s' "$2" | tr '\n' ' ')"
  exit "$1"
}

# As take_host_lock, but beside other checks, and without making the file.
share_host_lock() {
  [ -e "$RUN/ssh-only-firewall.lock" ] && have flock || return 0
  exec 9<"$RUN/ssh-only-firewall.lock"
  tries=0
  until flock -s -n 9; do
    tries=$((tries + 1))
    [ "$tries" -le 10 ] || refuse 7 busy "Another run of this program has been in progress for 10 s: try again when it has ended."
    sleep 1
  done
}

find_apart() {
  { legacy_table ip filter && legacy_table ip6 filter; } || ! have unshare || ! unshare -n true 2>/dev/null || apart='unshare -n'
  # Nor the file of its lock.
  [ -e /run/xtables.lock ] || export XTABLES_LOCKFILE=/dev/null
}
