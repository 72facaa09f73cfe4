# The nftables backend: one table of our own, replaced or deleted in one transaction. No other table is touched.

nftables_each_text() { "$1" nftables "$SSH_ONLY_NFTABLES"; }

nftables_accepts_ruleset() {
  chosen_variant='' chosen_families=''
  have nft || { why_not='nft is not installed.' && return 1; }
  # Once more: iptables would leave its own tables behind, and is not taken because of what passes.
  why_not=$(printf '%s' "$SSH_ONLY_NFTABLES" | nft -c -f - 2>&1) || why_not=$(printf '%s' "$SSH_ONLY_NFTABLES" | nft -c -f - 2>&1) || {
    why_not="nft does not take the ruleset: ${why_not:-it ended without a message.}"
    return 1
  }
}

nftables_can_load() { nft -c -f - <"$rec_dir/nftables" 2>&1; }

# In one transaction: the ruleset, and the copy that proves it; if the record has a listing, without the copy that a killed
# lock may have left.
nftables_load() {
  forget_proven
  { cat "$rec_dir/nftables" && if [ -f "$rec_dir/listing" ]; then nftables_delete_copy; else nftables_copy; fi; } | nft -f -
}

# Prints the same ruleset under another name and without hooks, so that it decides nothing.
nftables_copy() {
  sed -e '/^[[:space:]]*type filter hook/d' -e 's/ssh_only_firewall/ssh_only_firewall_check/g' "$rec_dir/nftables"
}

# Prints commands. The first names the table, so that the deletion succeeds also when it is already gone.
nftables_delete_copy() { printf '%s table inet ssh_only_firewall_check\n' '' delete; }

nftables_delete() {
  printf '%s table inet ssh_only_firewall\n' '' delete
  nftables_delete_copy
}

# Commands that need no look at what there is, for an nft that ends by SIGSEGV at each look: old ones do at the sets of new ones.
nftables_disarm() {
  printf 'flush table inet ssh_only_firewall\n'
  printf 'chain inet ssh_only_firewall %s { policy accept; }\n' input output forward
}

# Removes our table; or where this nft cannot, leaves it without rules, and open.
nftables_remove() {
  nftables_delete | nft -f - && return 0
  nftables_disarm | nft -f - && log 'nft cannot delete the table of this program: it has no rules any more, and accepts everything'
}

# The table has one name, whoever has loaded it. Where nft does not work, the table is not there, unless a record has it.
nftables_unload_unrecorded() {
  nft_gone=''
  [ "$1" = nftables ] || ! have nft || ! nftables_remove 2>/dev/null || nft_gone=yes
}

nftables_unload() { [ -n "${nft_gone-}" ] || { have nft && nftables_remove; }; }

nftables_is_live() { have nft && nft -t list table inet ssh_only_firewall >/dev/null 2>&1; }

nftables_can_list() { nft list tables >/dev/null 2>&1; }

# nftables_list TABLE: sets listed, as the kernel has it, with the numbers by which it knows each rule. Without the members of sets,
# where this nft can leave them out.
nftables_list() {
  listed=$(nft -t -a list table inet "$1" 2>/dev/null) || listed=$(nft -a list table inet "$1" 2>/dev/null)
}

# Sets words: listed, without what changes by itself: counters, and the members of dynamic sets.
nftables_find_words() { words=$(printf '%s\n' "$listed" | awk -v file='' "$awk_nftables_listing"); }

# Sets table, for nftables_has_new_counts; and live, the listing, where it is not proven.
nftables_is_proven() {
  live=''
  nftables_list ssh_only_firewall || return 1
  table=$listed
  if [ -f "$rec_dir/listing" ] && printf '%s\n' "$table" | awk -v file="$rec_dir/listing" "$awk_nftables_listing"; then
    [ -s "$proven" ] || nftables_remember
    return 0
  fi
  ! nftables_is_same || return 0
  nftables_find_words
  live=$words
  return 1
}

# nftables_find_numbers TABLE: sets numbers, what the kernel calls the table and all that is in it: it gives no number twice, and a
# rule that is changed gets another one. And sets hooks, what can be changed without another number.
nftables_find_numbers() {
  numbers='' hooks=''
  while IFS= read -r line; do
    case $line in *' # handle '*) numbers="$numbers${line##* # handle } " ;; esac
    case $line in
      *'type filter hook '*)
        line=${line#*type filter hook }
        hooks="$hooks${line%% *} ${line##*policy } "
        ;;
      *flags*dormant*) hooks="$hooks dormant" ;;
    esac
  done <<TABLE
$1
TABLE
}

# Sets identity, of the table: rules with the same identity are the same rules, in whatever words a tool lists them.
nftables_find_identity() {
  nftables_find_numbers "$table"
  read_boot_id
  identity="$boot_id ${rec_dir##*/} $numbers$hooks"
}

nftables_remember() {
  nftables_find_identity
  { printf '%s\n' "$identity" >"$proven"; } 2>/dev/null || :
}

# 0 if the live rules are those that were proven last.
nftables_is_same() {
  [ -s "$proven" ] || return 1
  nftables_find_identity
  [ -n "$numbers" ] && read -r known <"$proven" && [ "$known" = "$identity" ]
}

# shellcheck disable=SC2086 # a list
nftables_is_sealed_at_a_glance() {
  [ -f "$rec_dir/sealed" ] && [ -f "$rec_dir/listing" ] && nft -t list table inet ssh_only_firewall 2>/dev/null |
    (cd "$rec_dir" && exec awk -v file=listing -v sealed=sealed "$awk_nftables_listing" - meta $ruleset_files) 2>/dev/null
}

# The same nft prints the table and the copy, which have to be equal: in words; or, where those say more than the rules, in the
# numbers that one transaction gave to both.
nftables_matches() {
  ! nftables_is_proven || return 0
  [ -n "$live" ] || return 1
  loaded=together
  nftables_list ssh_only_firewall_check || {
    loaded=apart
    nftables_copy | nft -f - || return 1
    nftables_list ssh_only_firewall_check || return 1
  }
  copy=$listed
  nftables_find_words
  given=$words
  nft delete table inet ssh_only_firewall_check
  nftables_is_copy || return 1
  nftables_remember
  # Only the words: on a full or read-only disk, what was proven stands in $proven.
  write_file "$rec_dir/listing" "$live" 2>/dev/null || :
}

nftables_is_copy() {
  nftables_split_hooks
  [ "$hooks" = ' input output forward' ] || return 1
  [ "$body" != "$given
" ] || return 0
  [ "$loaded" = together ] || return 1
  nftables_find_numbers "$copy"
  first=${numbers%% *} rest=${numbers#* }
  nftables_find_numbers "$table"
  # The table of the copy was made next; and once before, for its deletion.
  [ -n "$first" ] && [ "$rest" = "${numbers#* }" ] && [ "$((first - ${numbers%% *}))" -ge 1 ] && [ "$((first - ${numbers%% *}))" -le 2 ]
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
      *flags*dormant*) return 0 ;;
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
