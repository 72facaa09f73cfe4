# Our chains in the filter tables of iptables: how they are seen and removed, also beside rules that iptables cannot read.

# iptables_dump FAMILY: sets dump, the filter table as iptables-save prints it, and seen to `all`. Where it cannot, because nft has
# put a rule there that is not one of iptables, only to what is ours, and seen to `ours`.
iptables_dump() {
  seen=all readable=yes
  dump=$("$1$ipt_variant-save" -t filter 2>/dev/null) || readable=''
  case $readable$dump in yes*:INPUT\ *) return 0 ;; esac
  seen=ours
  dump=$(iptables_dump_ours "$1")
  [ -n "$readable$dump" ]
}

iptables_dump_ours() {
  for chain in IN OUT FWD; do
    for whose in ONLY CHECK; do "$1$ipt_variant" -S "SSH_${whose}_$chain" 2>/dev/null | sed 's/^-N \(.*\)/:\1 - [0:0]/'; done
  done
  iptables_jump_pairs | while read -r from chain; do
    "$1$ipt_variant" -C "$from" -j "SSH_ONLY_$chain" 2>/dev/null >&2 || continue
    iptables_comes_first "${1%tables}" "$from" || printf '%s %s -j OTHER\n' -A "$from"
    printf '%s %s -j SSH_ONLY_%s\n' -A "$from" "$chain"
  done
}

iptables_jump_pairs() { printf '%s\n' 'INPUT IN' 'OUTPUT OUT' 'FORWARD FWD'; }

# iptables_comes_first PROTOCOL CHAIN: as far as nft shows.
iptables_comes_first() {
  ! have nft || nft -t list chain "$1" filter "$2" 2>/dev/null | awk '
    found { exit }
    / hook / { hooked = 1; next }
    hooked { found = 1; other = !/ jump SSH_ONLY_/ }
    END { exit other }'
}

# iptables_remove FAMILY NAMES: removes the chains SSH_NAMES_... (ONLY, CHECK, or ONLY|CHECK) and every jump to them, in one
# transaction; or where that cannot be, step by step.
iptables_remove() {
  if iptables_dump "$1"; then iptables_remove_from_dump "$1" "$2"; else iptables_remove_unseen "$1" "$2"; fi
}

# The same, after iptables_dump.
iptables_remove_from_dump() {
  removal=$(printf '%s\n' "$dump" | awk -v ours="^SSH_($2)_" '
    $1 == "-A" && $(NF - 1) ~ /^-[jg]$/ && $NF ~ ours { sub(/^-A/, "-D"); print }
    /^:/ && substr($1, 2) ~ ours { name = substr($1, 2); flush = flush "-F " name "\n"; drop = drop "-X " name "\n" }
    END { printf "%s%s", flush, drop }')
  [ -n "$removal" ] || return 0
  # Where that fails, the other way says what is wrong.
  [ "$seen" = all ] && printf '*filter\n%s\nCOMMIT\n' "$removal" | iptables_restore "$1" 2>/dev/null || iptables_remove_unseen "$1" "$2"
}

# Without a look at what is there: a chain that is declared is empty from then on, and decides nothing.
iptables_remove_unseen() {
  iptables_find_wait
  for whose in ONLY CHECK; do
    case $2 in *"$whose"*) ;; *) continue ;; esac
    iptables_for_chains "$whose" ':SSH_%s_%s - [0:0]\n' | iptables_restore "$1" || return 1
    iptables_jump_pairs | while read -r from chain; do
      jumps=0
      while [ "$jumps" -lt 50 ] &&
        printf '*filter\n%s %s -j SSH_%s_%s\nCOMMIT\n' -D "$from" "$whose" "$chain" | iptables_restore "$1" 2>/dev/null; do
        jumps=$((jumps + 1))
      done
    done
    iptables_for_chains "$whose" '-X SSH_%s_%s\n' | iptables_restore "$1" 2>/dev/null ||
      log "the chains SSH_${whose}_* of $1 cannot be deleted, because something refers to them: they are empty"
  done
}

# iptables_for_chains WHOSE FORMAT
iptables_for_chains() {
  printf '*filter\n'
  # shellcheck disable=SC2059 # a format
  for chain in IN OUT FWD; do printf -- "$2" "$1" "$chain"; done
  printf 'COMMIT\n'
}
