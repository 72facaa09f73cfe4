# Conflicting rules: rules of another firewall that would drop new connections to the SSH port. A hint for people, when a
# confirm does not come through. What iptables extensions, verdict maps and addresses decide is not looked at.

# conflicting_rules PORT: prints a line each; after list_nft_tables.
conflicting_rules() {
  # Mostly there is no table but ours.
  if have nft && [ "$nft_tables" != 'table inet ssh_only_firewall' ]; then
    nft list ruleset 2>/dev/null | awk -v port="$1" "$awk_nftables_conflicts"
  fi
  for family in iptables ip6tables; do
    protocol=${family%tables}
    # nft shows all but the ports of multiport.
    only=''
    ! have nft || only=multiport
    if have "$family-nft-save" && { ! have nft || has_nft_table "table $protocol "; }; then
      "$family-nft-save" 2>/dev/null | iptables_conflicts "$1" "$only"
    fi
    legacy_table "$protocol" || continue
    legacy=$family-legacy-save
    have "$legacy" || legacy=$family-save
    ! have "$legacy" || "$legacy" 2>/dev/null | iptables_conflicts "$1" ''
  done
}

# iptables_conflicts PORT ONLY: of standard input, of iptables-save.
iptables_conflicts() { awk -v port="$1" -v family="$family" -v only="$2" "$awk_iptables_conflicts"; }

# rules_that_would_cut PORT: prints the iptables rules that are sure to drop this login once our chains are gone. None for a
# login on a console.
rules_that_would_cut() {
  find_login
  case $came_from in
    '') return 0 ;;
    *:*) family=ip6tables ;;
    *) family=iptables ;;
  esac
  for variant in -nft -legacy ''; do
    [ "$variant" = -nft ] || legacy_table "${family%tables}" filter || continue
    ! have "$family$variant-save" ||
      "$family$variant-save" -t filter 2>/dev/null | sed '/SSH_ONLY_/d' | iptables_conflicts "$1" sure
  done | sort -u
}

# Sets came_from: the SSH_CONNECTION of this login; where su or sudo have cleared it, that of a parent process; empty on a
# console.
find_login() {
  came_from=${SSH_ONLY_FROM-${SSH_CONNECTION-}}
  [ -z "${SSH_ONLY_FROM+set}" ] || return 0
  process=$$
  while [ -z "$came_from" ] && [ "$process" -gt 1 ]; do
    came_from=$(tr '\0' '\n' 2>/dev/null <"/proc/$process/environ" | sed -n 's/^SSH_CONNECTION=//p')
    read -r stat 2>/dev/null <"/proc/$process/stat" || return 0
    # The name, in brackets, may hold anything; behind it come the state and the parent.
    stat=${stat##*) ? }
    process=${stat%% *}
  done
}
