# The interface to the init systems. An init system is a file in init/, and its functions begin with its name:
#
#   X_is_here           0 if it is the init system of this host
#   X_persist           makes it run `boot`, and the guard, at every start; sets boot_files, the files that have to be on the disk
#   X_forget            undoes that. What is already gone is fine
#   X_start_guard, X_stop_guard, X_guard_runs
#   X_start_watchdog ATTEMPT DUE
#
# Below, in the order in which they are looked for. `none` is a host on which nothing else was found.

init_systems='systemd openrc sysvinit none'

boot_service=ssh-only-firewall

find_init() {
  for init in $init_systems; do
    ! "${init}_is_here" || return 0
  done
}

# call_init FUNCTION [WORDS]: that of the init system of this host.
call_init() {
  find_init
  function=$1
  shift
  "${init}_$function" "$@"
}

verb_start_guard() { call_init start_guard; }

verb_stop_guard() { call_init stop_guard; }
