# What the boot service runs before the network is up: it loads the confirmed ruleset.

# A ruleset that does not load leaves the host open: reachable comes first.
verb_boot() {
  need_root
  take_host_lock 10
  read_state
  drop_stale_pending
  [ -n "$confirmed" ] || return 0
  repair_program
  apply_confirmed || die 10 'The confirmed ruleset does not load at boot: this host may be OPEN. See status.'
  log 'booted: the confirmed ruleset is in force'
}

# Under the host lock: puts the confirmed ruleset in force, and proves it.
apply_confirmed() {
  record_is_sealed "$confirmed" && apply_record "$confirmed" && live_matches "$confirmed"
}
