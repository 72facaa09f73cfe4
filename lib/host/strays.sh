# Whether rules of ours are live on a host that has no host program, which would know more: somebody may have loaded a saved
# copy of them. In front of launch.sh and ask.sh.

rules_of_ours_are_live() {
  ! nft list table inet ssh_only_firewall >/dev/null 2>&1 || return 0
  for family in iptables ip6tables; do
    ! "$family-nft-save" -t filter 2>/dev/null | grep -q '^:SSH_ONLY_' || return 0
    # Where there is no such table, asking would make one.
    ! grep -qs filter "/proc/net/${family%tables}_tables_names" || ! "$family-save" -t filter 2>/dev/null | grep -q '^:SSH_ONLY_' || return 0
  done
  return 1
}
