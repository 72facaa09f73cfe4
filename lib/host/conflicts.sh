# Conflicting rules: rules of another firewall that would drop new connections to the SSH port. A hint for people, when a
# confirm does not come through. What iptables extensions, verdict maps and addresses decide is not looked at.

# conflicting_rules PORT: prints a line each; after list_nft_tables.
conflicting_rules() {
  # Mostly there is no table but ours.
  if have nft && [ "$nft_tables" != 'table inet ssh_only_firewall' ]; then
    # Without the members of other people's sets, of which there may be very many.
    { nft -t list ruleset 2>/dev/null || nft list ruleset 2>/dev/null; } | awk -v port="$1" "$awk_nftables_conflicts"
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
