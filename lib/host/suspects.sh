# Which rules of others would drop new connections to the SSH port: a guess for people, when a confirm does not come
# through. What iptables extensions, verdict maps and addresses decide is not looked at.

# suspects PORT: a line each; after list_nft_tables.
suspects() {
  # There mostly is no table but ours.
  if have nft && [ "$nft_tables" != 'table inet ssh_only_firewall' ]; then
    nft list ruleset 2>/dev/null | suspects_of_nft "$1"
  fi
  for family in iptables ip6tables; do
    protocol=ip
    [ "$family" = iptables ] || protocol=ip6
    # nft does not show the ports of multiport.
    only=''
    ! have nft || only=multiport
    if have "$family-nft-save" && { ! have nft || nft_has "table $protocol "; }; then
      "$family-nft-save" 2>/dev/null | suspects_of_iptables "$1" "$family" "$only"
    fi
    legacy_table "$protocol" || continue
    legacy=$family-legacy-save
    have "$legacy" || legacy=$family-save
    ! have "$legacy" || "$legacy" 2>/dev/null | suspects_of_iptables "$1" "$family" ''
  done
}

# would_cut PORT: what is sure to drop this login when our chains are gone, in the filter tables of iptables of its family;
# of a login by hand, on a console, nothing.
would_cut() {
  came_from
  case $came_from in
    '') return 0 ;;
    *:*) family=ip6tables protocol=ip6 ;;
    *) family=iptables protocol=ip ;;
  esac
  for variant in -nft -legacy ''; do
    [ "$variant" = -nft ] || legacy_table "$protocol" filter || continue
    ! have "$family$variant-save" ||
      "$family$variant-save" -t filter 2>/dev/null | sed '/SSH_ONLY_/d' | suspects_of_iptables "$1" "$family" sure
  done | sort -u
}

# Sets came_from: the SSH_CONNECTION of this login; where su or sudo have cleared it, that of a process above; empty on a
# console.
came_from() {
  came_from=${SSH_ONLY_FROM-${SSH_CONNECTION-}}
  [ -z "${SSH_ONLY_FROM+set}" ] || return 0
  process=$$
  while [ -z "$came_from" ] && [ "$process" -gt 1 ]; do
    came_from=$(tr '\0' '\n' 2>/dev/null <"/proc/$process/environ" | sed -n 's/^SSH_CONNECTION=//p')
    read -r stat 2>/dev/null <"/proc/$process/stat" || return 0
    # The name, in brackets, may hold anything; behind it come the state and the parent.
    stat=${stat##*) ? }
    process=${stat%% *}
  done
}

# Our own chains come first in the filter table they are in, so they are not asked here.
suspects_of_nft() {
  awk -v port="$1" '
    function told() {
      if (drops != "" && !accepts) printf "table %s, chain%s: policy drop, and nothing there accepts port %s\n", table, drops, port
      drops = ""
      accepts = 0
    }
    # Whether the words from that one on, ports and ranges, name the port.
    function listed(i,   range) {
      for (; i <= NF && $i ~ /^[0-9]+(-[0-9]+)?$/; i++) {
        if (split($i, range, "-") == 1) range[2] = range[1]
        if (range[1] + 0 <= port + 0 && port + 0 <= range[2] + 0) return 1
      }
      return 0
    }
    function names_port(   i) {
      for (i = 1; i < NF; i++) if ($i == "dport" && ($(i - 1) == "tcp" || $(i - 1) == "th")) {
        if ($(i + 1) ~ /^@/ ? (table $(i + 1)) in holds : listed(i + 1)) return 1
      }
      return 0
    }
    /^table / { told(); table = $2 " " $3; own = $3 ~ /^ssh_only_firewall/; next }
    own { next }
    $1 == "set" { set = table "@" $2; ports = 0; next }
    $1 == "chain" { chain = $2; set = ""; away = 0; next }
    set != "" {
      if (/type inet_service/) ports = 1
      if (/elements = /) sub(/.*elements = /, "")
      gsub(/[{},]/, " ")
      $0 = $0
      if (ports && listed(1)) holds[set] = 1
      next
    }
    $1 == "type" && / hook / {
      away = !/ hook (ingress|prerouting|input) /
      if (!away && /policy drop/) drops = drops " " chain
      next
    }
    {
      rule = $0
      sub(/^[ \t]*/, "", rule)
      gsub(/[{},]/, " ")
      $0 = $0
      named = names_port()
    }
    / jump SSH_ONLY_IN/ { accepts = 1 }
    /(^|[ \t])accept/ && (named || !/dport|established|iif(name)? "?lo|icmp|udp|igmp/) { accepts = 1 }
    named && !away && / (drop|reject)( |$)/ { printf "table %s, chain %s: %s\n", table, chain, rule }
    END { told() }'
}

# suspects_of_iptables PORT FAMILY ONLY: of standard input, of iptables-save; ONLY rules with that word, or all; or only those
# that are `sure` to drop: whoever comes and however often, where nothing before them accepts.
suspects_of_iptables() {
  awk -v port="$1" -v family="$2" -v only="$3" '
    function names_port(   i, k, n, part, range) {
      for (i = 1; i < NF; i++) if ($i ~ /^--dports?$/ && $(i - 1) != "!") {
        n = split($(i + 1), part, ",")
        for (k = 1; k <= n; k++) {
          if (split(part[k], range, ":") == 1) range[2] = range[1]
          if (range[1] + 0 <= port + 0 && port + 0 <= range[2] + 0) return 1
        }
      }
      return 0
    }
    function is_sure(   rest) {
      rest = " " $0
      gsub(/"[^"]*"/, "", rest)
      gsub(/ (-A [^ ]+|-p tcp|-m (tcp|multiport|comment|state|conntrack)|--comment|--(dports?|state|ctstate|tcp-flags [^ ]+|reject-with) [^ ]+|-j [^ ]+)/, "", rest)
      return rest !~ /-/ && !(table in accepting)
    }
    function is_wanted() {
      return only == "" || (only == "sure" ? is_sure() : index($0, only))
    }
    /^\*/ { table = substr($1, 2); ours = 0; next }
    /^:(INPUT|PREROUTING) DROP/ { drops[table] = substr($1, 2) }
    $1 != "-A" { next }
    /^-A INPUT -j SSH_ONLY_IN/ { ours = 1 }
    { named = / -p tcp / && names_port() }
    / -j ACCEPT/ && (named || !/dport|ESTABLISHED| -i lo |icmp| -p udp | -p igmp /) { accepting[table] = 1 }
    ours { accepting[table] = 1 }
    named && / -j (DROP|REJECT)/ && $2 !~ /^(SSH_.*|OUTPUT|FORWARD|POSTROUTING)$/ && !ours && is_wanted() {
      printf "%s, table %s: %s\n", family, table, $0
    }
    END {
      for (table in drops) if ((only == "" || only == "sure") && !(table in accepting))
        printf "%s, table %s, chain %s: policy DROP, and nothing there accepts port %s\n", family, table, drops[table], port
    }'
}
