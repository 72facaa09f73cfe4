# Bridges that connect guests (virtual machines, containers) with the network of this host. The rules of this program
# do not see what a bridge carries from port to port, unless the kernel hands it over (br_netfilter, with bridge-nf-call-iptables).

# Sets bridged: those bridges whose guests are reached past the rules.
find_bridged() {
  bridged=''
  for bridge in /sys/class/net/*/bridge; do
    [ -d "$bridge" ] || continue
    bridge=${bridge%/bridge}
    { is_handed_over iptables && is_handed_over ip6tables; } || ! has_uplink_and_guests || bridged="${bridged:+$bridged }${bridge##*/}"
  done
  case $bridged in *[!A-Za-z0-9._\ -]*) bridged='?' ;; esac
}

# is_handed_over TOOL: of the bridge, or of all. Some shells read these files to an end without a line break, which is no failure.
is_handed_over() {
  for switch in "/proc/sys/net/bridge/bridge-nf-call-$1" "$bridge/bridge/nf_call_$1"; do
    handed=0
    read -r handed 2>/dev/null <"$switch" || :
    [ "$handed" != 1 ] || return 0
  done
  return 1
}

has_uplink_and_guests() {
  ports=0 uplink=''
  for port in "$bridge"/brif/*; do
    [ -e "$port" ] || continue
    ports=$((ports + 1))
    port=/sys/class/net/${port##*/}
    if [ -e "$port/device" ] || [ -e "$port/bonding" ] || grep -qs 'DEVTYPE=vlan' "$port/uevent"; then uplink=yes; fi
  done
  [ "$ports" -ge 2 ] && { [ -n "$uplink" ] || has_gateway "${bridge##*/}"; }
}

# has_gateway INTERFACE: 0 if this host sends through it what is not for its own network.
has_gateway() {
  while read -r interface _ gateway _; do
    [ "$interface" != "$1" ] || case $gateway in *[1-9A-F]*) return 0 ;; esac
  done 2>/dev/null </proc/net/route
  return 1
}

# print_bridged: a sentence, or nothing.
print_bridged() {
  find_bridged
  [ -z "$bridged" ] || printf '%s\n' "guests on the bridge $bridged are reached past the rules of this program, which do not see what a bridge carries: close them by themselves, or have the kernel hand it over (modprobe br_netfilter, sysctl net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1)"
}
