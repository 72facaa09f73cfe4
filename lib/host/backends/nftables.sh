# The nftables backend: one table of our own, replaced or deleted in one transaction. No other table is touched.

nftables_each_text() { "$1" nftables "$SSH_ONLY_NFTABLES"; }

nftables_accepts_ruleset() {
  chosen_variant='' chosen_families=''
  have nft || { why_not='nft is not installed.' && return 1; }
  why_not=$(printf '%s' "$SSH_ONLY_NFTABLES" | nft -c -f - 2>&1) || {
    why_not="nft does not take the ruleset: $why_not"
    return 1
  }
}

nftables_can_load() { nft -c -f - <"$rec_dir/nftables" 2>&1; }

# In one transaction: the ruleset, and the copy that proves it; if the record has a listing, without the copy that a killed
# lock may have left.
nftables_load() {
  { cat "$rec_dir/nftables" && if [ -f "$rec_dir/listing" ]; then nftables_delete_copy; else nftables_copy; fi; } | nft -f -
}

# Prints the same ruleset under another name and without hooks, so that it decides nothing.
nftables_copy() {
  sed -e '/^[[:space:]]*type filter hook/d' -e 's/ssh_only_firewall/ssh_only_firewall_check/g' "$rec_dir/nftables"
}

# Prints commands. The first names the table, so that the deletion succeeds also when it is already gone.
nftables_delete_copy() { printf '%s table inet ssh_only_firewall_check\n' '' delete; }

# The table has one name, whoever has loaded it.
nftables_unload_unrecorded() {
  [ "$1" = nftables ] || ! have nft || {
    printf '%s table inet ssh_only_firewall\n' '' delete
    nftables_delete_copy
  } | nft -f -
}

# The table is gone by then, if there is nft.
nftables_unload() { have nft; }

nftables_is_live() { have nft && nft list table inet ssh_only_firewall >/dev/null 2>&1; }

# nftables_list TABLE: as the kernel has it. Without the members of sets, where this nft can leave them out.
nftables_list() { nft -t list table inet "$1" 2>/dev/null || nft list table inet "$1" 2>/dev/null; }

# Standard input, of nftables_list, without what changes by itself: counters, and the members of dynamic sets.
# nftables_listing FILE: 0 if that is what FILE has.
nftables_listing() { awk -v file="${1-}" "$awk_nftables_listing"; }

# Sets table, for nftables_has_new_counts; and live, the listing, where it is not proven.
nftables_is_proven() {
  live=''
  table=$(nftables_list ssh_only_firewall) || return 1
  [ ! -f "$rec_dir/listing" ] || ! printf '%s\n' "$table" | nftables_listing "$rec_dir/listing" || return 0
  live=$(printf '%s\n' "$table" | nftables_listing)
  return 1
}

# shellcheck disable=SC2086 # a list
nftables_is_sealed_at_a_glance() {
  [ -f "$rec_dir/sealed" ] && [ -f "$rec_dir/listing" ] && nft -t list table inet ssh_only_firewall 2>/dev/null |
    (cd "$rec_dir" && exec awk -v file=listing -v sealed=sealed "$awk_nftables_listing" - meta $ruleset_files) 2>/dev/null
}

# The same nft prints the table and the copy, which have to be equal.
nftables_matches() {
  ! nftables_is_proven || return 0
  [ -n "$live" ] || return 1
  copy=$(nftables_list ssh_only_firewall_check) || {
    nftables_copy | nft -f - || return 1
    copy=$(nftables_list ssh_only_firewall_check) || return 1
  }
  given=$(printf '%s\n' "$copy" | nftables_listing)
  nft delete table inet ssh_only_firewall_check
  nftables_split_hooks
  [ "$hooks" = ' input output forward' ] && [ "$body" = "$given
" ] || return 1
  write_file "$rec_dir/listing" "$live"
}

# Sets hooks and body: live, without the lines of its hooks, which the copy does not have.
nftables_split_hooks() {
  otherwise=drop
  [ "$rec_mode" != observe ] || otherwise=accept
  hooks='' body=''
  while IFS= read -r line; do
    case $line in
      ' type filter hook '*" priority; policy $otherwise;" | ' type filter hook '*" priority; policy $otherwise; ")
        line=${line#' type filter hook '}
        hooks="$hooks ${line%% *}"
        ;;
      *) body="$body$line
" ;;
    esac
  done <<LIVE
$live
LIVE
}

nftables_print_counts() {
  have nft && table=$(nft -n list table inet ssh_only_firewall 2>/dev/null) || return 1
  printf '%s\n' "$table" | awk "$awk_nftables_counts"
}

# Something was denied since the last look. Sets looked_up, as long as nothing was.
nftables_has_new_counts() {
  counts=$(printf '%s\n' "$table" | sed -n 's/.*counter packets \([0-9]*\) .* comment "denied.*/\1/p')
  if [ "$counts" = "${counts_before-}" ]; then
    looked_up=$seen_up
    return 1
  fi
  # A host that only observes counts all the time, and to read its sets takes long.
  [ "$rec_mode" != observe ] || [ $((round % 12)) -eq 0 ] || return 1
  counts_before=$counts
}

nftables_counts_peers() { :; }
