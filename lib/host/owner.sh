# Who has locked a host: the owner, which is the id of a hold, and the stack, construct, workspace and host name behind it. Only the
# owner counts. The others show whether a run of the same stack has locked it, whose hold this Terraform state does not have.

# Sets the client that came over SSH; empty where nobody did.
find_client() {
  client=${SSH_ONLY_FROM%% *}
  # It becomes part of the record, and of JSON.
  case $client in *[!0-9A-Za-z:.%_-]*) client='' ;; esac
}

check_owner() {
  if [ "$pending" = "$SSH_ONLY_ATTEMPT" ]; then
    read_record "$pending"
    [ "${rec_owner:-$SSH_ONLY_OWNER}" = "$SSH_ONLY_OWNER" ] ||
      refuse 8 locked "This attempt is pending already, with owner $rec_owner, not $SSH_ONLY_OWNER."
  fi
  [ -n "$confirmed" ] || return 0
  read_record "$confirmed"
  record_is_of_others || return 0
  check_damaged_owner
  if record_is_of_same_stack; then
    # The state of that stack has the owner, which is not known here.
    [ -z "${checking-}" ] || return 0
    case $SSH_ONLY_TAKE_OVER in true | same-stack) return 0 ;; esac
    refuse 8 locked "An earlier run of this stack has locked this host at $rec_locked_at${rec_from:+ from $rec_from} (hold $rec_owner, $rec_origin). This Terraform state does not have that lock: the run ended before the state was written, or this stack has two states. If it has two, deploy with the other one. Else set takeOver to \"same-stack\" for the whole firewall and deploy: that takes over such locks, and no others."
  fi
  [ "$SSH_ONLY_TAKE_OVER" != true ] || return 0
  refuse 8 locked "This host is already locked by another owner (hold $rec_owner, as $rec_host, since $rec_locked_at${rec_from:+, from $rec_from}${rec_origin:+, $rec_origin}). If that Terraform state is gone, or gave this host up, set takeOver to true for this host, for one deploy."
}

record_is_of_others() { [ "$rec_owner" != "$SSH_ONLY_OWNER" ]; }

# Of a damaged record no more is known than its owner, if that is. The owner's own deploy replaces it.
check_damaged_owner() {
  [ -n "$rec_damaged" ] && [ "$SSH_ONLY_TAKE_OVER" != true ] || return 0
  whose='names no owner'
  [ -z "$rec_owner" ] || whose="is of another owner (hold $rec_owner)"
  refuse 8 locked "The record of the lock in force here is damaged, and $whose. If that lock is yours, set takeOver to true for this host, for one deploy, which repairs it."
}

# Also sets rec_origin, for messages.
record_is_of_same_stack() {
  rec_origin=''
  # Earlier versions recorded no stack.
  [ -n "$rec_stack" ] || return 1
  rec_origin="stack $rec_stack, construct $rec_construct, workspace $rec_workspace"
  # A check does not know the workspace.
  [ -z "${checking-}" ] || SSH_ONLY_WORKSPACE=$rec_workspace
  [ "$rec_stack $rec_construct $rec_workspace $rec_host" = "$SSH_ONLY_STACK $SSH_ONLY_CONSTRUCT $SSH_ONLY_WORKSPACE $SSH_ONLY_HOST" ]
}

# What a new lock replaces, where that is not what its Terraform state knows.
report_replaced_lock() {
  [ -n "$confirmed" ] || return 0
  read_record "$confirmed"
  if record_is_of_others; then
    say "$SSH_ONLY_HOST: the lock of another owner (hold ${rec_owner:-unknown}, since $rec_locked_at${rec_from:+, from $rec_from}) is in force, and is taken over."
  elif [ "$rec_replaced" = "$SSH_ONLY_ATTEMPT" ]; then
    say "$SSH_ONLY_HOST: a newer lock of the same owner (attempt $confirmed, since $rec_locked_at) is in force, and gives way to this one."
  fi
}
