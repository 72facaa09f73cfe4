# OpenRC: one script, which also starts the guard.

openrc_is_here() { [ -x /sbin/openrc-run ] && have rc-update; }

openrc_persist() {
  boot_files=/etc/init.d/$boot_service
  openrc_write_script
  chmod 0755 "/etc/init.d/$boot_service"
  # Debian has its network in sysinit, and never runs boot.
  level=boot
  [ ! -e /etc/runlevels/sysinit/networking ] || level=sysinit
  rc-update --quiet add "$boot_service" "$level"
}

openrc_write_script() {
  write_file "/etc/init.d/$boot_service" "#!/sbin/openrc-run
description='SSH-only firewall'

depend() {
  use localmount mountall
  before net networking
  after nftables iptables ip6tables firewall firewalld ufw
}

start() {
  ebegin 'Closing this host to everything but SSH'
  /bin/sh $STATE/host.sh boot
  code=\$?
  /bin/sh $STATE/host.sh start-guard
  eend \$code
}

stop() {
  /bin/sh $STATE/host.sh stop-guard
}
"
}

openrc_forget() {
  [ -e "/etc/init.d/$boot_service" ] || return 0
  for level in sysinit boot; do
    [ ! -L "/etc/runlevels/$level/$boot_service" ] || rc-update --quiet del "$boot_service" "$level" || :
  done
  rm -f "/etc/init.d/$boot_service"
}

openrc_start_guard() { start_detached_guard; }
openrc_stop_guard() { stop_detached_guard; }
openrc_guard_runs() { find_guard; }

openrc_start_watchdog() { run_detached watchdog "$@"; }
