# Asks a host what is in force on it, for the command status: run by a root shell there, behind unrecorded.sh. Changes nothing.
#
# Prints "ssh-only-firewall-status CODE TEXT", exit code and output of the host program's status --json, and behind them the
# line "ssh-only-firewall-said".

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
program=/var/lib/ssh-only-firewall/host.sh
if [ -f "$program" ]; then
  # In this shell: another one would take as long to start as all else.
  said=$(
    exec 2>&1 </dev/null
    set -- status --json
    # shellcheck source=/dev/null
    . "$program"
  )
  printf 'ssh-only-firewall-status %s %s\n' "$?" "$said"
elif unrecorded_rules_are_live </dev/null; then
  printf 'ssh-only-firewall-status 10 {"state":"open","rules":"unrecorded"}\n'
else
  printf 'ssh-only-firewall-status 0 {"state":"open","rules":"none"}\n'
fi
printf 'ssh-only-firewall-said\n'
