# Whether a copy of the host program is whole. After a power cut a file may be empty, or have zeros in it, and an empty script
# ends with exit code 0. Used by the launcher, by what asks hosts, by the units, and by the program itself.

# find_program: sets program to a whole copy of the host program: the installed one, or the one that a confirmed lock keeps.
find_program() {
  for program in /var/lib/ssh-only-firewall/host.sh /var/lib/ssh-only-firewall/records/*/host.sh; do
    ! program_is_whole "$program" || return 0
  done
  return 1
}

# program_is_whole PATH: 0 if that ends as the program does, and has as many bytes as its first line says. Zeros are not counted.
# Earlier versions name no number. Sets text.
program_is_whole() {
  size="" text=""
  [ ! -s "$1" ] || { read -r size <"$1" && text=$(cat "$1"); } 2>/dev/null || :
  case $text in
    *"
main "????"
exit") ;;
    *) return 1 ;;
  esac
  size=${size#*\(}
  size=${size%% bytes\)*}
  case $size in
    "" | *[!0-9]*) return 0 ;;
  esac
  [ "${#text}" -eq "$size" ]
}
