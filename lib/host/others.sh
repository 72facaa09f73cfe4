# The firewalls of others. A packet has to pass all of them: what they drop stays dropped, whatever ours accepts. Nothing
# of theirs is touched.

# others_filters: "FAMILY VARIANT" of the iptables filter tables that exist; looking must not create one. For hosts whose
# backend is nftables.
others_filters() {
  tables=$(nft list tables 2>/dev/null) || :
  legacy=''
  ! have iptables-legacy-save || legacy=-legacy
  for family in iptables ip6tables; do
    protocol=ip
    [ "$family" = iptables ] || protocol=ip6
    case "
$tables
" in
      *"
table $protocol filter
"*) ! have "$family-nft-save" || printf '%s %s\n' "$family" -nft ;;
    esac
    if have "$family$legacy-save" && grep -qsx filter "/proc/net/${protocol}_tables_names"; then
      printf '%s %s\n' "$family" "$legacy"
    fi
  done
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
  [ "$rec_mode" != observe ] || return 1
  others_filters | (
    while read -r family variant; do ! filter_drops "$family" "$variant" || exit 0; done
    exit 1
  )
}

# stand_beside: our chains also in those filter tables, from the iptables ruleset of the record that was read, so that SSH
# passes there too. They stay until unlock, and $STATE/beside names them. A backend that was chosen by name has no such
# ruleset, and what only observes lets nothing past the rules of others.
stand_beside() {
  [ -s "$rec_dir/iptables" ] && [ "$rec_mode" != observe ] || return 0
  beside=$(
    [ ! -f "$STATE/beside" ] || cat "$STATE/beside"
    others_filters | while read -r family variant; do
      ! filter_drops "$family" "$variant" || printf '%s %s\n' "$family" "$variant"
    done
  )
  [ -n "$beside" ] || return 0
  write_file "$STATE/beside" "$(printf '%s\n' "$beside" | sort -u)
"
  while read -r family variant; do
    ipt_use "$variant" "$family"
    ipt_load "$rec_dir" no-copy || return 1
  done <"$STATE/beside"
}

# leave_beside KEPT: takes them out again, but for the backend and variant that is in force by itself now.
leave_beside() {
  [ -f "$STATE/beside" ] || return 0
  while read -r family variant; do
    [ "iptables$variant" != "$1" ] || continue
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

# suspects PORT: what of others would drop new connections to the SSH port, a line each. A guess for people, when a confirm does
# not come through: what iptables extensions and sets decide is not looked at.
suspects() {
  # Our own chains come first in the filter table they are in, so they are not asked here.
  { ! have nft || nft list ruleset 2>/dev/null; } | awk -v port="$1" '
    function told() {
      if (drops != "" && !accepts) printf "table %s, chain%s: policy drop, and nothing there accepts port %s\n", table, drops, port
      drops = ""
      accepts = 0
    }
    /^table / { told(); table = $2 " " $3; own = $3 ~ /^ssh_only_firewall/; next }
    own { next }
    $1 == "chain" { chain = $2; inbound = 0; next }
    $1 == "type" && / hook (ingress|prerouting|input) / {
      inbound = 1
      if (/policy drop/) drops = drops " " chain
      next
    }
    { gsub(/[{},]/, " "); named = (" " $0 " ") ~ ("dport[^a-z]* " port " ") }
    / jump SSH_ONLY_IN/ { accepts = 1 }
    /(^|[ \t])accept/ && !/established|iif(name)? "?lo/ && (named || !/dport/) { accepts = 1 }
    named && /(^|[ \t])(drop|reject)/ { sub(/^[ \t]*/, ""); printf "table %s, chain %s: %s\n", table, chain, $0 }
    END { told() }'
  grep -qs . /proc/net/ip_tables_names /proc/net/ip6_tables_names || return 0
  for family in iptables ip6tables; do
    legacy=$family-legacy-save
    have "$legacy" || legacy=$family-save
    ! have "$legacy" || "$legacy" 2>/dev/null | awk -v port="$1" -v family="$family" '
      /^\*/ { table = substr($1, 2); ours = 0; delete accepts; next }
      /^:(INPUT|PREROUTING) DROP/ { drops[table] = substr($1, 2) }
      /^-A INPUT -j SSH_ONLY_IN/ { ours = 1 }
      { named = (" " $0 " ") ~ (" --dports? ([0-9,:]*,)?" port "[ ,]") }
      / -j ACCEPT/ && !/ESTABLISHED| -i lo / && (named || !/dport/) { accepting[table] = 1 }
      ours { accepting[table] = 1 }
      named && / -j (DROP|REJECT)/ && !/^-A SSH_/ && !ours { printf "%s, table %s: %s\n", family, table, $0 }
      END {
        for (table in drops) if (!(table in accepting))
          printf "%s, table %s, chain %s: policy DROP, and nothing there accepts port %s\n", family, table, drops[table], port
      }'
  done
}
