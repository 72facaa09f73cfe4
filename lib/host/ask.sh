# Asks a host what is in force on it, for the command status: run by a root shell there, behind ask-notes.sh. Changes nothing but
# the notes on who asked.
#
# Prints "ssh-only-firewall-status CODE TEXT", exit code and output of the host program's status --json, and behind them the
# line "ssh-only-firewall-said".

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
find_distrust /var/lib/ssh-only-firewall </dev/null
if [ -n "$distrust" ]; then
  printf 'ssh-only-firewall-status 1 %s\n' "$distrust"
elif find_program </dev/null; then
  # In this shell: another one would take as long to start as all else.
  said=$(
    exec 2>&1 </dev/null
    trusted_by_caller=yes
    set -- status --json
    # shellcheck disable=SC2154 # whole.sh sets it
    eval "$text"
  )
  printf 'ssh-only-firewall-status %s %s\n' "$?" "$said"
  # Before the last line: what asks probes when it has read that. check has brought a program, and leaves nothing behind.
  [ -n "${SSH_ONLY_PROGRAM-}" ] || note_asking "${1-}" 2>/dev/null || :
elif [ -e /var/lib/ssh-only-firewall/host.sh ] || [ -e /var/lib/ssh-only-firewall/confirmed ]; then
  printf 'ssh-only-firewall-status 1 the host program there is damaged, for example by a power cut: deploy again\n'
elif unrecorded_rules_are_live </dev/null; then
  printf 'ssh-only-firewall-status 10 {"state":"open","rules":"unrecorded"}\n'
else
  printf 'ssh-only-firewall-status 0 {"state":"open","rules":"none"}\n'
fi
printf 'ssh-only-firewall-said\n'
