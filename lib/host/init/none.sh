# A host without an init system that we know: nothing of a lock outlives a restart, and the guard runs as a process of its own.

none_is_here() { :; }

none_persist() { die 4 'This host has no known init system (systemd, OpenRC, sysvinit).'; }

none_forget() { :; }

none_start_guard() { start_detached_guard; }
none_stop_guard() { stop_detached_guard; }
none_guard_runs() { find_guard; }

none_start_watchdog() { run_detached watchdog "$@"; }
