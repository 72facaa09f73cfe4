# Boot persistence: what loads the confirmed ruleset before the network is up, and the guard that puts it back when
# another program takes it away (nft flush ruleset, iptables -F, the reload of another firewall). One loop serves every
# way of losing the rules and every init system; hooks into the units of others would serve only those we know.

boot_unit=ssh-only-firewall
guard_unit=ssh-only-firewall-guard
guard_seconds=5

# Sets init: systemd, openrc, sysv, or none.
find_init() {
  if [ -d /run/systemd/system ]; then
    init=systemd
  elif [ -x /sbin/openrc-run ] && have rc-update; then
    init=openrc
  elif [ -d /etc/init.d ] && { have update-rc.d || have chkconfig; }; then
    init=sysv
  else
    init=none
  fi
}

# Written by confirm. Harmless until the host is confirmed: without a confirmed ruleset, nothing is loaded. Sets boot_files.
persist() {
  find_init
  boot_files=/etc/init.d/$boot_unit
  case $init in
    systemd)
      boot_files="/etc/systemd/system/$boot_unit.service /etc/systemd/system/$guard_unit.service /etc/systemd/system"
      write_file "/etc/systemd/system/$boot_unit.service" "[Unit]
Description=SSH-only firewall
Documentation=file://$STATE/host.sh
DefaultDependencies=no
RequiresMountsFor=$STATE
After=local-fs.target nftables.service iptables.service ip6tables.service netfilter-persistent.service firewalld.service ufw.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $STATE/host.sh boot

[Install]
WantedBy=sysinit.target
"
      write_file "/etc/systemd/system/$guard_unit.service" "[Unit]
Description=Puts the SSH-only firewall back when its rules are gone
RequiresMountsFor=$STATE
After=$boot_unit.service
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $STATE/host.sh guard
Restart=always
RestartSec=1
TimeoutStopSec=5

[Install]
WantedBy=multi-user.target
"
      chmod 0644 "/etc/systemd/system/$boot_unit.service" "/etc/systemd/system/$guard_unit.service"
      systemctl daemon-reload
      why=$(systemctl --quiet enable "$boot_unit.service" "$guard_unit.service" 2>&1) ||
        die 1 "systemd does not take the boot service: $why"
      ;;
    openrc)
      write_file "/etc/init.d/$boot_unit" "#!/sbin/openrc-run
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
      chmod 0755 "/etc/init.d/$boot_unit"
      # Debian has its network in sysinit, and never runs boot.
      level=boot
      [ ! -e /etc/runlevels/sysinit/networking ] || level=sysinit
      rc-update --quiet add "$boot_unit" "$level"
      ;;
    sysv)
      write_file "/etc/init.d/$boot_unit" "#!/bin/sh
### BEGIN INIT INFO
# Provides:          $boot_unit
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
case \${1-} in
  start | restart | force-reload | reload)
    /bin/sh $STATE/host.sh boot
    code=\$?
    /bin/sh $STATE/host.sh start-guard
    exit \$code ;;
  stop)
    /bin/sh $STATE/host.sh stop-guard ;;
  status)
    exec /bin/sh $STATE/host.sh status ;;
  *)
    echo \"usage: \$0 start|stop|restart|status\" >&2
    exit 2 ;;
esac
"
      chmod 0755 "/etc/init.d/$boot_unit"
      if have update-rc.d; then update-rc.d "$boot_unit" defaults; else chkconfig --add "$boot_unit"; fi >/dev/null 2>&1
      ;;
    none) die 4 'This host has no init system that we know (systemd, OpenRC, sysvinit).' ;;
  esac
}

# Removed by unlock, after the guard was stopped. What is already gone is fine.
forget_boot() {
  find_init
  case $init in
    systemd)
      [ -e "/etc/systemd/system/$boot_unit.service" ] || return 0
      systemctl --quiet disable "$boot_unit.service" "$guard_unit.service" 2>/dev/null || :
      rm -f "/etc/systemd/system/$boot_unit.service" "/etc/systemd/system/$guard_unit.service"
      systemctl daemon-reload
      systemctl --quiet stop "$boot_unit.service" 2>/dev/null || :
      systemctl --quiet reset-failed "$boot_unit.service" "$guard_unit.service" 'ssh-only-firewall-watchdog-*' 2>/dev/null || :
      ;;
    openrc)
      [ -e "/etc/init.d/$boot_unit" ] || return 0
      for level in sysinit boot; do
        [ ! -L "/etc/runlevels/$level/$boot_unit" ] || rc-update --quiet del "$boot_unit" "$level" || :
      done
      rm -f "/etc/init.d/$boot_unit"
      ;;
    sysv)
      [ -e "/etc/init.d/$boot_unit" ] || return 0
      # chkconfig wants the script, update-rc.d wants it gone.
      have update-rc.d || chkconfig --del "$boot_unit" >/dev/null 2>&1 || :
      rm -f "/etc/init.d/$boot_unit"
      ! have update-rc.d || update-rc.d "$boot_unit" remove >/dev/null 2>&1 || :
      ;;
  esac
}

# Of the record that confirm has proven: a copy. What loads is not yet what was proven: half a block lost on the disk may be
# the rule that lets SSH in, and live_matches would find the live rules equal to the damaged file.
seal_record() { sealed_files >"$rec_dir/sealed"; }

sealed_files() { (cd "$rec_dir" && cat meta nftables iptables ip6tables); }

# record_is_sealed ATTEMPT: 0 if it is still what was proven, or was confirmed by a program that kept no copy.
record_is_sealed() {
  read_record "$1"
  [ ! -f "$rec_dir/sealed" ] || [ "$(sealed_files 2>/dev/null)" = "$(cat "$rec_dir/sealed")" ]
}

# The boot service: what was confirmed comes into force. What does not load leaves the host open: reachable comes first.
verb_boot() {
  need_root
  take_host_lock 10
  read_state
  drop_stale_pending
  [ -n "$confirmed" ] || return 0
  if record_is_sealed "$confirmed" && apply_record "$confirmed" && live_matches "$confirmed"; then
    log 'booted: the confirmed ruleset is in force'
  else
    die 10 'The confirmed ruleset does not load at boot: this host may be OPEN. See status.'
  fi
}

# 0 if there is nothing to put back. It runs every few seconds for months.
rules_are_there() {
  confirmed_is_proven && ! others_drop
}

confirmed_is_proven() {
  read_record "$confirmed"
  ipt_use "$rec_variant" "$rec_families"
  case $rec_backend in
    nftables) nft_is_proven "$rec_dir" ;;
    iptables) ipt_is_proven "$rec_dir" ;;
    *) return 1 ;;
  esac
}

# The same, and the record is sealed; where it can, in one look.
confirmed_is_proven_and_sealed() {
  read_record "$confirmed"
  ! { [ "$rec_backend" = nftables ] && nft_is_proven_and_sealed "$rec_dir"; } || return 0
  record_is_sealed "$confirmed" && confirmed_is_proven
}

# Under the host lock: what was confirmed in force again, or what of it is missing.
put_back() {
  if confirmed_is_proven; then
    stand_beside || return 1
    log 'another firewall began to drop what it does not know: SSH passes there too now'
  else
    record_is_sealed "$confirmed" && apply_record "$confirmed" && live_matches "$confirmed" || return 1
    log 'the rules had been removed or changed by another program: the confirmed ruleset is in force again'
  fi
}

# When the guard is told to end, as at every shutdown: what the kernel has counted since the last look. Whoever holds the host
# lock then takes care of it, or has removed it.
guard_ends() {
  trap '' TERM
  (
    exec 9>"$RUN/ssh-only-firewall.lock"
    flock -n 9 || exit 0
    read_state
    [ -z "$confirmed" ] || keep_evidence
  ) </dev/null >/dev/null 2>&1
  exit 0
}

# 0 where a lock has been pending for a minute longer than its watchdog would have let it: the watchdog is dead.
is_overdue() {
  [ -n "$due" ] || return 1
  read_uptime
  [ "$uptime" -gt $((due + 60)) ]
}

verb_guard() {
  trap '' HUP
  trap guard_ends TERM
  set +e
  spare_me
  overdue=0
  printf '%s\n' "$$" >"$RUN/ssh-only-firewall.guard"
  failing=''
  while :; do
    sleep "$guard_seconds"
    read_state
    [ -n "$confirmed$pending" ] || continue
    read_record "${pending:-$confirmed}"
    [ "$rec_mode" = observe ] || end_panic
    if [ -n "$pending" ]; then
      if is_overdue; then
        (
          take_host_lock 10
          roll_back "$pending" 'nobody confirmed it in time, and its watchdog is gone' "$overdue"
        ) </dev/null >/dev/null 2>&1
        [ $? -eq 7 ] || overdue=$((overdue + 1))
      fi
      continue
    fi
    overdue=0
    if rules_are_there; then
      ! counted || (take_host_lock 10 && keep_evidence) </dev/null >/dev/null 2>&1
      continue
    fi
    if (
      take_host_lock 10
      read_state
      [ -n "$confirmed" ] && [ -z "$pending" ] && ! rules_are_there || exit 0
      trim_log
      put_back
    ) </dev/null >/dev/null 2>&1; then
      failing=''
    else
      [ -n "$failing" ] || log 'the rules were removed or changed by another program, and cannot be put back: this host may be OPEN. See status.'
      failing=yes
    fi
  done
}

verb_start_guard() {
  find_init
  case $init in
    systemd) systemctl --no-block restart "$guard_unit.service" ;;
    *)
      verb_stop_guard
      run_detached guard
      # On a busy host it takes its time, and whoever asks for the status right after this would be told that there is none.
      tries=0
      while [ "$tries" -lt 1000 ] && [ ! -s "$RUN/ssh-only-firewall.guard" ]; do pause; done
      ;;
  esac
}

# 0 if the guard runs.
guard_runs() {
  find_init
  if [ "$init" = systemd ]; then
    systemctl --quiet is-active "$guard_unit.service"
  else
    find_guard
  fi
}

# Sets guard to the number of its process, where that is still a guard.
find_guard() {
  [ -f "$RUN/ssh-only-firewall.guard" ] && read -r guard <"$RUN/ssh-only-firewall.guard" || return 1
  # Shells leave out what is between the words.
  words=''
  { read -r words <"/proc/$guard/cmdline"; } 2>/dev/null || :
  case $words in
    *"$STATE/host.shguard"*) return 0 ;;
  esac
  return 1
}

verb_stop_guard() {
  find_init
  if [ "$init" = systemd ]; then
    systemctl --quiet stop "$guard_unit.service" 2>/dev/null || :
    return 0
  fi
  ! find_guard || kill "$guard" 2>/dev/null || :
  rm -f "$RUN/ssh-only-firewall.guard"
}
