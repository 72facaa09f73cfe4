# The firewalls of others. A packet has to pass all of them: what they drop stays dropped, whatever ours accepts. Nothing
# of theirs is touched.

# others_filters: "FAMILY VARIANT" of the iptables filter tables that may exist, but for those of the record that was read, in
# which our chains are first anyway; after list_nft_tables. Looking must not create one.
others_filters() {
  legacy=''
  ! have iptables-legacy-save || legacy=-legacy
  for family in iptables ip6tables; do
    protocol=ip
    [ "$family" = iptables ] || protocol=ip6
    if is_other -nft && nft_filter_may_exist "$family" "$protocol"; then printf '%s %s\n' "$family" -nft; fi
    if is_other "$legacy" && have "$family$legacy-save" && legacy_table "$protocol" filter; then
      printf '%s %s\n' "$family" "$legacy"
    fi
  done
}

# is_other VARIANT: 0 unless the record that was read has its chains in those tables anyway.
is_other() { [ "iptables$1" != "$rec_backend$rec_variant" ]; }

# nft_filter_may_exist FAMILY PROTOCOL, after list_nft_tables. Where there is no nft, iptables-nft-save of a table that is not
# there shows an empty one.
nft_filter_may_exist() {
  have "$1-nft-save" || return 1
  ! have nft || nft_has "table $2 filter
"
}

# filter_drops FAMILY VARIANT: 0 if that filter table drops whatever its rules do not accept, and does not ask ours first.
# Rules that name SSH may be gone tomorrow, and the policy is what stays after a flush.
filter_drops() {
  "$1$2-save" -t filter 2>/dev/null | awk '
    /^:(INPUT|OUTPUT) DROP/ { drops[substr($1, 2)] = 1 }
    $1 == "-A" && !($2 in first) { first[$2] = $3 $4 }
    /^-A (INPUT|OUTPUT) -j (DROP|REJECT)/ { drops[$2] = 1 }
    END {
      for (chain in drops) if (first[chain] !~ /^-jSSH_ONLY_/) found = 1
      exit !found
    }'
}

others_drop() {
  [ "$rec_mode" != observe ] && [ -s "$rec_dir/iptables" ] || return 1
  list_nft_tables
  others_filters | (
    while read -r family variant; do ! filter_drops "$family" "$variant" || exit 0; done
    exit 1
  )
}

# stand_beside: our chains also in those filter tables, from the iptables ruleset of the record that was read, so that SSH
# passes there too. They stay until unlock, and $STATE/beside names them. What only observes lets nothing past the rules of
# others.
stand_beside() {
  [ -s "$rec_dir/iptables" ] && [ "$rec_mode" != observe ] || {
    leave_beside
    return
  }
  list_nft_tables
  beside=$(
    [ ! -f "$STATE/beside" ] || while read -r family variant; do
      ! is_other "$variant" || printf '%s %s\n' "$family" "$variant"
    done <"$STATE/beside"
    others_filters | while read -r family variant; do
      ! filter_drops "$family" "$variant" || printf '%s %s\n' "$family" "$variant"
    done
  )
  [ -n "$beside" ] || {
    [ ! -f "$STATE/beside" ] || rm -f "$STATE/beside"
    return 0
  }
  beside=$(printf '%s\n' "$beside" | sort -u)
  # A disk that is full must not keep SSH out: unlock finds the chains also where no file names them.
  write_file "$STATE/beside" "$beside
" 2>/dev/null || :
  printf '%s\n' "$beside" | while read -r family variant; do
    ipt_use "$variant" "$family"
    ipt_load "$rec_dir" no-copy || exit 1
  done
}

# is_beside VARIANT: 0 if stand_beside has put our chains there.
is_beside() { [ -f "$STATE/beside" ] && grep -qx "[^ ]* $1" "$STATE/beside"; }

# leave_beside: takes them out again.
leave_beside() {
  [ -f "$STATE/beside" ] || return 0
  while read -r family variant; do
    ipt_use "$variant" "$family"
    ipt_unload || return 1
  done <"$STATE/beside"
  rm -f "$STATE/beside"
}

# firewalld in panic mode drops everything before any rule can accept it. Only firewalld itself can end that.
end_panic() {
  have firewall-cmd && have busctl || return 0
  [ "$(ask_firewalld queryPanicMode 2>/dev/null)" = 'b true' ] || return 0
  ask_firewalld disablePanicMode >/dev/null 2>&1 && log 'firewalld was in panic mode, which cuts SSH: it was asked to leave it'
}

ask_firewalld() {
  busctl --auto-start=no --timeout=3 call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 \
    org.fedoraproject.FirewallD1 "$1"
}
