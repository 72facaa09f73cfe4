# Asks a host for its report, for the command report: run by a root shell there, behind ask.sh. Prints a line
# "ssh-only-firewall-report", what the host program's report prints, and a line "ssh-only-firewall-end CODE"; nothing where there
# is no host program.

if [ -n "$distrust" ]; then
  printf 'ssh-only-firewall-report\nssh-only-firewall: %s.\nssh-only-firewall-end 1\n' "$distrust"
elif find_program </dev/null; then
  printf 'ssh-only-firewall-report\n'
  sh "$program" report </dev/null
  printf '\nssh-only-firewall-end %s\n' "$?"
fi
