# The interface to the firewalls of the kernel. A backend is a file in backends/, and its functions begin with its name:
#
#   X_each_text DO               calls DO FILE TEXT for each of its texts in the settings
#   X_accepts_ruleset            0 if the ruleset in the settings loads here; sets chosen_variant and chosen_families,
#                                for the record. Else sets why_not
#   X_can_load                   0 if the ruleset of the record would load; changes nothing. Prints why not
#   X_load                       puts the ruleset in force. New before old: there is no moment without rules
#   X_unload                     removes the ruleset; fails if the tool for it has gone, because the rules are still there
#   X_unload_unrecorded KEPT     removes unrecorded rules, unless they are of KEPT, a backend with its variant; or `nothing` is kept
#   X_is_live                    0 if rules of the record are loaded, whatever they are
#   X_matches                    0 if the live rules are the ruleset. Proves it once, and keeps the proven listing in the record
#   X_is_proven                  0 if the live rules are still those of that listing, or can be none but those that were proven
#   X_is_sealed_at_a_glance      0 if so, and the record is sealed, in one step; 1 says nothing
#   X_can_list                   0 if the tool lists rules at all
#   X_print_counts               prints what the kernel has denied (evidence.sh); fails if the ruleset is not live
#   X_has_new_counts             after X_is_proven: 0 if it is time to keep them
#   X_counts_peers               0 if it counts each peer, and not only all
#
# "The ruleset" and "the record" are those of read_record. Below are all backends, the preferred one first, and the files of
# a ruleset in the order in which its hash takes them.

backends='nftables iptables'
ruleset_files='nftables iptables ip6tables'

# What was proven last, in this boot, by the tools as they are now; it is written also where the disk is read-only.
proven=$RUN/ssh-only-firewall.proven

forget_proven() { true 2>/dev/null >"$proven" || :; }

# call_backend FUNCTION: that of the backend of the record; fails where the record was lost, or names an unknown backend.
call_backend() {
  case " $backends " in
    *" $rec_backend "*) "${rec_backend}_$1" ;;
    *) return 1 ;;
  esac
}

# each_text DO: calls DO FILE TEXT for each text of the ruleset in the settings.
each_text() {
  for candidate in $backends; do "${candidate}_each_text" "$1"; done
}

# Sets backend to the first one that accepts the ruleset here, of all or of the one in the settings.
choose_backend() {
  reasons=''
  for backend in $backends; do
    case $SSH_ONLY_BACKEND in
      auto | "$backend") ;;
      *) continue ;;
    esac
    why_not=''
    ! "${backend}_accepts_ruleset" || return 0
    reasons="${reasons:+$reasons And: }$why_not"
  done
  refuse 4 no-firewall "No usable firewall for backend '$SSH_ONLY_BACKEND'. $reasons Tools have to be in one of these directories, also at boot: $PATH."
}

# apply_record ATTEMPT: puts that record's ruleset in force, and removes all other rules with our name.
apply_record() {
  note_gap
  keep_evidence || :
  note_loss
  read_record "$1"
  call_backend load && join_other_tables || return 1
  forget_counts
  note_mode
  unload_except "$rec_backend$rec_variant"
}

# unload_except KEPT: removes the rules with our name of every other backend and variant. With `nothing`, all.
unload_except() {
  for candidate in $backends; do
    "${candidate}_unload_unrecorded" "$1" || return 1
  done
  for other in "$STATE"/records/*; do
    read_record "${other##*/}"
    [ -n "$rec_backend" ] && [ "$rec_backend$rec_variant" != "$1" ] || continue
    call_backend unload || return 1
  done
}

# live_matches ATTEMPT: 0 if the live rules are that record's ruleset.
live_matches() {
  read_record "$1"
  call_backend matches
}

confirmed_is_proven() {
  read_record "$confirmed"
  call_backend is_proven
}

# Under the host lock: where a tool lists the rules in new words, proves them once again.
confirmed_is_in_force() {
  confirmed_is_proven || { record_is_sealed "$confirmed" && call_backend matches; }
}

confirmed_is_proven_and_sealed() {
  read_record "$confirmed"
  call_backend is_sealed_at_a_glance || { record_is_sealed "$confirmed" && confirmed_is_proven; }
}

# anything_is_live: 0 if rules with our name are loaded, recorded or not.
anything_is_live() {
  [ ! -f "$other_tables" ] || return 0
  for other in "$STATE"/records/*; do
    read_record "${other##*/}"
    ! call_backend is_live || return 0
  done
  unrecorded_rules_are_live
}
