# The pre-flight, of places: where the program keeps what it needs, and on which disks a login and the way back read. Nothing here
# opens a file on a disk on the network, which may hang.

# find_mount PATH: sets place, disk, type and options of the mount that it is on.
find_mount() {
  place='' disk='' type='' options=''
  while read -r a_disk a_place a_type some_options _; do
    case ${1%/}/ in
      "${a_place%/}"/*) [ "${#a_place}" -lt "${#place}" ] || place=$a_place disk=$a_disk type=$a_type options=$some_options ;;
    esac
  done </proc/mounts
}

# is_in_memory PATH: 0 if a restart removes what is written there.
is_in_memory() {
  find_mount "$1"
  # As overlayroot has it. In a container it is a name of the machine, which does not exist there.
  case $type:$options in
    overlay:*upperdir=/*)
      upper=${options#*upperdir=}
      upper=${upper%%,*}
      [ ! -d "$upper" ] || find_mount "$upper"
      ;;
  esac
  case $type in
    tmpfs | ramfs) return 0 ;;
  esac
  return 1
}

is_read_only() {
  find_mount "$1"
  case ,$options, in
    *,ro,*) return 0 ;;
  esac
  return 1
}

# Lock tries it, too; check may write nothing.
check_state_folder() {
  folder=$STATE
  [ -d "$STATE" ] || folder=${STATE%/*}
  ! is_read_only "$folder" || refuse_folder
  free=''
  if have df && free=$(df -Pk "$folder" 2>/dev/null); then
    free=${free#*"
"}
    # shellcheck disable=SC2086 # words
    set -- $free
    free=${4-}
  fi
  # The same program is not written again.
  needed=16
  [ -s "$STATE/host.sh" ] || needed=$((${#SSH_ONLY_PROGRAM} / 1024 + 1))
  [ "${free:-1000}" -ge "$needed" ] || refuse_folder
  if [ "$SSH_ONLY_PERSIST" = true ] && is_in_memory "$STATE"; then
    refuse 4 state-folder "$STATE is in memory here ($place, $type), so a restart would open this host: set persist: false to lock it until then, or mount a disk at $STATE."
  fi
}

refuse_folder() {
  [ "$folder" = "$STATE" ] || refuse 1 state-folder "$folder cannot be written: is it read-only?"
  refuse 1 state-folder "$STATE cannot be written: is the disk full, or read-only?"
}

# Confirm writes there.
check_boot_files() {
  [ "$SSH_ONLY_PERSIST" = true ] || return 0
  find_init
  case $init in
    systemd) folder=/etc/systemd/system ;;
    *) folder=/etc/init.d ;;
  esac
  ! is_read_only "$folder" ||
    refuse 4 boot-files "$folder of this host is read-only, where confirm would write what loads the rules at boot: make it writable for the deploy (mount -o remount,rw ${place}), or set persist: false to lock the host until it restarts."
  ! is_in_memory "$folder" ||
    refuse 4 boot-files "$folder of this host is in memory ($place, $type), so a restart would open this host: set persist: false to lock it until then."
}

# The lock cuts off a disk on the network, and with it the files that a login reads there.
check_disks() {
  ! has_exception egress || return 0
  find_home || :
  while read -r disk place type options _; do
    case $type:$disk in
      nfs:* | nfs4:* | cifs:* | smb3:* | smbfs:* | ceph:* | gfs2:* | ocfs2:* | lustre:* | gpfs:* | afs:* | coda:* | pvfs2:* | beegfs:* | mfs:*) ;;
      fuse.sshfs:* | fuse.glusterfs:* | fuse.ceph:* | fuse.s3fs:* | fuse.mfs*:* | fuse.moosefs*:* | fuse.rclone:* | fuse.davfs*:* | fuse.gcsfuse:* | fuse:http*) ;;
      # Of the machine that runs this one, unless it comes over TCP.
      9p:*)
        case ,$options, in *,trans=virtio,* | *,trans=xen,*) continue ;; esac
        ;;
      *:/dev/nbd* | *:/dev/rbd* | *:/dev/drbd*) ;;
      *) continue ;;
    esac
    # What a login and the way back read: the folders of PATH, too.
    # shellcheck disable=SC2046 # words
    for needed in /etc/ssh /opt /lib /var/log "$STATE" ~root/.ssh "$home/.ssh" $(printf '%s' "$PATH" | tr ':' ' '); do
      case $needed/ in
        "${place%/}"/*)
          refuse 6 network-disk "$place of this host is a disk on the network ($disk, $type), which a login could no longer read: add an egress exception for its server."
          ;;
      esac
    done
  done </proc/mounts
  for transport in /sys/class/nvme/*/transport; do
    kind=''
    [ ! -e "$transport" ] || read -r kind <"$transport" || :
    case $kind in
      tcp | rdma | fc) refuse 6 network-disk 'This host has disks on the network, by NVMe, which it could no longer reach: add an egress exception for their server.' ;;
    esac
  done
  for session in /sys/class/iscsi_session/*; do
    [ ! -e "$session" ] ||
      refuse 6 network-disk 'This host has disks on the network, by iSCSI, which it could no longer reach: add an egress exception for their server.'
  done
}

