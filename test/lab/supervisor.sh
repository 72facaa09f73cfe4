#!/bin/sh
# Keeps one lab: its network and mount namespaces, and the bridge its hosts are plugged into.
#
# Everything of a lab runs in a process namespace whose first process waits for the end of its standard
# input, a pipe held by the process that made the lab. When that process ends, however it ends, the first
# process ends too; the kernel then kills all others, and with them go the namespaces, mounts and links.
#
# Usage:  supervisor.sh FOLDER     the lab's own folder; it is removed at the end
# Prints: "ready PID", the process id (as the caller counts) by which the lab's namespaces can be entered.
# Exit:   0 the lab ended, 1 it could not be set up (the reason is on standard error)

set -eu

outside() {
  # A Ctrl-C in the terminal is for the caller; it closes our input when it is done.
  trap '' INT TERM HUP
  status=0
  unshare --mount --net --pid --fork --kill-child /bin/sh "$0" --inside "$folder" || status=$?
  rm -rf -- "$folder"
  # Control groups of hosts that were booted; they are empty now.
  find /sys/fs/cgroup/*/"${folder##*/}" /sys/fs/cgroup/"${folder##*/}" -depth -type d -exec rmdir {} + 2>/dev/null || :
  exit "$status"
}

inside() {
  mount --bind /proc "$folder/outer-proc"
  mount -t proc proc /proc
  mount -t tmpfs -o mode=0755 lab-run /run
  mount -t tmpfs -o mode=0755 lab-disks "$folder/disks"

  # Names and keys of the hosts, so that a plain `ssh web-1` works here.
  mount --bind "$folder/hosts" /etc/hosts
  if [ -e /etc/ssh/ssh_config ]; then mount --bind "$folder/ssh_config" /etc/ssh/ssh_config; fi

  mkdir /run/netns /run/sshd
  : >/run/netns/controller
  mount --bind /proc/self/ns/net /run/netns/controller

  for setting in all default; do
    printf 0 >"/proc/sys/net/ipv6/conf/$setting/accept_dad"
    printf 0 >"/proc/sys/net/ipv6/conf/$setting/accept_ra"
  done
  ip -batch - <<'END'
link set lo up
link add br0 address 02:77:00:00:00:01 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
addr add 10.77.0.1/24 dev br0
addr add fd77::1/64 dev br0 nodad
link set br0 up
END

  read -r pid _ <"$folder/outer-proc/self/stat"
  printf 'ready %s\n' "$pid"
  while read -r _; do :; done
}

case $1 in
  --inside)
    folder=$2
    inside
    ;;
  *)
    folder=$1
    outside
    ;;
esac
