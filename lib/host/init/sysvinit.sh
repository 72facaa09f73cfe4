# sysvinit: one script, which also starts the guard.

sysvinit_is_here() { [ -d /etc/init.d ] && { have update-rc.d || have chkconfig; }; }

sysvinit_persist() {
  sysvinit_write_script
  if have update-rc.d; then update-rc.d "$boot_service" defaults; else chkconfig --add "$boot_service"; fi >/dev/null 2>&1
  boot_files="/etc/init.d/$boot_service"
  # Where the links are, and what insserv writes down.
  for file in /etc/init.d /etc/init.d/.depend.* /etc/rc*.d /etc/rc.d /etc/rc.d/rc*.d; do
    [ ! -e "$file" ] || boot_files="$boot_files $file"
  done
}

sysvinit_write_script() {
  keep_file "/etc/init.d/$boot_service" "#!/bin/sh
### BEGIN INIT INFO
# Provides:          $boot_service
# Required-Start:    mountkernfs \$local_fs
# Required-Stop:
# Should-Start:      nftables iptables netfilter-persistent ufw
# X-Start-Before:    networking
# Default-Start:     S
# Default-Stop:
# Short-Description: SSH-only firewall
### END INIT INFO
# chkconfig: 2345 09 91
# description: closes this host to everything but SSH
program() {
  /bin/sh -c '$starter' $boot_service \"\$1\"
}
case \${1-} in
  start | restart | force-reload | reload)
    program boot
    code=\$?
    program start-guard
    exit \$code ;;
  stop)
    program stop-guard ;;
  status)
    program status ;;
  *)
    echo \"usage: \$0 start|stop|restart|status\" >&2
    exit 2 ;;
esac
" 0755
}

sysvinit_forget() {
  [ -e "/etc/init.d/$boot_service" ] || return 0
  # chkconfig requires the script, and update-rc.d requires that it is gone.
  have update-rc.d || chkconfig --del "$boot_service" >/dev/null 2>&1 || :
  rm -f "/etc/init.d/$boot_service"
  ! have update-rc.d || update-rc.d "$boot_service" remove >/dev/null 2>&1 || :
}

sysvinit_start_guard() { start_detached_guard; }
sysvinit_stop_guard() { stop_detached_guard; }
sysvinit_guard_runs() { find_guard; }

sysvinit_start_watchdog() { run_detached watchdog "$@"; }
