usage() {
  printf 'usage: sh %s/host.sh status [--json] | report | unlock [--console] | confirm-unlock | rollback\n' "$STATE" >&2
  reported=yes
  exit 2
}

# Not for the way back (rollback, watchdog, guard) and not at boot: a host that stays cut off, or open, would be worse.
check_trust() {
  need_root
  [ -n "${trusted_by_caller-}" ] || find_distrust "$STATE"
  [ -z "$distrust" ] || refuse 1 not-trusted "$distrust."
}

main() {
  verb=${1-}
  checking=''
  [ "$verb" != check ] || checking=yes
  [ $# -eq 0 ] || shift
  trap 'unexpected $?' EXIT
  case $verb:$# in
    lock:0 | check:0 | confirm:[34] | probation:5 | unlock:[012] | confirm-unlock:[01] | status:[01] | report:0) check_trust ;;
  esac
  [ -n "$checking" ] || note_session "${SSH_ONLY_FROM-}"
  case $verb:$# in
    lock:0) verb_lock ;;
    check:0) verb_check ;;
    confirm:3) verb_confirm "$@" ;;
    confirm:4)
      [ "$4" = probation ] || usage
      verb_confirm "$@"
      ;;
    probation:5) verb_probation "$@" ;;
    rollback:0) verb_rollback ;;
    unlock:0 | unlock:1 | unlock:2) verb_unlock "$@" ;;
    confirm-unlock:0 | confirm-unlock:1) verb_confirm_unlock "$@" ;;
    status:0) verb_status ;;
    status:1)
      [ "$1" = --json ] || usage
      verb_status --json
      ;;
    report:0) verb_report ;;
    boot:0) verb_boot ;;
    guard:0) verb_guard ;;
    guard:1) verb_guard "$1" ;;
    start-guard:0) verb_start_guard ;;
    stop-guard:0) verb_stop_guard ;;
    watchdog:2) verb_watchdog "$@" ;;
    *) usage ;;
  esac
}

main "$@"
exit
