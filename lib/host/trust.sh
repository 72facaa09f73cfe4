# Whether root alone decides what is in the state folder, from which root runs the host program. A part of the host program, of
# launch.sh and of ask.sh, so that it needs no other function.

# find_distrust FOLDER: sets distrust: who else could replace what is in it, and what to do; empty where nobody could. A folder
# that does not exist yet is judged by those above it. Links above it are followed, because some systems have /var elsewhere.
find_distrust() {
  distrust='' hops=0
  listing=$(list_folders_to "$1" && list_files "$1"/*)
  while [ -n "$listing" ]; do
    follow=''
    while read -r mode _ user _ rest; do
      judge_file "$1"
      [ -z "$distrust" ] || return 0
    done <<LISTING
$listing
LISTING
    hops=$((hops + 1))
    [ "$hops" -lt 20 ] || distrust="$1 is behind too many links: make it a directory"
    [ -n "$follow$distrust" ] || return 0
    # shellcheck disable=SC2086 # words
    listing=$(list_folders_to $follow)
  done
}

# list_folders_to PATHS: each of them, and every directory above it.
list_folders_to() {
  for path in "$@"; do
    path=${path#/}/
    at=/
    set -- /
    while [ -n "$path" ]; do
      at=${at%/}/${path%%/*}
      path=${path#*/}
      set -- "$@" "$at"
    done
    list_files "$@"
  done
}

list_files() { LC_ALL=C ls -ldn "$@" 2>/dev/null || :; }

# judge_file FOLDER: the one in mode, user and rest, which are of its line.
judge_file() {
  # Behind size and date.
  name=/${rest#* /}
  case $mode in
    l*)
      target=${name##* -> }
      name=${name% -> *}
      case $target in
        /*) ;;
        *) target=${name%/*}/$target ;;
      esac
      follow="$follow $target"
      case $name:$target in
        "$1":* | "$1"/*) distrust="$name is a link: remove it" ;;
        *[!A-Za-z0-9.:_/@+-]*) distrust="$name is a link to an unusual name: make it a directory" ;;
      esac
      ;;
    ?????w* | ????????w*) distrust="others than root may write to $name, and could replace what root runs from $1: chmod go-w $name" ;;
    d*) ;;
    *) [ "$name" != "$1" ] || distrust="$name is not a directory: move it away" ;;
  esac
  [ "$user" = 0 ] || distrust="$name belongs to user $user, who could replace what root runs from $1: chown 0:0 $name"
  case $distrust:$name in
    ?*:"$1" | ?*:"$1"/*) distrust="$distrust, after a look at what is in $1" ;;
  esac
}
