# The iptables backend: own chains in the filter table, for IPv4 and IPv6, jumped to from the first position.
# Loaded with iptables-restore --noflush, so that nobody else's rule is touched.

# ipt_use VARIANT: chooses the commands: iptables-restore, iptables-nft-restore or iptables-legacy-restore. A record
# keeps the variant, because the distribution's alternatives may change before the unlock.
ipt_use() {
  ipt_variant=$1
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

# ipt_restore FAMILY: standard input into the kernel. A held xtables lock fails it after 10 s. Features are probed,
# never versions: old releases have no --wait, and one waits for ever without it.
ipt_restore() {
  if [ -z "${ipt_wait-}" ]; then
    ipt_wait=none
    if "$1$ipt_variant-restore" --help </dev/null 2>&1 | grep -q -e '--wait'; then
      ipt_wait=own
    elif timeout 5 true >/dev/null 2>&1; then
      ipt_wait=timeout
    fi
  fi
  case $ipt_wait in
    own) "$1$ipt_variant-restore" -w 10 --noflush ;;
    timeout) timeout 10 "$1$ipt_variant-restore" --noflush ;;
    *) "$1$ipt_variant-restore" --noflush ;;
  esac
}

ipt_save() { "$1$ipt_variant-save" -t filter; }

# ipt_usable: 0 where iptables takes the ruleset; else why_not says why.
ipt_usable() {
  ipt_find_variant
  for family in $ipt_families; do
    have "$family$ipt_variant-restore" || {
      why_not="$family-restore is not installed."
      return 1
    }
    text=$SSH_ONLY_IPTABLES
    [ "$family" = iptables ] || text=$SSH_ONLY_IP6TABLES
    why_not=$(printf '%s' "$text" | "$family$ipt_variant-restore" --test --noflush 2>&1) || {
      why_not="$family-restore does not take the ruleset: $why_not"
      return 1
    }
  done
}

# The jumps go in after the chains are filled; an update leaves them where they are, so that there is no gap.
ipt_load() {
  for family in $ipt_families; do
    ipt_restore "$family" <"$1/$family" || return 1
    jumps=$(ipt_save "$family" | awk '
      BEGIN { want["INPUT"] = "SSH_ONLY_IN"; want["OUTPUT"] = "SSH_ONLY_OUT"; want["FORWARD"] = "SSH_ONLY_FWD" }
      $1 == "-A" && ($2 in want) && !($2 in first) { first[$2] = $0 }
      END { for (c in want) if (first[c] != "-A " c " -j " want[c]) print "-I " c " 1 -j " want[c] }') || return 1
    [ -z "$jumps" ] || printf '*filter\n%s\nCOMMIT\n' "$jumps" | ipt_restore "$family" || return 1
  done
}

# ipt_remove FAMILY PREFIX: takes out the chains with that prefix and every jump to them, in one transaction.
ipt_remove() {
  removal=$(ipt_save "$1" | awk -v prefix="$2" '
    $1 == "-A" && $(NF - 1) == "-j" && index($NF, prefix) == 1 { sub(/^-A/, "-D"); print }
    index($1, ":" prefix) == 1 { name = substr($1, 2); flush = flush "-F " name "\n"; drop = drop "-X " name "\n" }
    END { printf "%s%s", flush, drop }') || return 1
  [ -z "$removal" ] || printf '*filter\n%s\nCOMMIT\n' "$removal" | ipt_restore "$1"
}

ipt_unload() {
  for family in $ipt_families; do
    have "$family$ipt_variant-restore" || continue
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

# ipt_listing FAMILY PREFIX: our chains as the kernel has them, in one order whatever the order of creation.
ipt_listing() {
  ipt_save "$1" | awk -v prefix="$2" '
    index($1, ":" prefix) == 1 || ($1 == "-A" && index($2, prefix) == 1) {
      chain = $1 == "-A" ? $2 : substr($1, 2)
      sub(/ \[[0-9:]*\]$/, "")
      gsub(prefix, "SSH_ONLY_")
      rules[substr(chain, length(prefix) + 1)] = rules[substr(chain, length(prefix) + 1)] $0 "\n"
    }
    END { printf "%s%s%s", rules["IN"], rules["OUT"], rules["FWD"] }'
}

# ipt_first_rules FAMILY: what INPUT, OUTPUT and FORWARD begin with.
ipt_first_rules() {
  ipt_save "$1" | awk '$1 == "-A" && !($2 in first) { first[$2] = $0 }
    END { printf "%s\n%s\n%s\n", first["INPUT"], first["OUTPUT"], first["FORWARD"] }'
}

# ipt_matches DIR: as nft_matches, with a second copy of the chains to which nothing jumps.
ipt_matches() {
  all=''
  for family in $ipt_families; do
    [ "$(ipt_first_rules "$family" 2>/dev/null)" = '-A INPUT -j SSH_ONLY_IN
-A OUTPUT -j SSH_ONLY_OUT
-A FORWARD -j SSH_ONLY_FWD' ] || return 1
    all="$all$family:
$(ipt_listing "$family" SSH_ONLY_)
"
  done
  if [ -f "$1/listing" ] && [ "${all%?}" = "$(cat "$1/listing")" ]; then return 0; fi
  for family in $ipt_families; do
    sed 's/SSH_ONLY_/SSH_CHECK_/g' "$1/$family" | ipt_restore "$family" || return 1
    given=$(ipt_listing "$family" SSH_CHECK_)
    ipt_remove "$family" SSH_CHECK_ || return 1
    [ "$(ipt_listing "$family" SSH_ONLY_)" = "$given" ] && [ -n "$given" ] || return 1
  done
  write_file "$1/listing" "${all%?}"
}
