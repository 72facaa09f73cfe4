# One face for the two backends.

# Sets backend to the one that takes the ruleset here; auto prefers nftables.
choose_backend() {
  why_not=''
  case $SSH_ONLY_BACKEND in
    nftables | auto)
      if nft_usable; then
        backend=nftables
        ipt_use ''
        return 0
      fi
      ;;
  esac
  nft_why_not=$why_not
  case $SSH_ONLY_BACKEND in
    iptables | auto)
      if ipt_usable; then
        backend=iptables
        return 0
      fi
      ;;
  esac
  [ "$SSH_ONLY_BACKEND" = auto ] && why_not="$nft_why_not And: $why_not"
  die 4 "No usable firewall for backend '$SSH_ONLY_BACKEND'. $why_not"
}

# apply_record ATTEMPT: that record's ruleset in force, and nothing else of ours. New before old: there is no moment
# without rules.
apply_record() {
  note_gap
  keep_evidence
  read_record "$1"
  ipt_use "$rec_variant" "$rec_families"
  case $rec_backend in
    nftables) nft_load "$rec_dir" ;;
    iptables) ipt_load "$rec_dir" ;;
    *) return 1 ;;
  esac && stand_beside || return 1
  forget_counts
  note_mode
  unload_except "$rec_backend$rec_variant"
}

# unload_except KEPT: takes out what is ours on every other backend and variant, by the records. A tool that has gone
# missing since is a failure: the rules are still there. With nothing kept, strays go too.
unload_except() {
  if [ "$1" != nftables ]; then
    ! have nft || nft_unload || return 1
  fi
  [ "$1" != nothing ] || leave_beside || return 1
  for other in "$STATE"/records/*; do
    read_record "${other##*/}"
    [ "$rec_backend$rec_variant" != "$1" ] || continue
    case $rec_backend in
      nftables) have nft || return 1 ;;
      iptables)
        ! is_beside "$rec_variant" || continue
        ipt_use "$rec_variant" "$rec_families"
        ipt_unload || return 1
        ;;
    esac
  done
  [ "$1" = nothing ] || return 0
  strays | while read -r family variant; do
    ipt_use "$variant" "$family"
    ipt_unload || exit 1
  done
}

# live_matches ATTEMPT: 0 if the live rules are that record's ruleset.
live_matches() {
  read_record "$1"
  ipt_use "$rec_variant" "$rec_families"
  case $rec_backend in
    nftables) nft_matches "$rec_dir" ;;
    iptables) ipt_matches "$rec_dir" ;;
    *) return 1 ;;
  esac
}

# anything_live: 0 if rules that bear our name are loaded, recorded or not.
anything_live() {
  ! nft_is_live && [ ! -f "$STATE/beside" ] || return 0
  for other in "$STATE"/records/*; do
    read_record "${other##*/}"
    [ "$rec_backend" = iptables ] || continue
    ipt_use "$rec_variant" "$rec_families"
    ! ipt_is_live || return 0
  done
  [ -n "$(strays)" ]
}

# strays: "FAMILY VARIANT" of the iptables filter tables that our chains are in, whoever has loaded them. Looking creates none.
strays() {
  read_record ''
  list_nft_tables
  others_filters | while read -r family variant; do
    ipt_use "$variant" "$family"
    ! ipt_is_live || printf '%s %s\n' "$family" "$variant"
  done
}
