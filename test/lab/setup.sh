#!/bin/sh
# Makes this machine ready for the lab: installs what is missing, or says what is missing.
#
# Run by `npm run setup`, before the demo and the tests, and by the benchmark. Silent when nothing is missing. As root
# on Debian or Ubuntu it installs packages; it starts no service and changes none that is there.
#
# Usage: setup.sh [COMMAND=PACKAGE]...     those are needed besides
# Settings (environment):
#   CI=true   what is missing is a failure; without it, tests that need it are listed as not run
# Exit: 0 ready, or what is missing was said; 1 an installation failed, or something is missing and CI=true

set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

main() {
  besides=$*
  find_missing
  if [ -n "$packages" ]; then
    if [ "$(id -u)" != 0 ]; then
      lack "The lab needs packages: $packages" "As root: apt-get install $packages"
    elif ! command -v apt-get >/dev/null 2>&1; then
      lack "The lab needs what Debian has in these packages, and here is no apt-get: $packages"
    else
      install
    fi
  fi
  if [ "$(id -u)" != 0 ]; then
    lack "The lab needs root: tests that use real hosts will not be run." \
      "Run as root to have them, for example in a container started with --privileged."
  elif ! reason=$(unshare --mount --net --pid --fork mount -t tmpfs none /mnt 2>&1); then
    lack "The lab cannot run: root may not make namespaces here ($reason)." \
      "In a container: start it with --privileged."
  fi
  if ! command -v terraform >/dev/null 2>&1; then
    lack "Terraform is not installed: tests that apply something will not be run." \
      "See https://developer.hashicorp.com/terraform/install"
  fi
  if [ "$lacks" = yes ] && [ "${CI:-}" = true ]; then exit 1; fi
}

lacks=no

# Sets $packages to those that have a command that is missing.
find_missing() {
  packages=
  need ip iproute2
  need nft nftables
  need iptables-legacy iptables
  need ssh openssh-client
  need sshd openssh-server
  need sudo sudo
  need nmap nmap
  need busybox busybox
  need shellcheck shellcheck
  need original-awk original-awk
  need mksh mksh
  need strace strace
  need ksh93 ksh93u+m
  need nsenter util-linux
  need debootstrap debootstrap
  need systemd-nspawn systemd-container
  need dnsmasq dnsmasq-base
  need radvd radvd
  need chromium chromium
  need spin spin
  need gcc gcc
  [ -e /usr/include/stdio.h ] || packages="$packages${packages:+ }libc6-dev"
  for pair in $besides; do need "${pair%%=*}" "${pair#*=}"; done
}

need() {
  command -v "$1" >/dev/null 2>&1 || packages="$packages${packages:+ }$2"
}

install() {
  printf 'Installing for the lab: %s\n' "$packages" >&2
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  trap 'exit 1' HUP INT TERM
  keep_services_stopped
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list
  if ! { apt-get -q update && RUNLEVEL=1 apt-get -qy --no-install-recommends install $packages; } >"$log" 2>&1; then
    cat "$log" >&2
    printf 'These packages could not be installed: %s\n' "$packages" >&2
    exit 1
  fi
  # A server that was brought in only for the lab is not to start at the next boot either.
  if [ -d /run/systemd/system ]; then
    case " $packages " in *' openssh-server '*) systemctl --quiet disable ssh.service ssh.socket >>"$log" 2>&1 || : ;; esac
    case " $packages " in *' radvd '*) systemctl --quiet disable radvd.service >>"$log" 2>&1 || : ;; esac
  fi
  find_missing
  [ -z "$packages" ] || lack "These packages are installed, but their commands are not to be found: $packages"
}

# Debian starts a service when it installs it, unless this file says no.
keep_services_stopped() {
  policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  trap 'rm -f "$log" "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
}

lack() {
  lacks=yes
  printf '%s\n' "$@" >&2
}

main "$@"
