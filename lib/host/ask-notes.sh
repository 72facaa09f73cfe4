# note_asking FROM: notes for the report that a session was that of a command, by its client, as in SSH_CONNECTION, and what it is
# going to probe. A part of ask.sh, so that the report can distinguish these from logins and use. Where it cannot be written,
# they are taken for use.
#
# probe is `auto`, the ports themselves, or empty; probe_except are ports that are open. said is what status printed.

note_asking() {
  baseline=/var/lib/ssh-only-firewall/baseline
  # shellcheck disable=SC2086 # four words
  set -- $1
  [ $# -ge 2 ] || return 0
  case $1$2 in *[!0-9A-Fa-f:.]*) return 0 ;; esac
  [ -d "$baseline" ] || return 0
  asked_at=$(date +%s)
  printf '%s %s %s\n' "$asked_at" "$1" "$2" >>"$baseline/sessions"
  case ${probe-}:$said in
    :*) ;;
    *'"state":"locked"'*)
      find_probed
      [ -z "$probed" ] || printf '%s %s %s\n' "$asked_at" "$1" "$probed" >>"$baseline/probes"
      ;;
  esac
}

# Sets probed, the same ports that lib/status/ports.ts finds.
find_probed() {
  probed='' left=100 own=''
  candidates=$probe
  case $said in
    *'"port":"'*)
      own=${said#*'"port":"'}
      own=${own%%'"'*}
      ;;
  esac
  if [ "$probe" = auto ]; then
    left=4
    candidates=''
    case $said in
      *'"listened":"'*)
        candidates=${said#*'"listened":"'}
        candidates=${candidates%%'"'*}
        ;;
    esac
    # shellcheck disable=SC2086 # a list
    candidates="$(printf '%s\n' $candidates | sort -n) 80 443"
  fi
  for port in $candidates; do
    case ",$probed, $own ${probe_except-} " in *",$port,"* | *" $port "*) continue ;; esac
    case $port in *[!0-9]*) continue ;; esac
    [ "$left" -gt 0 ] || return 0
    left=$((left - 1))
    probed=${probed:+$probed,}$port
  done
}
