# Unrecorded rules: rules with our name that are live on a host without a lock. Somebody may have loaded a saved copy of them.
# A part of the host program, of launch.sh and of ask.sh, so that it needs no other function.

unrecorded_rules_are_live() {
  tables='table ip filter table ip6 filter'
  if command -v nft >/dev/null 2>&1; then
    tables=$(nft -t list tables 2>/dev/null || nft list tables 2>/dev/null) || :
    case "$tables " in
      *"table inet ssh_only_firewall"[!_]*) return 0 ;;
    esac
  fi
  for protocol in ip ip6; do
    case $tables in
      *"table $protocol filter"*)
        saved=$("${protocol}tables-nft-save" -t filter 2>/dev/null) || :
        case $saved in
          *:SSH_ONLY_*) return 0 ;;
          *:INPUT*) ;;
          # A rule that is not one of iptables hides the others.
          *) ! "${protocol}tables-nft" -S SSH_ONLY_IN >/dev/null 2>&1 || return 0 ;;
        esac
        ;;
    esac
    # Where there is no such table, iptables-legacy-save would create it.
    grep -qs filter "/proc/net/${protocol}_tables_names" || continue
    legacy=${protocol}tables-legacy-save
    command -v "$legacy" >/dev/null 2>&1 || legacy=${protocol}tables-save
    ! "$legacy" -t filter 2>/dev/null | grep -q '^:SSH_ONLY_' || return 0
  done
  return 1
}
