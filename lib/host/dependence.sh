# The pre-flight, of what needs the network later: it would pass the confirm, and lose the host after a restart, or when a cache, a
# lease or a peer's patience ends. Each check names the remedy that lets it pass.

# The configuration without comments, of files that may not be there: settings_of FILES.
settings_of() { cat "$@" 2>/dev/null | sed -e 's/#.*//' -e 's/[[:space:]]*$//' || :; }

# After a restart cloud-init asks its datasource whether this is still the same machine. Without an answer it takes the host for a
# new one, with new host keys and its default user.
check_cloud_init() {
  [ "$SSH_ONLY_PERSIST" = true ] && [ -r /var/lib/cloud/instance/datasource ] && [ ! -e /etc/cloud/cloud-init.disabled ] || return 0
  ! has_exception egress || return 0
  [ ! -e /var/lib/cloud/instance/manual-clean ] || return 0
  case " $(cat /proc/cmdline 2>/dev/null) " in
    *' cloud-init=disabled '*) return 0 ;;
  esac
  settings_of /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d/*.cfg | grep -q '^manual_cache_clean:[[:space:]]*[Tt]rue$' && return 0
  read -r source </var/lib/cloud/instance/datasource || :
  case $source in
    DataSourceNoCloud*http*) ;;
    DataSourceNoCloud* | DataSourceConfigDrive* | DataSourceNone* | DataSourceOVF* | DataSourceVMware* | DataSourceLXD* | DataSourceWSL* | DataSourceSmartOS* | DataSourceRbx* | '') return 0 ;;
  esac
  refuse 6 cloud-init "cloud-init here has a datasource on the network (${source%%:*}). After a restart it could not ask it, and would set this host up as a new one, with other host keys: add an egress exception for it (usually to 169.254.169.254, port 80), or write manual_cache_clean: true to /etc/cloud/cloud.cfg.d/99-keep.cfg."
}

check_fencing() {
  names_of fencing
  for name in $names; do
    case $name in
      wd_keepalive) ;;
      watchdog)
        target=$(settings_of /etc/watchdog.conf | sed -n 's/^[[:space:]]*ping[[:space:]]*=[[:space:]]*//p' | sed q)
        [ -z "$target" ] || refuse 6 fencing "watchdog runs here and restarts this host when $target does not answer a ping (/etc/watchdog.conf), and no exception lets its pings out: remove its ping lines and restart watchdog."
        ;;
      auditd)
        ! has_exception egress || continue
        settings_of /etc/audit/audisp-remote.conf /etc/audisp/audisp-remote.conf | tr '[:upper:]' '[:lower:]' | grep -Eq '^(network_failure_action|remote_ending_action|startup_failure_action)[[:space:]]*=[[:space:]]*(halt|single)$' &&
          settings_of /etc/audit/plugins.d/au-remote.conf /etc/audisp/plugins.d/au-remote.conf | grep -q '^active[[:space:]]*=[[:space:]]*yes$' || continue
        refuse 6 fencing "audisp-remote here halts this host when its server is silent (/etc/audit/audisp-remote.conf): set network_failure_action to syslog, or add an egress exception for the server."
        ;;
      *)
        ! has_exception egress || ! has_exception ingress || continue
        refuse 6 fencing "$name runs here, and restarts this host, or has it restarted, when its peers are silent: take this host out of the cluster, stop and disable $name, or add ingress and egress exceptions for the peers."
        ;;
    esac
  done
}

# SSH may come through a tunnel, or from a forwarder on this host: its carrier is traffic like any other.
check_tunnel() {
  [ -n "$SSH_ONLY_FROM" ] || return 0
  case ${SSH_ONLY_FROM%% *} in
    127.* | ::1 | ::ffff:127.*) is_carried || refuse 6 tunnel "You came from ${SSH_ONLY_FROM%% *}, through a forwarder on this host (such as sslh, cloudflared or an SSM agent), whose own connections would end: add an ingress or egress exception for them." ;;
  esac
  have ip || return 0
  check_ipsec
  route=$(ip route get "${SSH_ONLY_FROM%% *}" 2>/dev/null) || return 0
  case $route in *' dev '*) ;; *) return 0 ;; esac
  device=${route#* dev }
  device=${device%%[!A-Za-z0-9._@:-]*}
  case $device in '' | .*) return 0 ;; esac
  is_tunnel "/sys/class/net/$device" && ! is_carried || return 0
  refuse 6 tunnel "You came through the tunnel $device, whose carrier would end: add an exception for it (wireguard, protocol, or ingress and egress with its port and peers), or come another way."
}

# IPsec mostly has no interface of its own. Its keys come over UDP, again and again.
check_ipsec() {
  ! has_exception ingress || ! has_exception egress || return 0
  policy=$(ip xfrm policy list dir in 2>/dev/null | awk -v address="$client_address" "$awk_addresses$awk_ipsec")
  [ -z "$policy" ] || refuse 6 tunnel "You came through IPsec (its policy for $policy), whose carrier would end: add ingress and egress exceptions for its peer, UDP ports 500 and 4500, and unless there is NAT between them, a protocol exception esp; or come another way."
}

is_carried() { has_exception wireguard || has_exception protocol || has_exception ingress || has_exception egress; }

# is_tunnel DIRECTORY: of an interface in /sys. Its types are in linux/if_arp.h: PPP, IPIP, IP6 tunnels, SIT, GRE.
is_tunnel() {
  [ ! -e "$1/tun_flags" ] || return 0
  kind='' devtype=''
  read -r kind 2>/dev/null <"$1/type" || :
  case $kind in 512 | 768 | 769 | 776 | 778 | 823) return 0 ;; esac
  while IFS='=' read -r key value; do
    [ "$key" != DEVTYPE ] || devtype=$value
  done 2>/dev/null <"$1/uevent" || :
  case $devtype in wireguard | vxlan | geneve | gretap | bareudp) return 0 ;; esac
  return 1
}

# Sets sshd_says: the settings of the sshd that runs, for this login; empty where it does not say.
find_sshd_settings() {
  sshd_says=''
  have sshd || return 0
  find_daemons
  config=''
  while read -r pid _ kind; do
    [ "$kind" = sshd ] || continue
    words=''
    read -r words 2>/dev/null <"/proc/$pid/cmdline" || :
    case $words in
      'sshd: '*' -f '*'[listener]'*)
        config=${words#* -f }
        config=${config#"${config%%[! ]*}"}
        config=${config%% *}
        break
        ;;
    esac
  done <<DAEMONS
$daemons
DAEMONS
  sshd_says=$(sshd -T ${config:+-f "$config"} -C "user=${SSH_ONLY_LOGIN:-root},host=localhost,addr=${client_address:-127.0.0.1}" 2>/dev/null) || sshd_says=''
}

# find_setting NAME: sets setting to its values, of all lines of $sshd_says.
find_setting() {
  setting=''
  rest="
$sshd_says
"
  while :; do
    case $rest in
      *"
$1 "*) ;;
      *) return 0 ;;
    esac
    rest=${rest#*"
$1 "}
    line=${rest%%"
"*}
    rest=${rest#"$line"}
    setting="${setting:+$setting }$line"
  done
}

# A cache lets the confirm through, and the login fails when it has expired.
check_login_servers() {
  ! has_exception egress || return 0
  find_sshd_settings
  find_setting authorizedkeyscommand
  case $setting in
    '' | none) ;;
    *) refuse 6 login-server "sshd runs ${setting%% *} at each login (AuthorizedKeysCommand), which usually asks a server: add an egress exception for it, or keep the keys in authorized_keys and remove that line." ;;
  esac
  check_login_names
  check_pam
}

# Names that have to be resolved at each login.
check_login_names() {
  ! has_exception dns || return 0
  find_setting usedns
  if [ "$setting" = yes ]; then
    find_setting allowusers
    users=$setting
    find_setting denyusers
    names=$(printf '%s\n' "$users $setting" | tr ' ' '\n' | sed -n 's/.*@//p' | grep '[A-Za-z]' | sed q)
    [ -n "$names" ] || {
      find_home || :
      names=$(sed -n 's/^[^#]*from="\([^"]*\)".*/\1/p' "${home:-/root}/.ssh/authorized_keys" 2>/dev/null | tr ',' '\n' | grep -v '^[!0-9a-fA-F:.*?/]*$' | sed q)
    }
    [ -z "$names" ] || refuse 6 login-name "sshd looks up names at each login (UseDNS), and allows logins from $names: write addresses instead, or add a dns exception."
  fi
  grep -Eqs '^ *(sshd|ALL)' /etc/hosts.deny && grep -qs libwrap "$(command -v sshd)" /usr/lib/openssh/sshd-session || return 0
  names=$(settings_of /etc/hosts.allow | sed -n 's/^ *\(sshd\|ALL\) *: *\([^:]*\).*/\2/p' | tr ' ' ',' | tr ',' '\n' | grep '[a-z]' | grep -v ':' | sed q)
  [ -z "$names" ] || refuse 6 login-name "/etc/hosts.allow allows logins from $names, a name that has to be looked up at each login: write addresses instead, or add a dns exception."
}

check_pam() {
  find_setting usepam
  [ "$setting" = yes ] || return 0
  kinds='account session'
  find_setting authenticationmethods
  case $setting in
    *keyboard-interactive* | *password*) kinds="auth $kinds" ;;
  esac
  services='sshd sudo'
  [ "${SSH_ONLY_LOGIN:-root}" != root ] || services=sshd
  module=$(awk -v services="$services" -v kinds="$kinds" "$awk_pam" </dev/null)
  [ -z "$module" ] || refuse 6 login-server "$module asks a server at each login here (/etc/pam.d/sshd or sudo): add an egress exception for it, or take it out of the account and session lines (pam-auth-update)."
}
