# The iptables backend: own chains in the filter table, for IPv4 and IPv6, jumped to from the first position.
# Loaded with iptables-restore --noflush, so that nobody else's rule is touched.

# ipt_use VARIANT [FAMILIES]: chooses the commands: iptables-restore, iptables-nft-restore or iptables-legacy-restore; and
# the families. A record keeps both, because the distribution's alternatives and the kernel's modules may change.
ipt_use() {
  [ "$1" = "${ipt_variant-}" ] || ipt_wait=''
  ipt_variant=$1
  ipt_families=${2-}
  [ -z "$ipt_families" ] || return 0
  ipt_families=iptables
  # Without IPv6 in the kernel there is nothing to close.
  [ ! -e /proc/net/if_inet6 ] || ipt_families='iptables ip6tables'
}

ipt_find_variant() {
  ipt_use ''
  case $(iptables -V 2>/dev/null) in
    *nf_tables*) ! have iptables-nft-restore || ipt_use -nft ;;
    *legacy*) ! have iptables-legacy-restore || ipt_use -legacy ;;
  esac
}

# Sets ipt_wait. Features are probed, never versions: old releases have no --wait, and one waits for ever without it.
ipt_find_wait() {
  [ -z "${ipt_wait-}" ] || return 0
  ipt_wait=none
  if [ "$ipt_variant" = -nft ] || "iptables$ipt_variant-restore" --help </dev/null 2>&1 | grep -q -e '--wait'; then
    ipt_wait=own
  elif timeout 5 true >/dev/null 2>&1; then
    ipt_wait=timeout
  fi
}

# ipt_restore FAMILY [--test]: standard input into the kernel, or only read. A held xtables lock fails it after 10 s. It is
# mostly behind a pipe, where what it finds out is forgotten: find the wait before.
ipt_restore() {
  ipt_find_wait
  case $ipt_wait in
    own) "$1$ipt_variant-restore" -w 10 --noflush ${2:+"$2"} ;;
    timeout) timeout 10 "$1$ipt_variant-restore" --noflush ${2:+"$2"} ;;
    *) "$1$ipt_variant-restore" --noflush ${2:+"$2"} ;;
  esac
}

ipt_save() { "$1$ipt_variant-save" -t filter; }

# ipt_usable: 0 where iptables takes the ruleset; else why_not says why.
ipt_usable() {
  ipt_find_variant
  for family in $ipt_families; do
    have "$family$ipt_variant-restore" || {
      why_not="$family-restore is not installed."
      [ "$family" = iptables ] || why_not="$family-restore is not installed, and this kernel has IPv6, which would stay open: install it (package iptables, on old releases iptables-ipv6), or start the kernel with ipv6.disable=1."
      return 1
    }
    ipt_find_wait
    text=$SSH_ONLY_IPTABLES
    [ "$family" = iptables ] || text=$SSH_ONLY_IP6TABLES
    why_not=$(printf '%s' "$text" | ipt_restore "$family" --test 2>&1) || {
      case $why_not in
        '' | *' xtables lock'*) why_not="Another program holds the lock of iptables, /run/xtables.lock: try again when it has ended. $family-restore says: $why_not" ;;
        *) why_not="$family-restore does not take the ruleset: $why_not" ;;
      esac
      return 1
    }
  done
}

# ipt_load DIR [no-copy]: the chains are filled, then the jumps move to the first place where they are not there already;
# an update leaves them, so that there is no gap. As with nft_load, with the copy that proves it or without any.
ipt_load() {
  ipt_find_wait
  ipt_with_copy=''
  [ -f "$1/listing" ] || [ $# -eq 2 ] || ipt_with_copy=yes
  for family in $ipt_families; do
    dump=$(ipt_save "$family") || return 1
    jumps=$(printf '%s\n' "$dump" | awk '
      BEGIN { want["INPUT"] = "SSH_ONLY_IN"; want["OUTPUT"] = "SSH_ONLY_OUT"; want["FORWARD"] = "SSH_ONLY_FWD" }
      $1 == "-A" && ($2 in want) {
        if (!($2 in first)) first[$2] = $3 $4
        if (NF == 4 && $3 $4 == "-j" want[$2]) ours[$2]++
      }
      END {
        for (c in want) {
          if (first[c] == "-j" want[c] && ours[c] == 1) continue
          for (; ours[c] > 0; ours[c]--) print "-D " c " -j " want[c]
          print "-I " c " 1 -j " want[c]
        }
      }')
    {
      cat "$1/$family"
      [ -z "$ipt_with_copy" ] || ipt_copy "$1/$family"
      [ -z "$jumps" ] || printf '*filter\n%s\nCOMMIT\n' "$jumps"
    } | ipt_restore "$family" || return 1
    [ -n "$ipt_with_copy" ] || ipt_remove "$family" SSH_CHECK_ || return 1
  done
}

# ipt_copy FILE: the same chains under other names, to which nothing jumps.
ipt_copy() { sed 's/SSH_ONLY_/SSH_CHECK_/g' "$1"; }

# ipt_remove FAMILY PREFIX: takes out the chains with that prefix and every jump to them, in one transaction.
ipt_remove() {
  # Not in one pipeline, which would hide that there is no answer.
  dump=$(ipt_save "$1") && ipt_remove_seen "$1" "$2"
}

# The same, where dump says what there is.
ipt_remove_seen() {
  removal=$(printf '%s\n' "$dump" | awk -v prefix="$2" '
    $1 == "-A" && $(NF - 1) ~ /^-[jg]$/ && index($NF, prefix) == 1 { sub(/^-A/, "-D"); print }
    index($1, ":" prefix) == 1 { name = substr($1, 2); flush = flush "-F " name "\n"; drop = drop "-X " name "\n" }
    END { printf "%s%s", flush, drop }')
  [ -z "$removal" ] || printf '*filter\n%s\nCOMMIT\n' "$removal" | ipt_restore "$1"
}

ipt_unload() {
  for family in $ipt_families; do
    ipt_remove "$family" SSH_ONLY_ && ipt_remove "$family" SSH_CHECK_ || return 1
  done
}

ipt_is_live() {
  for family in $ipt_families; do
    have "$family$ipt_variant-save" || continue
    if ipt_save "$family" 2>/dev/null | grep -q '^:SSH_ONLY_'; then return 0; fi
  done
  return 1
}

# ipt_look: standard input, of iptables-save. Prints our chains, in one order whatever the order of their creation, and without
# counters. Exit code 0: they look like the copy; 1: a jump to them does not come first; 2: there is no copy; 3: it is another.
ipt_look() {
  awk '
    $1 == "-A" && !($2 in first) { first[$2] = $3 $4 }
    {
      chain = $1 == "-A" ? $2 : substr($1, 2)
      if ((!(/^:/) && $1 != "-A") || chain !~ /^SSH_(ONLY|CHECK)_/) next
      whose = chain ~ /^SSH_ONLY_/ ? "live" : "copy"
      sub(/^SSH_[A-Z]*_/, "", chain)
      sub(/ \[[0-9:]*\]$/, "")
      gsub(/SSH_CHECK_/, "SSH_ONLY_")
      rules[whose chain] = rules[whose chain] $0 "\n"
    }
    END {
      live = rules["liveIN"] rules["liveOUT"] rules["liveFWD"]
      copy = rules["copyIN"] rules["copyOUT"] rules["copyFWD"]
      printf "%s", live
      if (first["INPUT"] != "-jSSH_ONLY_IN" || first["OUTPUT"] != "-jSSH_ONLY_OUT" || first["FORWARD"] != "-jSSH_ONLY_FWD") exit 1
      exit copy == "" ? 2 : copy == live ? 0 : 3
    }'
}

# ipt_is_proven DIR: as nft_is_proven. Sets all; empty where a jump does not come first.
ipt_is_proven() {
  all=''
  for family in $ipt_families; do
    dump=$(ipt_save "$family" 2>/dev/null) || dump=''
    live=$(printf '%s\n' "$dump" | ipt_look) || [ $? -ne 1 ] || {
      all=''
      return 1
    }
    all="$all$family:
$live
"
  done
  [ -f "$1/listing" ] && [ "${all%?}" = "$(cat "$1/listing")" ]
}

# ipt_matches DIR: as nft_matches.
ipt_matches() {
  [ ! -f "$1/listing" ] || ! ipt_is_proven "$1" || return 0
  all=''
  for family in $ipt_families; do
    ipt_prove "$1/$family" || return 1
    all="$all$family:
$live
"
  done
  write_file "$1/listing" "${all%?}"
}

# ipt_prove FILE: 0 if the jumps of $family come first and its chains look like the copy, which is made if it is not there, and
# removed. Sets live.
ipt_prove() {
  for try in 1 2; do
    dump=$(ipt_save "$family") || return 1
    looks=0
    live=$(printf '%s\n' "$dump" | ipt_look) || looks=$?
    [ "$looks:$try" = 2:1 ] || break
    ipt_copy "$1" | ipt_restore "$family" || return 1
  done
  [ "$looks" -ne 1 ] && ipt_remove_seen "$family" SSH_CHECK_ && [ "$looks" -eq 0 ]
}
