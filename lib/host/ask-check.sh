# Asks a host whether lock would refuse it, for the command check: run by a root shell there, behind the settings of a lock and
# ask.sh, with two words: the SSH_CONNECTION of the login, and who logged in. Changes nothing.
#
# Prints "ssh-only-firewall-check CODE", and behind it what the verb check of the program in the settings prints, and the line
# "ssh-only-firewall-checked".

SSH_ONLY_FROM=${1-} SSH_ONLY_LOGIN=${2:-root}
found=$(
  exec 2>&1 </dev/null
  set -- check
  # shellcheck disable=SC2154 # in front
  eval "$SSH_ONLY_PROGRAM"
)
printf 'ssh-only-firewall-check %s\n%s\nssh-only-firewall-checked\n' "$?" "$found"
