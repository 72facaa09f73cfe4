#!/bin/sh
# Unpacks nft and iptables of another release of Debian, with the libraries that they need, into a folder of wrappers. The
# packages come from the mirror that this machine uses itself. They are unpacked once, under a lock, and renamed into place.
#
# Usage:  release-tools.sh CACHE RELEASE
# Prints: the folder; its bin/ comes first in the PATH of whoever wants to run these tools
# Exit:   0 it is there; 1 it could not be made (the reason is on standard error)

set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/sbin"

main() {
  cache=$1 release=$2
  folder=$cache/tools-$release
  mkdir -p "$cache"
  [ ! -d "$folder" ] || found
  exec 9>"$cache/tools.lock"
  flock 9
  [ ! -d "$folder" ] || found
  scratch=$folder.new
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 1' HUP INT TERM
  rm -rf "$scratch"
  mkdir -p "$scratch"
  make >"$folder.log" 2>&1 9>&- || {
    tail -n 20 "$folder.log" >&2
    printf 'The tools of %s could not be unpacked.\n' "$release" >&2
    exit 1
  }
  mv "$scratch" "$folder"
  rm -f "$folder.log"
  found
}

found() {
  printf '%s\n' "$folder"
  exit 0
}

make() {
  download || return 1
  for package in "$scratch"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$scratch/files" || return 1; done
  rm -rf "$scratch/apt" "$scratch/files/usr/share"
  loader=$(cd "$scratch/files" && find . -name 'ld-linux*.so*' | sed 's/^\.//' | sort | head -n 1)
  libraries=$(cd "$scratch/files" && find . -type d -path '*lib/*-linux-*' -prune | sed "s|^\\.|$folder/files|" | tr '\n' :)
  mkdir "$scratch/bin"
  wrap nft "$(cd "$scratch/files" && find . -name nft -type f -path '*bin/*' | sed 's/^\.//')"
  for variant in nft legacy; do
    multi=$(cd "$scratch/files" && find . -name "xtables-$variant-multi" | sed 's/^\.//')
    for family in iptables ip6tables; do
      for command in '' -save -restore; do
        wrap "$family-$variant$command" "$multi" "$family$command"
        # As Debian's alternatives have it.
        [ "$variant" = legacy ] || ln -s "$family-$variant$command" "$scratch/bin/$family$command"
      done
    done
  done
}

# An apt of its own, which knows only this release and no installed package.
download() {
  apt=$scratch/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" || return 1
  : >"$apt/status"
  mirror=$(mirror)
  [ -n "$mirror" ] || {
    echo 'This machine has no mirror of Debian in its sources of packages.'
    return 1
  }
  printf 'deb %s %s main\n' "$mirror" "$release" >"$apt/sources"
  private update && private -y --no-install-recommends --download-only install nftables iptables
}

private() {
  apt-get -q -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
    -o Dir::Etc::sourcelist="$apt/sources" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

mirror() {
  # shellcheck disable=SC2016 # for apt
  apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null |
    awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

# wrap NAME PROGRAM [APPLET]: a command that runs the program with its own loader and libraries.
wrap() {
  {
    printf '#!/bin/sh\nXTABLES_LIBDIR=%s export XTABLES_LIBDIR\n' \
      "$folder/files$(cd "$scratch/files" && find . -type d -name xtables -path '*lib/*' | sed 's/^\.//' | head -n 1)"
    printf 'exec %s --library-path %s %s %s "$@"\n' "$folder/files$loader" "${libraries%:}" "$folder/files$2" "${3-}"
  } >"$scratch/bin/$1"
  chmod 0755 "$scratch/bin/$1"
}

main "$@"
