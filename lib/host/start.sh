# How init systems start the host program: sh -c STARTER NAME VERB. Behind whole.sh; no single quotes in either, because the
# host program has both as a quoted variable (program.ts).

if find_program; then
  # shellcheck disable=SC2154 # find_program sets it
  exec /bin/sh "$program" "$@"
fi
[ -e /var/lib/ssh-only-firewall/confirmed ] || exit 0
echo "ssh-only-firewall: The host program in /var/lib/ssh-only-firewall is damaged: this host may be OPEN. Deploy to it again." >&2
exit 10
