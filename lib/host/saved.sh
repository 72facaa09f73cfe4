# Rules that somebody saved while this host was locked, with ours among them (netfilter-persistent save, service iptables
# save): after unlock, the next restart would close the host again. What bears our name is taken out of the files that are
# known to be loaded at boot; nothing else in them is touched.

saved_files='/etc/iptables/rules.v4 /etc/iptables/rules.v6 /etc/iptables/rules-save /etc/iptables/rules6-save
/etc/iptables/iptables.rules /etc/iptables/ip6tables.rules /var/lib/iptables/rules-save /var/lib/ip6tables/rules-save
/etc/sysconfig/iptables /etc/sysconfig/ip6tables
/etc/nftables.conf /etc/sysconfig/nftables.conf /etc/nftables.nft /var/lib/nftables/rules-save'

forget_saved() {
  for file in $saved_files; do
    grep -qs -e '^:SSH_ONLY_' -e '^table inet ssh_only_firewall {' "$file" || continue
    # Beside it and renamed, with its owner and mode, and not in place of a link.
    file=$(readlink -f "$file") && cp -p "$file" "$file.tmp" && without_ours "$file" >"$file.tmp" && mv -f "$file.tmp" "$file" || {
      rm -f "$file.tmp"
      say "$file, which may be loaded at the next restart, has rules of this program in it, and cannot be changed: remove the lines with SSH_ONLY_ or ssh_only_firewall from it."
      continue
    }
    say "$file had been saved with the rules of this program: they are taken out of it"
  done
}

# without_ours FILE: of iptables-save, with counters or without, or of nft list ruleset.
without_ours() {
  sed -e '/^:SSH_\(ONLY\|CHECK\)_/d' \
    -e '/^\(\[[0-9:]*\] \)*-A SSH_\(ONLY\|CHECK\)_/d' \
    -e '/ -[jg] SSH_\(ONLY\|CHECK\)_[A-Z]*$/d' \
    -e '/^table inet ssh_only_firewall\(_check\)* {$/,/^}$/d' "$1"
}
