# Saved rules: somebody saved the rules of a locked host, with ours among them (netfilter-persistent save, service iptables save).
# After unlock, the next restart would close the host again. So unlock removes the rules with our name from the files that are
# known to be loaded at boot, and touches nothing else in them.

saved_files='/etc/iptables/rules.v4 /etc/iptables/rules.v6 /etc/iptables/rules-save /etc/iptables/rules6-save
/etc/iptables/iptables.rules /etc/iptables/ip6tables.rules /var/lib/iptables/rules-save /var/lib/ip6tables/rules-save
/etc/sysconfig/iptables /etc/sysconfig/ip6tables
/etc/nftables.conf /etc/sysconfig/nftables.conf /etc/nftables.nft /var/lib/nftables/rules-save'

forget_saved_rules() {
  for file in $saved_files; do
    grep -qs -e '^:SSH_ONLY_' -e '^table inet ssh_only_firewall {' "$file" || continue
    # The new file has the owner and mode of the old, and does not replace a link.
    file=$(readlink -f "$file") && cp -p "$file" "$file.tmp" && print_without_ours "$file" >"$file.tmp" && mv -f "$file.tmp" "$file" || {
      rm -f "$file.tmp"
      say "$file, which may be loaded at the next restart, has rules of this program in it, and cannot be written: remove the lines with SSH_ONLY_ or ssh_only_firewall from it."
      continue
    }
    say "$file had been saved with the rules of this program: they were removed from it"
  done
}

# print_without_ours FILE: of iptables-save, with counters or without, or of nft list ruleset.
print_without_ours() {
  sed -e '/^:SSH_\(ONLY\|CHECK\)_/d' \
    -e '/^\(\[[0-9:]*\] \)*-A SSH_\(ONLY\|CHECK\)_/d' \
    -e '/ -[jg] SSH_\(ONLY\|CHECK\)_[A-Z]*$/d' \
    -e '/^table inet ssh_only_firewall\(_check\)* {$/,/^}$/d' "$1"
}
