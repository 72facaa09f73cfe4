# report: what the owner of the host wants to know before it is given up. Sections that begin with ==; read by the
# command line, and by people.

verb_report() {
  need_root
  take_host_lock 30
  read_state
  drop_stale_pending
  keep_evidence
  current=${pending:-$confirmed}
  read_record "$current"
  printf '== host\nhost=%s\nowner=%s\nmode=%s\nbackend=%s\nport=%s\nlocked_at=%s\nbaseline_at=%s\nnow=%s\n' \
    "$rec_host" "$rec_owner" "$rec_mode" "$rec_backend" "$rec_port" "$rec_locked_at" \
    "$(cat "$STATE/baseline/taken_at" 2>/dev/null || :)" "$(date +%s)"
  printf '== denied\n'
  [ ! -f "$STATE/evidence" ] || cut -d ' ' -f 1-7 "$STATE/evidence"
  printf '== sockets\n'
  [ ! -f "$STATE/baseline/sockets" ] || cat "$STATE/baseline/sockets"
  printf '== logins\n'
  logins | tail -n 500
}

# logins: of SSH, from whatever this host has kept of them.
logins() {
  if have journalctl && journalctl -q --no-pager -o short-iso -t sshd -t sshd-session 2>/dev/null | grep ' Accepted '; then return 0; fi
  if cat /var/log/auth.log.1 /var/log/auth.log /var/log/secure 2>/dev/null | grep 'sshd.*: Accepted '; then return 0; fi
  ! have last || last -w --time-format iso 2>/dev/null | grep . || last 2>/dev/null | grep . || :
}
