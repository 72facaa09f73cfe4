# The pre-flight: what is refused before any change, with the remedy. $SSH_ONLY_FROM is the SSH_CONNECTION of the login (sudo
# clears the variable): client address, client port, our address, our port.

# What lock refuses and check reports, in this order: each is a function, and refuses by itself. Those of the way in are
# skipped with skipPreflight.
checks_of_way_in='check_port check_source check_tunnel check_lease check_announced check_login check_disks check_fencing check_cloud_init
  check_login_servers'
checks_of_host='check_init check_state_folder check_boot_files'

# Sets checks, for the settings.
find_checks() {
  checks=$checks_of_host
  [ "$SSH_ONLY_SKIP_PREFLIGHT" = true ] || checks="$checks_of_way_in $checks"
}

preflight() {
  find_checks
  for check in $checks; do "$check" || return 1; done
}

check_settings() {
  : "${SSH_ONLY_PERSIST:=false}" "${SSH_ONLY_MODE:=enforce}" "${SSH_ONLY_LOG_DENIED:=}"
  : "${SSH_ONLY_STACK:=}" "${SSH_ONLY_CONSTRUCT:=}" "${SSH_ONLY_WORKSPACE:=}"
  # In percent-encoding.
  case $SSH_ONLY_STACK$SSH_ONLY_CONSTRUCT$SSH_ONLY_WORKSPACE in
    *[!A-Za-z0-9._~%/+-]*) refuse 2 settings 'The name of the stack, construct or workspace is not encoded.' ;;
  esac
  for setting in "$SSH_ONLY_OWNER" "$SSH_ONLY_ATTEMPT" "$SSH_ONLY_RULESET" "$SSH_ONLY_HOST"; do
    case $setting in
      '' | *[!A-Za-z0-9._-]*) refuse 2 settings "'$setting' is not an identifier." ;;
    esac
  done
  for setting in "$SSH_ONLY_PORT" "$SSH_ONLY_CONFIRM_WITHIN" "${SSH_ONLY_LOG_DENIED:-0}"; do
    case $setting in
      '' | *[!0-9]*) refuse 2 settings "'$setting' is not a number." ;;
    esac
  done
  for tool in awk sed grep sort date sha256sum; do
    have "$tool" || refuse 4 missing-tool "$tool is missing."
  done
  given=$(each_text print_text | sha256sum)
  [ "${given%% *}" = "$SSH_ONLY_RULESET" ] ||
    refuse 1 settings "The ruleset that arrived is not the one in the plan (${given%% *}, not $SSH_ONLY_RULESET)."
  check_ruleset
}

print_text() { printf '%s' "$2"; }

# Values that only the apply knew are part of the ruleset, and could be anything: a name, which nothing resolves at boot, or more
# rules. Sets way_in, for check_way_in: whether the sources of SSH cover the client.
check_ruleset() {
  client_address=${SSH_ONLY_FROM%% *}
  case $client_address in *[!0-9A-Za-z:.%_-]*) client_address='' ;; esac
  case $SSH_ONLY_ALLOW_FROM in
    *[!0-9A-Fa-f:./\ ]*) way_in="unsound $(printf '%s' "$SSH_ONLY_ALLOW_FROM" | tr -c ' -~' '?')" ;;
    *) way_in=$({ printf '%s\n' "$SSH_ONLY_ALLOW_FROM" && each_text print_named_text; } | awk -v address="$client_address" "$awk_addresses$awk_ruleset_lines$awk_ruleset") ;;
  esac
  case $way_in in
    allowed | foreign) ;;
    *) refuse 2 settings "The ruleset has a part that no policy produces: '${way_in#unsound }'. In allowFrom and in exceptions, every value must be an IPv4 or IPv6 address or range, and no name: check the values of tokens." ;;
  esac
}

print_named_text() { printf '== %s\n%s' "$1" "$2"; }

# Sets listening: the TCP ports on which something listens, on an address that is not loopback.
find_listening() {
  # ss is quicker where there is much memory: for /proc/net/tcp the kernel goes through the table of all connections.
  if have ss && sockets=$(ss -ltn 2>/dev/null); then
    listening=$(printf '%s\n' "$sockets" | awk "$awk_listening_ss")
  else
    listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk "$awk_listening_proc")
  fi
}

port_is_open() {
  find_listening
  case " $listening " in
    *" $1 "*) return 0 ;;
  esac
  return 1
}

has_exception() {
  case " $SSH_ONLY_EXCEPTIONS " in
    *" $1 "*) return 0 ;;
  esac
  return 1
}

check_port() {
  port_is_open "$SSH_ONLY_PORT" ||
    refuse 5 port "No sshd listens on port $SSH_ONLY_PORT here, the only port that would stay open: set sshPort to the port that sshd has on this host."
  # Who did not come over SSH cannot be cut off.
  [ -n "$SSH_ONLY_FROM" ] || return 0
  # shellcheck disable=SC2086 # four words on purpose
  set -- $SSH_ONLY_FROM
  [ "$4" = "$SSH_ONLY_PORT" ] ||
    refuse 5 port "You came in through port $4, and only port $SSH_ONLY_PORT would stay open: set sshPort to $4 (the port that sshd has here; connection.port is the one you dial)."
}

check_source() {
  # Loopback passes; its carrier is looked at by check_tunnel.
  case ${SSH_ONLY_FROM%% *} in 127.* | ::1 | ::ffff:127.*) return 0 ;; esac
  [ -z "$SSH_ONLY_FROM" ] || [ "$way_in" = allowed ] ||
    refuse 5 source "You came from ${SSH_ONLY_FROM%% *}, which allowFrom does not cover ($SSH_ONLY_ALLOW_FROM): add it, or deploy from an address that is allowed."
}

# A leased address is lost when its renewal is blocked.
check_lease() {
  [ -n "$SSH_ONLY_FROM" ] || return 0
  # shellcheck disable=SC2086 # four words on purpose
  set -- $SSH_ONLY_FROM
  set -- "$3"
  find_lifetime "$1"
  remedy=', or give the host a static address'
  names_of lease
  if [ -z "$lease" ] && [ -n "$names" ]; then
    lease=$(dhcp_client_of "$1")
    remedy=", which is harmless if it is not, or stop ${lease#* }"
    why="may be leased, for ${lease#* } runs here"
  else
    why='is leased'
  fi
  [ -z "$lease" ] || has_exception "${lease%% *}" ||
    refuse 6 lease "The address of this host, $1, $why, and would be lost when the lease cannot be renewed: add the exception ${lease%% *}$remedy."
}

# find_lifetime ADDRESS: sets lease to the exception that its renewal needs, where the kernel knows that it has a lifetime.
find_lifetime() {
  lease=''
  have ip && addresses=$(ip -o addr show 2>/dev/null) || return 0
  while read -r line; do
    case $line in
      *" inet $1/"*' dynamic'*) lease=dhcp-client ;;
      # Any other prefix is that of a router.
      *" inet6 $1/128 "*' dynamic'*) lease=dhcpv6-client ;;
    esac
  done <<ADDRESSES
$addresses
ADDRESSES
}

# dhcp_client_of ADDRESS: "EXCEPTION NAME" of a DHCP client that runs here, for the family of the address. Some give the
# kernel no lifetime (udhcpc, the dhclient of old releases), and some give a leased IPv6 address the prefix of a router's.
dhcp_client_of() {
  wanted=dhcp-client
  [ "$1" = "${1#*:}" ] || wanted=dhcpv6-client
  printf '%s\n' "$daemons" | while read -r pid name kind; do
    [ "$kind" = lease ] || continue
    case "$name $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" in
      # It requests no address.
      dhclient*' -S '*) continue ;;
      *' -6 '* | udhcpc6* | dhcp6c* | odhcp6c*) exception=dhcpv6-client ;;
      *) exception=dhcp-client ;;
    esac
    [ "$exception" = "$wanted" ] || continue
    printf '%s %s\n' "$exception" "$name"
    break
  done
}

# Sets daemons: "PID NAME KIND" of what runs here and is known by its name: what keeps an address of this host, by a lease or by
# announcing it; what restarts this host, or has it restarted, when its peers are silent (fencing); and sshd.
find_daemons() {
  [ -z "${daemons+set}" ] || return 0
  daemons=$(cat /proc/[0-9]*/stat 2>/dev/null | awk '
    $3 == "Z" { next }
    $2 ~ /^\((dhclient|dhclient3|udhcpc|udhcpc6|dhcpcd|dhcp6c|odhcp6c|pump)\)$/ { kind = "lease" }
    $2 ~ /^\((bird|bird6|bgpd|ospfd|ospf6d|isisd|gobgpd|exabgp|babeld|ripd|ripngd|eigrpd|olsrd|openr|keepalived|vrrpd|ucarp)\)$/ { kind = "announced" }
    $2 ~ /^\((corosync|pacemakerd|pacemaker-remote|pacemaker_remot|sbd|watchdog-mux|wd_keepalive|watchdog|cman|fenced|stonithd|heartbeat|auditd)\)$/ { kind = "fencing" }
    $2 == "(sshd)" { kind = "sshd" }
    kind { print $1, substr($2, 2, length($2) - 2), kind; kind = "" }')
}

# names_of KIND: sets names, of daemons, each once.
names_of() {
  find_daemons
  names=''
  while read -r _ name kind; do
    [ "$kind" = "$1" ] || continue
    case " $names " in *" $name "*) ;; *) names="$names $name" ;; esac
  done <<DAEMONS
$daemons
DAEMONS
}

# Neighbors drop an announced address some time after the last announcement, when all seemed well.
check_announced() {
  [ -n "$SSH_ONLY_FROM" ] || return 0
  ! has_exception egress || ! has_exception ingress || return 0
  names_of announced
  for name in $names; do
    case $name in
      keepalived | vrrpd | ucarp) protocol='protocol-112' remedy='a protocol exception vrrp for them' ;;
      ospfd | ospf6d | bird | bird6) protocol='protocol-89' remedy='a protocol exception ospf for them, or ingress and egress ones for BGP' ;;
      *) protocol='' remedy='egress and ingress exceptions for them' ;;
    esac
    [ -n "$protocol" ] && has_exception "$protocol" ||
      refuse 6 announced-address "$name runs here. If it announces the address of this host, that would be lost some time after the lock, because its neighbors would no longer receive it: stop and disable it, or add $remedy."
  done
}

# Sets home, of the user that logged in. Fails where /etc/passwd does not have that user.
find_home() {
  home=''
  [ -n "$SSH_ONLY_LOGIN" ] || return 0
  while IFS=: read -r user _ _ _ _ home _; do
    [ "$user" != "$SSH_ONLY_LOGIN" ] || return 0
  done </etc/passwd
  home=''
  return 1
}

# A user that is not in /etc/passwd comes from LDAP, SSSD or a metadata server, which the host must reach at each login.
check_login() {
  find_home || has_exception egress ||
    refuse 6 login-server "The user $SSH_ONLY_LOGIN is not in /etc/passwd, so its login asks another server: add an egress exception for that server, or log in as a local user."
}

# A lock that a restart opens is not a lock.
check_init() {
  [ "$SSH_ONLY_PERSIST" = true ] || return 0
  find_init
  [ "$init" != none ] ||
    refuse 4 no-init 'This host has no known init system (systemd, OpenRC, sysvinit), so a restart would open it: set persist: false to lock it until then.'
}
