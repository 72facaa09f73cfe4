# The nftables backend: one own table, replaced or deleted in one transaction; no other table is touched.

# nft_usable: 0 where nft takes the ruleset; else why_not says why.
nft_usable() {
  have nft || { why_not='nft is not installed.' && return 1; }
  why_not=$(printf '%s' "$SSH_ONLY_NFTABLES" | nft -c -f - 2>&1) || {
    why_not="nft does not take the ruleset: $why_not"
    return 1
  }
}

# nft_load DIR: in one transaction, and with it, if that record's listing is not known yet, the copy that proves it; else
# without the copy that a lock which was killed may have left.
nft_load() {
  { cat "$1/nftables" && if [ -f "$1/listing" ]; then nft_no_copy; else nft_copy "$1"; fi; } | nft -f -
}

# nft_copy DIR: the same ruleset under another name and without hooks, so that it decides nothing.
nft_copy() {
  sed -e '/^[[:space:]]*type filter hook/d' -e 's/ssh_only_firewall/ssh_only_firewall_check/g' "$1/nftables"
}

# Sets nft_tables: a line "table FAMILY NAME" for each that the kernel has, but for the copy that proves a load; empty where
# there is no nft. It reads the members of all sets for that, where this nft cannot leave them out.
list_nft_tables() {
  nft_tables=''
  ! have nft || nft_tables=$(nft -t list tables 2>/dev/null || nft list tables 2>/dev/null) || :
  nft_tables=${nft_tables%"
table inet ssh_only_firewall_check"}
}

# nft_has WORDS: 0 if they begin a line of nft_tables.
nft_has() {
  case "
$nft_tables
" in
    *"
$1"*) return 0 ;;
  esac
  return 1
}

nft_is_live() { have nft && nft list table inet ssh_only_firewall >/dev/null 2>&1; }

# Naming a table before deleting it makes the deletion succeed also when it is already gone.
nft_no_copy() { printf '%s table inet ssh_only_firewall_check\n' '' delete; }

nft_unload() {
  { printf '%s table inet ssh_only_firewall\n' '' delete && nft_no_copy; } | nft -f -
}

# nft_table TABLE: as the kernel has it, if it has. Without the members of sets, where this nft can leave them out.
nft_table() { nft -t list table inet "$1" 2>/dev/null || nft list table inet "$1" 2>/dev/null; }

# nft_listing: standard input, of nft_table, without what changes by itself: counters, and what dynamic sets have learnt.
# Base chains read the same whatever name this nft gives to the priority.
# nft_listing FILE: 0 if that is what FILE has.
nft_listing() { awk -v file="${1-}" "$nft_listing"; }

# As a program for awk. What it reads behind standard input is to be, as it is, what the file sealed has.
# shellcheck disable=SC2016 # of awk, not of the shell
nft_listing='
  function out(line) {
    if (file == "") print line
    else if ((getline known < file) < 1 || known != line) exit differs = 1
  }
  FNR < NR && file != sealed { if ((getline known < file) > 0) exit differs = 1; file = sealed }
  FNR < NR { out($0); next }
  skipping { if (/}/) skipping = 0; next }
  /^[ \t]*elements = [{]/ { if (!/}/) skipping = 1; next }
  /^[ \t]*type filter hook/ { sub(/priority .*; policy/, "priority; policy") }
  { gsub(/packets [0-9]+ bytes [0-9]+/, ""); gsub(/[ \t]+/, " "); sub(/ssh_only_firewall_check/, "ssh_only_firewall"); out($0) }
  END { exit differs || (file != "" && (getline known < file) > 0) }'

# nft_is_proven DIR: 0 if the live table still looks as it did when nft_matches has proven it. Sets table, and live where not.
nft_is_proven() {
  live=''
  table=$(nft_table ssh_only_firewall) || return 1
  [ ! -f "$1/listing" ] || ! printf '%s\n' "$table" | nft_listing "$1/listing" || return 0
  live=$(printf '%s\n' "$table" | nft_listing)
  return 1
}

# nft_is_proven_and_sealed DIR: 0 if so, and the record is sealed (boot.sh); 1 does not mean that it is not.
nft_is_proven_and_sealed() {
  [ -f "$1/sealed" ] && [ -f "$1/listing" ] && nft -t list table inet ssh_only_firewall 2>/dev/null |
    awk -v file="$1/listing" -v sealed="$1/sealed" "$nft_listing" - "$1/meta" "$1/nftables" "$1/iptables" "$1/ip6tables" 2>/dev/null
}

# nft_matches DIR: 0 if the live table is the ruleset of that record. For the proof the same nft prints the table and the
# copy; then the listing is kept, and the next comparison only reads.
nft_matches() {
  ! nft_is_proven "$1" || return 0
  [ -n "$live" ] || return 1
  copy=$(nft_table ssh_only_firewall_check) || {
    nft_copy "$1" | nft -f - || return 1
    copy=$(nft_table ssh_only_firewall_check) || return 1
  }
  given=$(printf '%s\n' "$copy" | nft_listing)
  nft delete table inet ssh_only_firewall_check
  # The copy has no hooks.
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
  [ "$hooks" = ' input output forward' ] && [ "$body" = "$given
" ] || return 1
  write_file "$1/listing" "$live"
}
