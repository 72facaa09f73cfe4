# systemd: two units, and the watchdog as a transient one.

guard_service=$boot_service-guard
units=/etc/systemd/system

systemd_is_here() { [ -d /run/systemd/system ]; }

systemd_persist() {
  boot_files="$units/$boot_service.service $units/$guard_service.service $units $units/sysinit.target.wants $units/multi-user.target.wants"
  systemd_quote_starter
  systemd_write_boot_unit
  systemd_write_guard_unit
  systemctl daemon-reload
  why=$(systemctl --quiet enable "$boot_service.service" "$guard_service.service" 2>&1) ||
    die 1 "systemd rejects the boot service: $why"
}

# Sets start: the starter as one word of a unit, in which $ begins a variable, and % a specifier.
systemd_quote_starter() {
  start=$(printf '%s\n' "$starter" |
    sed -e ':a' -e '$!{' -e N -e 'ba' -e '}' -e 's/[\"]/\\&/g' -e 's/\$/$$/g' -e 's/%/%%/g' -e 's/\n/\\n/g')
}

systemd_write_boot_unit() {
  keep_file "$units/$boot_service.service" "[Unit]
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
ExecStart=/bin/sh -c \"$start\" $boot_service boot

[Install]
WantedBy=sysinit.target
" 0644
}

systemd_write_guard_unit() {
  keep_file "$units/$guard_service.service" "[Unit]
Description=Restores the rules of the SSH-only firewall
RequiresMountsFor=$STATE
After=$boot_service.service
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh -c \"$start\" $guard_service guard
Restart=always
RestartSec=1
TimeoutStopSec=5

[Install]
WantedBy=multi-user.target
" 0644
}

systemd_forget() {
  [ -e "$units/$boot_service.service" ] || return 0
  systemctl --quiet disable "$boot_service.service" "$guard_service.service" 2>/dev/null || :
  rm -f "$units/$boot_service.service" "$units/$guard_service.service"
  systemctl daemon-reload
  systemctl --quiet stop "$boot_service.service" 2>/dev/null || :
  systemctl --quiet reset-failed "$boot_service.service" "$guard_service.service" 'ssh-only-firewall-watchdog-*' 2>/dev/null || :
}

systemd_start_guard() { systemctl --no-block restart "$guard_service.service"; }

systemd_stop_guard() { systemctl --quiet stop "$guard_service.service" 2>/dev/null || :; }

systemd_guard_runs() { systemctl --quiet is-active "$guard_service.service"; }

# The unit is named after the time limit, too: a lock that is pending and is run again has the same attempt.
# As a unit of its own, because logind may end whatever belongs to the session. Old releases do not know all properties.
systemd_start_watchdog() {
  ! have systemd-run || for properties in '-p Restart=on-failure -p OOMPolicy=continue -p StartLimitIntervalSec=0' '-p Restart=on-failure' ''; do
    # shellcheck disable=SC2086 # words
    ! systemd-run --quiet --unit="ssh-only-firewall-watchdog-$1-$2" $properties --description='Rolls an unconfirmed SSH-only lock back' \
      /bin/sh -c "$systemd_watchdog" "$STATE/host.sh" watchdog "$@" </dev/null >/dev/null 2>&1 || return 0
  done
  run_detached watchdog "$@"
}

# Started again, it must not fail for ever where the host has been unlocked. For systemd, $ is written $$.
# shellcheck disable=SC2016 # of another shell
systemd_watchdog='[ -e "$$0" ] || exit 0; [ ! -s "$$0" ] || exec /bin/sh "$$0" "$$@"; exit 1'
