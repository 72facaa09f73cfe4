# shellcheck shell=sh disable=SC2154 # root, disk and path are host.sh's
# What differs for a lab host that is booted: its root is a Debian of its own, and systemd-nspawn starts what that has as
# /sbin/init. Read by host.sh when HOST_SYSTEM is set; the functions take the place of those there.
#
# Further settings, from the environment:
#   HOST_SYSTEM    folder of the root, which is only read
#   HOST_NETWORK   who brings the interface up during the boot: ifupdown or networkd

address4=10.77.0.$HOST_NUMBER address6=fd77::$HOST_NUMBER

# Its own boot does it.
configure_link() { ip link set eth0 down; }

format_disk() { mkdir -p "$disk/upper" "$disk/work"; }

mount_disk() {
  mount -t overlay -o "lowerdir=$HOST_SYSTEM,upperdir=$disk/upper,workdir=$disk/work" overlay "$root"
}

mount_rest() { :; }

furnish() {
  printf '%s\n' "$HOST_NAME" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n' "$HOST_NAME" >"$root/etc/hosts"
  rm -f "$root/etc/resolv.conf"
  printf 'nameserver 10.77.0.1\n' >"$root/etc/resolv.conf"
  rm -f "$root/etc/fstab"
  # In common with other hosts it would name the same machine twice.
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  login_shell=/bin/bash
  rm -rf "$root/root"
  mkdir -m 0700 "$root/root"
  furnish_users
  furnish_sshd
  mv "$root/etc/ssh/lab_sshd_config" "$root/etc/ssh/sshd_config"
  # As Debian has it: the sessions are logind's where there is one.
  sed -i -e 's/^UsePAM no/UsePAM yes/' -e '/^PidFile/d' "$root/etc/ssh/sshd_config"
  furnish_firewall
  for command in $HOST_WITHOUT; do hide "$command"; done
  furnish_network
  furnish_patience
  [ -z "$HOST_PROVISION" ] || chroot "$root" /usr/bin/env -i PATH="$path" /bin/sh -euc "$HOST_PROVISION" >&2
}

furnish_network() {
  case $HOST_NETWORK in
    ifupdown)
      cat >"$root/etc/network/interfaces" <<END
auto lo eth0
iface lo inet loopback
iface eth0 inet static
  address $address4/24
  gateway 10.77.0.1
iface eth0 inet6 static
  address $address6/64
  gateway fd77::1
  accept_ra 0
  dad-attempts 0
END
      ;;
    networkd)
      cat >"$root/etc/systemd/network/eth0.network" <<END
[Match]
Name=eth0
[Network]
Address=$address4/24
Address=$address6/64
Gateway=10.77.0.1
Gateway=fd77::1
IPv6AcceptRA=no
IPv6DuplicateAddressDetection=0
LinkLocalAddressing=ipv6
END
      ln -s /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
      ;;
    *) die "unknown network $HOST_NETWORK" ;;
  esac
}

# With the first version of control groups systemd is not told when one is empty, and would wait for a session that has
# ended until its time is up: a minute and a half.
furnish_patience() {
  [ -d "$root/etc/systemd/system" ] || return 0
  mkdir -p "$root/etc/systemd/system.conf.d" "$root/etc/systemd/system/user@.service.d"
  printf '[Manager]\nDefaultTimeoutStopSec=3s\n' >"$root/etc/systemd/system.conf.d/lab.conf"
  printf '[Service]\nTimeoutStopSec=3s\n' >"$root/etc/systemd/system/user@.service.d/lab.conf"
}

# In control groups of its own, or the init of one host would take the processes of another for its own. Where the
# machine has the first version of control groups, the init gets that too; from systemd 256 on it has to be told.
boot() {
  set --
  groups=/sys/fs/cgroup
  if [ "$(stat -f -c %T "$groups")" != cgroup2fs ]; then
    groups=$groups/systemd
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
    [ ! -e "$root/lib/systemd/systemd" ] || set -- SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
  fi
  group=$groups/${LAB_FOLDER##*/}/$HOST_NAME
  mkdir -p "$group"
  echo 0 >"$group/cgroup.procs"
  # The same path is another root for each host.
  export SYSTEMD_NSPAWN_LOCK=0
  # This shell's own process namespace, where nspawn looks for its child.
  mount -t proc proc /proc
  status=0
  systemd-nspawn --quiet --register=no --keep-unit --network-namespace-path=/proc/self/ns/net \
    --machine="$HOST_NAME" --resolv-conf=off --timezone=off --link-journal=no --console=pipe \
    --capability=CAP_NET_ADMIN,CAP_NET_RAW --directory="$root" --boot "$@" </dev/null >&2 || status=$?
  # First of all: a network namespace that goes away loses its firewall before its links.
  ip -n controller link del "$port" 2>/dev/null || :
  exit "$status"
}
