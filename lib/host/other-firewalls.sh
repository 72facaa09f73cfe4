# Other firewalls. A packet has to pass all of them: what they drop stays dropped, whatever our rules accept. Their own rules
# are never touched.

# Names the iptables filter tables of other firewalls that have our chains: FAMILY VARIANT, a line each.
other_tables=$STATE/beside

# Sets nft_tables: a line "table FAMILY NAME" for each that the kernel has, but for the copy that proves a load; empty without
# nft. Where this nft cannot leave the members of sets out, it reads all of them for that.
list_nft_tables() {
  nft_tables=''
  ! have nft || nft_tables=$(nft -t list tables 2>/dev/null || nft list tables 2>/dev/null) || :
  nft_tables=${nft_tables%"
table inet ssh_only_firewall_check"}
}

# has_nft_table WORDS: 0 if a line of nft_tables begins with them.
has_nft_table() {
  case "
$nft_tables
" in
    *"
$1"*) return 0 ;;
  esac
  return 1
}

# Prints "FAMILY VARIANT" of the iptables filter tables that may exist, but for those of the record, where our chains come first
# anyway; after list_nft_tables. Looking creates no table.
other_filter_tables() {
  legacy=''
  ! have iptables-legacy-save || legacy=-legacy
  for family in iptables ip6tables; do
    protocol=${family%tables}
    if is_other -nft && nft_filter_table_may_exist; then printf '%s %s\n' "$family" -nft; fi
    if is_other "$legacy" && have "$family$legacy-save" && legacy_table "$protocol" filter; then
      printf '%s %s\n' "$family" "$legacy"
    fi
  done
}

# is_other VARIANT: 0 unless the record has its chains in those tables anyway.
is_other() { [ "iptables$1" != "$rec_backend$rec_variant" ]; }

# Of the family and its protocol. Without nft nobody knows: iptables-nft-save of a table that does not exist shows an empty one.
nft_filter_table_may_exist() {
  have "$family-nft-save" || return 1
  ! have nft || has_nft_table "table $protocol filter
"
}

# filter_drops FAMILY VARIANT: 0 if that filter table drops whatever its rules do not accept, and does not ask our chains first.
# Rules that name SSH do not count: they may be gone tomorrow, while the policy stays after a flush.
filter_drops() { "$1$2-save" -t filter 2>/dev/null | awk "$awk_iptables_drops"; }

other_firewall_drops() {
  [ "$rec_mode" != observe ] && [ -s "$rec_dir/iptables" ] || return 1
  list_nft_tables
  other_filter_tables | (
    while read -r family variant; do ! filter_drops "$family" "$variant" || exit 0; done
    exit 1
  )
}

# Puts our chains also into the filter tables that drop, from the iptables texts of the record, so that SSH passes there too.
# They stay until unlock. A host that only observes lets nothing past other firewalls.
join_other_tables() {
  [ -s "$rec_dir/iptables" ] && [ "$rec_mode" != observe ] || {
    leave_other_tables
    return
  }
  list_nft_tables
  joined=$(
    [ ! -f "$other_tables" ] || while read -r family variant; do
      ! is_other "$variant" || printf '%s %s\n' "$family" "$variant"
    done <"$other_tables"
    other_filter_tables | while read -r family variant; do
      ! filter_drops "$family" "$variant" || printf '%s %s\n' "$family" "$variant"
    done
  )
  [ -n "$joined" ] || {
    [ ! -f "$other_tables" ] || rm -f "$other_tables"
    return 0
  }
  joined=$(printf '%s\n' "$joined" | sort -u)
  # A full disk must not cut SSH: unlock finds the chains also where no file names them.
  write_file "$other_tables" "$joined
" 2>/dev/null || :
  printf '%s\n' "$joined" | while read -r family variant; do
    iptables_use "$variant" "$family"
    iptables_fill no || exit 1
  done
}

# is_in_other_tables VARIANT: 0 if join_other_tables has put our chains there.
is_in_other_tables() { [ -f "$other_tables" ] && grep -qx "[^ ]* $1" "$other_tables"; }

leave_other_tables() {
  [ -f "$other_tables" ] || return 0
  while read -r family variant; do
    iptables_use "$variant" "$family"
    iptables_remove_all || return 1
  done <"$other_tables"
  # On a read-only disk it stays, and names nothing any more.
  rm -f "$other_tables" 2>/dev/null || :
}

# firewalld in panic mode drops everything before any rule can accept it. Only firewalld itself can end that.
end_panic() {
  have firewall-cmd && have busctl || return 0
  [ "$(ask_firewalld queryPanicMode 2>/dev/null)" = 'b true' ] || return 0
  ask_firewalld disablePanicMode >/dev/null 2>&1 && log 'firewalld was in panic mode, which cuts SSH: it was asked to end it'
}

ask_firewalld() {
  busctl --auto-start=no --timeout=3 call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 \
    org.fedoraproject.FirewallD1 "$1"
}
