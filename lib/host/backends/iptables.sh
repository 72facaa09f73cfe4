# The iptables backend: chains of our own in the filter table, for IPv4 and IPv6, with a jump to each as the first rule.
# Loaded by iptables-restore --noflush, so that nobody else's rule is touched.

iptables_each_text() {
  "$1" iptables "$SSH_ONLY_IPTABLES"
  "$1" ip6tables "$SSH_ONLY_IP6TABLES"
}

# iptables_use VARIANT [FAMILIES]: chooses the commands: iptables-restore, iptables-nft-restore or iptables-legacy-restore; and
# the families. A record keeps both, because the distribution's alternatives and the kernel's modules may change.
iptables_use() {
  [ "$1" = "${ipt_variant-}" ] || ipt_wait=''
  ipt_variant=$1
  ipt_families=${2-}
  [ -z "$ipt_families" ] || return 0
  ipt_families=iptables
  # Without IPv6 in the kernel there is nothing to close.
  [ ! -e /proc/net/if_inet6 ] || ipt_families='iptables ip6tables'
}

iptables_use_record() { iptables_use "$rec_variant" "$rec_families"; }

iptables_find_variant() {
  iptables_use ''
  case $(iptables -V 2>/dev/null) in
    *nf_tables*) ! have iptables-nft-restore || iptables_use -nft ;;
    *legacy*) ! have iptables-legacy-restore || iptables_use -legacy ;;
  esac
}

# The record may be older than the tools. Before 1.8 they had no variants, and all tables were those that are called legacy now.
iptables_rename_variant() {
  [ "$rec_backend" = iptables ] || return 0
  if [ -z "$rec_variant" ]; then
    ! have iptables-legacy-restore || rec_variant=-legacy
  elif ! have "iptables$rec_variant-restore" && have iptables-restore; then
    case $rec_variant:$(iptables -V 2>/dev/null) in
      -nft:*nf_tables*) rec_variant='' ;;
      -nft:* | *:*nf_tables*) ;;
      *) rec_variant='' ;;
    esac
  fi
}

# Sets ipt_wait. Features are probed, never versions: old releases have no --wait, and one waits for ever without it.
iptables_find_wait() {
  [ -z "${ipt_wait-}" ] || return 0
  ipt_wait=none
  [ "$ipt_variant" = -nft ] || help=$("iptables$ipt_variant-restore" --help </dev/null 2>&1) || :
  case $ipt_variant:${help-} in
    -nft:* | *--wait*) ipt_wait=own ;;
    *) ! timeout 5 true >/dev/null 2>&1 || ipt_wait=timeout ;;
  esac
}

# iptables_restore FAMILY [--test]: loads standard input into the kernel, or only reads it. Fails when another program holds
# the xtables lock for 10 s. Call iptables_find_wait before: behind a pipe, what it finds would be lost.
iptables_restore() {
  iptables_find_wait
  # shellcheck disable=SC2086 # no words, or some
  case $ipt_wait in
    own) $apart "$1$ipt_variant-restore" -w 10 --noflush ${2:+"$2"} ;;
    timeout) $apart timeout 10 "$1$ipt_variant-restore" --noflush ${2:+"$2"} ;;
    *) $apart "$1$ipt_variant-restore" --noflush ${2:+"$2"} ;;
  esac
}

iptables_can_load() {
  iptables_use_record
  for family in $ipt_families; do
    iptables_restore "$family" --test <"$rec_dir/$family" 2>&1 || return 1
  done
}

iptables_accepts_ruleset() {
  iptables_find_variant
  preferred=$ipt_variant refusal=''
  for variant in "$preferred" -nft -legacy; do
    [ -z "$refusal" ] || { [ "$variant" != "$preferred" ] && have "iptables$variant-restore"; } || continue
    iptables_use "$variant"
    chosen_variant=$ipt_variant chosen_families=$ipt_families
    ! iptables_variant_accepts || return 0
    refusal=${refusal:-$why_not}
    # What is only busy is the one to use; and where a variant works, it is the ruleset that is refused. To ask iptables-legacy makes
    # an empty table.
    [ -z "$busy" ] && ! iptables_variant_works || break
  done
  why_not=$refusal
  return 1
}

iptables_variant_works() {
  for family in $ipt_families; do
    have "$family$ipt_variant-restore" && printf '*filter\nCOMMIT\n' | iptables_restore "$family" --test >/dev/null 2>&1 || return 1
  done
}

iptables_variant_accepts() {
  busy=''
  for family in $ipt_families; do
    have "$family$ipt_variant-restore" || {
      why_not="$family-restore is not installed."
      [ "$family" = iptables ] || why_not="$family-restore is not installed, and this kernel has IPv6, which would stay open: install it (package iptables, on old releases iptables-ipv6), or start the kernel with ipv6.disable=1."
      return 1
    }
    iptables_find_wait
    text=$SSH_ONLY_IPTABLES
    [ "$family" = iptables ] || text=$SSH_ONLY_IP6TABLES
    why_not=$(printf '%s' "$text" | iptables_restore "$family" --test 2>&1) || {
      case $why_not in
        '' | *' xtables lock'*)
          busy=yes
          why_not="Another program holds the lock of iptables, /run/xtables.lock: try again when it has ended. $family-restore reports: $why_not"
          ;;
        *) why_not="$family-restore does not take the ruleset: $why_not" ;;
      esac
      return 1
    }
  done
}

iptables_load() {
  forget_proven
  iptables_use_record
  iptables_fill yes
}

# iptables_fill COPY: fills the chains, then moves the jumps to the first place, unless they are there already: an update leaves
# them, so that there is no gap. With COPY yes, and as long as the record has no listing, with the copy that proves the chains;
# else without any.
iptables_fill() {
  iptables_find_wait
  with_copy=$1
  [ ! -f "$rec_dir/listing" ] || with_copy=no
  for family in $ipt_families; do
    iptables_dump "$family" || return 1
    jumps=$(printf '%s\n' "$dump" | awk "$awk_iptables_jumps")
    {
      cat "$rec_dir/$family"
      [ "$with_copy" = no ] || iptables_copy
      [ -z "$jumps" ] || printf '*filter\n%s\nCOMMIT\n' "$jumps"
    } | iptables_restore "$family" || return 1
    [ "$with_copy" = yes ] || iptables_remove "$family" CHECK || return 1
  done
}

# Prints the chains of the family under other names, to which nothing jumps.
iptables_copy() { sed 's/SSH_ONLY_/SSH_CHECK_/g' "$rec_dir/$family"; }

iptables_remove_all() {
  for family in $ipt_families; do
    iptables_remove "$family" 'ONLY|CHECK' || return 1
  done
}

iptables_unload() {
  ! is_in_other_tables "$rec_variant" || return 0
  iptables_use_record
  iptables_remove_all
}

# Looking creates no table.
iptables_unload_unrecorded() {
  [ "$1" = nothing ] || return 0
  leave_other_tables || return 1
  read_record ''
  list_nft_tables
  other_filter_tables | while read -r family variant; do
    iptables_use "$variant" "$family"
    iptables_dump "$family" || continue
    iptables_remove_from_dump "$family" 'ONLY|CHECK' || exit 1
  done
}

iptables_is_live() {
  iptables_use_record
  for family in $ipt_families; do
    have "$family$ipt_variant-save" || continue
    iptables_dump "$family" || continue
    case $dump in *:SSH_ONLY_*) return 0 ;; esac
  done
  return 1
}

# Sets all, as the listing of a record has it; empty where a jump does not come first.
iptables_is_proven() {
  iptables_use_record
  all=''
  for family in $ipt_families; do
    iptables_dump "$family" || dump=''
    live=$(printf '%s\n' "$dump" | awk "$awk_iptables_chains") || [ $? -ne 1 ] || {
      all=''
      return 1
    }
    all="$all$family:
$live
"
  done
  [ -f "$rec_dir/listing" ] && [ "${all%?}" = "$(cat "$rec_dir/listing")" ] || iptables_is_same
}

# 0 if that is what was proven last.
iptables_is_same() {
  [ -s "$proven" ] || return 1
  read_boot_id
  [ "$(cat "$proven")" = "$boot_id ${rec_dir##*/}
${all%?}" ]
}

iptables_can_list() {
  iptables_use_record
  for family in $ipt_families; do
    "$family$ipt_variant-save" -t filter >/dev/null 2>&1 || return 1
  done
}

# Nothing is quicker than is_proven.
iptables_is_sealed_at_a_glance() { return 1; }

iptables_matches() {
  iptables_use_record
  { [ ! -f "$rec_dir/listing" ] && [ ! -s "$proven" ]; } || ! iptables_is_proven || return 0
  all=''
  for family in $ipt_families; do
    iptables_prove || return 1
    all="$all$family:
$live
"
  done
  write_file "$rec_dir/listing" "${all%?}" 2>/dev/null || {
    # Of a full or read-only disk.
    read_boot_id
    { printf '%s\n' "$boot_id ${rec_dir##*/}
${all%?}" >"$proven"; } 2>/dev/null
  }
}

# 0 if the jumps of the family come first and its chains look like the copy, which is made if it is not there, and removed.
# Sets live.
iptables_prove() {
  for try in 1 2; do
    iptables_dump "$family" || return 1
    looks=0
    live=$(printf '%s\n' "$dump" | awk "$awk_iptables_chains") || looks=$?
    [ "$looks:$try" = 2:1 ] || break
    iptables_copy | iptables_restore "$family" || return 1
  done
  [ "$looks" -ne 1 ] && iptables_remove_from_dump "$family" CHECK && [ "$looks" -eq 0 ]
}

# Also of rules that another program has removed in part.
iptables_print_counts() {
  read_record "${confirmed:-$pending}"
  [ "$rec_backend" = iptables ] || return 1
  iptables_use_record
  for family in $ipt_families; do "$family$ipt_variant-save" -c -t filter 2>/dev/null || :; done | awk "$awk_iptables_counts"
}

# Every minute: to look costs as much as to keep. Sets looked_up, when all that had come by then was kept.
iptables_has_new_counts() {
  [ $((round % 12)) -eq 0 ] || return 1
  looked_up=${asked_up-}
  asked_up=$seen_up
}

iptables_counts_peers() { return 1; }
