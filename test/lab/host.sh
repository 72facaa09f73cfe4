#!/bin/sh
# The first process of a lab host: plugs the host into the lab's bridge, gives it a root of its own (an
# overlay of the machine's) and starts sshd. It runs in fresh network, mount, host name and process
# namespaces; when it is killed the host is gone, as if its plug was pulled. Its disk stays in the lab.
#
# Settings, all from the environment:
#   LAB_FOLDER       the lab's folder
#   HOST_NAME        host name
#   HOST_NUMBER      last part of its addresses, and of the name of its port on the bridge
#   HOST_USER        who logs in; made if it is not root
#   HOST_SUDO        "yes": HOST_USER gets password-less sudo
#   HOST_SHELL       what /bin/sh is: dash, bash or busybox
#   HOST_LOGIN       shell text that every login runs first, interactive or not; may be empty
#   HOST_FIREWALL    nftables, iptables-nft or iptables-legacy
#   HOST_WITHOUT     names of commands that the host does not have, separated by blanks
#   HOST_TMP         mount options of /tmp
#   HOST_SSH_PORTS   ports sshd listens on, separated by blanks
#   HOST_PROVISION   shell text run as root before the very first start of sshd; may be empty
#   HOST_BOOT        shell text run as root before every start of sshd; may be empty
#   HOST_SYSTEM      a root that is booted with its own init system, as nspawn.sh says; may be empty
# Prints "pid PID", its process id as the maker of the lab counts.
# Exit: not 0 when the host could not be set up (the reason is on standard error)

set -eu

main() {
  disk=$LAB_FOLDER/disks/$HOST_NAME
  root=$LAB_FOLDER/root
  read -r pid _ <"$LAB_FOLDER/outer-proc/self/stat"
  printf 'pid %s\n' "$pid"
  hostname "$HOST_NAME"
  plug_in
  if [ -d "$disk" ]; then
    mount_disk
    mount_rest
  else
    format_disk
    mount_disk
    mount_rest
    furnish
  fi
  boot
}

# chroot, not pivot_root: nsenter --root finds it, and the machine's own mounts stay reachable for nobody inside.
boot() {
  exec chroot "$root" /usr/bin/env -i PATH="$path" HOME=/root USER=root LANG=C.UTF-8 /usr/bin/dash /etc/lab-init >&2
}

path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

plug_in() {
  port=h$HOST_NUMBER
  for setting in all default; do
    printf 0 >"/proc/sys/net/ipv6/conf/$setting/accept_dad"
    printf 0 >"/proc/sys/net/ipv6/conf/$setting/accept_ra"
  done
  # A scan asks many closed ports in a short time; each should be told.
  printf 0 >/proc/sys/net/ipv4/icmp_ratelimit
  printf 0 >/proc/sys/net/ipv6/icmp/ratelimit
  # A host that was stopped just now may have left its port behind for a moment.
  ip -n controller link del "$port" 2>/dev/null || :
  ip link add eth0 address "02:77:00:00:00:$(printf '%02x' "$HOST_NUMBER")" type veth peer name "$port" netns controller
  configure_link
  ip -n controller link set "$port" master br0 up
}

configure_link() {
  ip -batch - <<END
link set lo up
addr add 10.77.0.$HOST_NUMBER/24 dev eth0
addr add fd77::$HOST_NUMBER/64 dev eth0 nodad
link set eth0 up
route add default via 10.77.0.1
route add default via fd77::1
END
}

# Before the overlay is mounted: folders of the machine that no host may see are marked as deleted.
format_disk() {
  mkdir -p "$disk/upper" "$disk/work"
  mknod "$disk/upper/root" c 0 0
  mknod "$disk/upper/home" c 0 0
}

mount_disk() {
  mount -t overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" overlay "$root"
}

mount_rest() {
  mount -t proc proc "$root/proc"
  # Settings of the kernel that are not the host's own are for reading only, as in a container.
  mount --bind /proc/sys/net "$LAB_FOLDER/outer-proc"
  mount --bind -o ro "$root/proc/sys" "$root/proc/sys"
  mount --move "$LAB_FOLDER/outer-proc" "$root/proc/sys/net"
  mount -t sysfs -o ro sysfs "$root/sys"

  mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
  cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$root/dev/"
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"

  mount -t tmpfs -o mode=0755 tmpfs "$root/run"
  mkdir -m 0755 "$root/run/sshd"
  mkdir -m 1777 "$root/run/lock"
  mount -t tmpfs -o "mode=1777,$HOST_TMP" tmpfs "$root/tmp"
}

# What is done once, when the disk is new.
furnish() {
  rm -rf -- "$root/var/lib/ssh-only-firewall"
  mkdir -m 0700 "$root/root"
  mkdir -m 0755 "$root/home"
  printf '%s\n' "$HOST_NAME" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n' "$HOST_NAME" >"$root/etc/hosts"
  # Nobody answers names there, and says so at once.
  rm -f -- "$root/etc/resolv.conf"
  printf 'nameserver 10.77.0.1\n' >"$root/etc/resolv.conf"

  furnish_shell
  furnish_users
  furnish_sshd
  furnish_firewall
  for command in $HOST_WITHOUT; do hide "$command"; done
  furnish_init
}

furnish_shell() {
  case $HOST_SHELL in
    dash) ln -sfn dash "$root/usr/bin/sh" ;;
    bash) ln -sfn bash "$root/usr/bin/sh" ;;
    busybox) ln -sfn busybox "$root/usr/bin/sh" ;;
    *) die "unknown shell $HOST_SHELL" ;;
  esac
  login_shell=/bin/sh
  if [ -n "$HOST_LOGIN" ]; then
    login_shell=/usr/local/bin/lab-login
    # shellcheck disable=SC2016 # for the shell that runs the file
    printf '#!/bin/sh\n%s\nexec /bin/sh "$@"\n' "$HOST_LOGIN" >"$root$login_shell"
    chmod 0755 "$root$login_shell"
  fi
}

# A password field of `*` means: no password, keys only. `!` would mean locked, and sshd refuses that.
furnish_users() {
  sed -i -e 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"
  sed -i -e "s|^\\(root:.*:\\)[^:]*\$|\\1$login_shell|" "$root/etc/passwd"
  authorize /root
  [ "$HOST_USER" != root ] || return 0

  sed -i -e "/^$HOST_USER:/d" "$root/etc/shadow" "$root/etc/passwd" "$root/etc/group"
  printf '%s:*:19000:0:99999:7:::\n' "$HOST_USER" >>"$root/etc/shadow"
  printf '%s:x:4077:4077::/home/%s:%s\n' "$HOST_USER" "$HOST_USER" "$login_shell" >>"$root/etc/passwd"
  printf '%s:x:4077:\n' "$HOST_USER" >>"$root/etc/group"
  mkdir -m 0755 "$root/home/$HOST_USER"
  authorize "/home/$HOST_USER"
  chown -R 4077:4077 "$root/home/$HOST_USER"
  if [ "$HOST_SUDO" = yes ]; then
    printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$HOST_USER" >"$root/etc/sudoers.d/lab"
    chmod 0440 "$root/etc/sudoers.d/lab"
  fi
}

authorize() {
  mkdir -m 0700 "$root$1/.ssh"
  cp "$LAB_FOLDER/id_ed25519.pub" "$root$1/.ssh/authorized_keys"
}

furnish_sshd() {
  cp "$LAB_FOLDER/host-keys/$HOST_NAME" "$root/etc/ssh/lab_host_key"
  chmod 0600 "$root/etc/ssh/lab_host_key"
  {
    for port in $HOST_SSH_PORTS; do printf 'Port %s\n' "$port"; done
    cat <<'END'
HostKey /etc/ssh/lab_host_key
PidFile /run/sshd.pid
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
MaxStartups 1000
PrintMotd no
Subsystem sftp internal-sftp
END
    # From OpenSSH 9.8 on, an address that often failed is locked out for a while; here all logins have one address.
    if grep -qi PerSourcePenalties "$root/usr/sbin/sshd"; then printf 'PerSourcePenalties no\n'; fi
  } >"$root/etc/ssh/lab_sshd_config"
}

furnish_firewall() {
  case $HOST_FIREWALL in
    nftables) return 0 ;;
    iptables-nft) program=xtables-nft-multi ;;
    iptables-legacy) program=xtables-legacy-multi ;;
    *) die "unknown firewall $HOST_FIREWALL" ;;
  esac
  hide nft
  for command in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sfn "$program" "$root/usr/sbin/$command"
  done
}

hide() {
  for folder in usr/local/sbin usr/local/bin usr/sbin usr/bin sbin bin; do
    rm -f -- "$root/$folder/$1"
  done
}

# What goes on as process 1: it lives as long as the host, and takes in every orphan.
furnish_init() {
  printf '%s\n' "$HOST_PROVISION" >"$root/etc/lab-provision"
  printf '%s\n' "$HOST_BOOT" >"$root/etc/lab-boot"
  cat >"$root/etc/lab-init" <<'END'
if [ -e /etc/lab-provision ]; then
  /bin/sh -eu /etc/lab-provision || exit 1
  rm /etc/lab-provision
fi
/bin/sh -eu /etc/lab-boot || exit 1
/usr/sbin/sshd -D -e -f /etc/ssh/lab_sshd_config &
while :; do
  sleep infinity &
  wait
done
END
}

die() {
  printf 'lab host %s: %s\n' "$HOST_NAME" "$1" >&2
  exit 1
}

# shellcheck source=/dev/null # checked by itself
if [ -n "${HOST_SYSTEM-}" ]; then . "${0%/*}/nspawn.sh"; fi
main
