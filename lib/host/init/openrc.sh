# OpenRC: one script, which also starts the guard.

openrc_is_here() { [ -x /sbin/openrc-run ] && have rc-update; }

openrc_persist() {
  openrc_write_script
  # Debian has its network in sysinit, and never runs boot.
  level=boot
  [ ! -e /etc/runlevels/sysinit/networking ] || level=sysinit
  rc-update --quiet add "$boot_service" "$level"
  boot_files="/etc/init.d/$boot_service /etc/init.d /etc/runlevels/$level"
}

openrc_write_script() {
  keep_file "/etc/init.d/$boot_service" "#!/sbin/openrc-run
description='SSH-only firewall'

depend() {
  use localmount mountall
  before net networking
  after nftables iptables ip6tables firewall firewalld ufw
}

program() {
  /bin/sh -c '$starter' $boot_service \"\$1\"
}

start() {
  ebegin 'Closing this host to everything but SSH'
  program boot
  code=\$?
  program start-guard
  eend \$code
}

stop() {
  program stop-guard
}
" 0755
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
