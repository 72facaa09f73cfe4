#!/bin/sh
# Builds the root of lab hosts that are booted with an init system of their own: a Debian, made with debootstrap from
# the mirror that this machine uses itself. It is built once, under a lock, and renamed into place; labs only read it.
#
# Usage:  nspawn-root.sh CACHE RELEASE PACKAGE...
# Prints: the folder of the root
# Exit:   0 it is there; 1 it could not be built (the reason is on standard error)

set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/sbin"

# What every root has: an sshd, and all that the product may use.
common='dbus ifupdown iproute2 iptables nftables openssh-server procps sudo'

main() {
  cache=$1 release=$2
  shift 2
  name=$release-$(printf '%s\n' "$common" "$@" | sha256sum | cut -c 1-12)
  mkdir -p "$cache"
  [ ! -d "$cache/$name" ] || found "$name"
  exec 9>"$cache/lock"
  flock 9
  [ ! -d "$cache/$name" ] || found "$name"

  log=$cache/$name.log
  scratch=$cache/$name.new
  trap 'rm -rf --one-file-system "$scratch"' EXIT
  trap 'exit 1' HUP INT TERM
  rm -rf --one-file-system "$scratch"
  build "$@" >"$log" 2>&1 9>&- || {
    tail -n 20 "$log" >&2
    printf 'The root of %s with %s could not be built.\n' "$release" "$*" >&2
    exit 1
  }
  mv "$scratch" "$cache/$name"
  rm -f "$log"
  found "$name"
}

found() {
  printf '%s\n' "$cache/$1"
  exit 0
}

# The init systems exclude each other, so they come on top of what is common.
build() {
  common_root=$cache/$release-common-$(printf '%s\n' "$common" | sha256sum | cut -c 1-12)
  mirror=$(mirror)
  if [ ! -d "$common_root" ]; then
    # shellcheck disable=SC2086 # the mirror may be none: debootstrap's own
    debootstrap --variant=minbase --include="$(printf '%s' "$common" | tr ' ' ,)" "$release" "$scratch" $mirror || return 1
    # Services are started by the boot, not by the installation.
    printf '#!/bin/sh\nexit 101\n' >"$scratch/usr/sbin/policy-rc.d"
    chmod 0755 "$scratch/usr/sbin/policy-rc.d"
    mv "$scratch" "$common_root" || return 1
  fi
  cp -a "$common_root" "$scratch" || return 1
  [ $# -gt 0 ] || return 0
  cp -L /etc/resolv.conf /etc/hosts "$scratch/etc/" || return 1
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount sh -euc '
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    root=$1
    shift
    # Not the rules of this machine, in whose network this runs.
    printf "iptables-persistent iptables-persistent/autosave_v%s boolean false\n" 4 6 | chroot "$root" debconf-set-selections
    chroot "$root" apt-get -q -y --no-install-recommends install "$@"
    chroot "$root" apt-get clean
  ' sh "$scratch" "$@"
}

# The one this machine has its packages of this release from; else debootstrap's default.
mirror() {
  # shellcheck disable=SC2016 # for apt
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 2>/dev/null |
    awk -v release="$release" '$1 == release { print $2; exit }'
}

main "$@"
