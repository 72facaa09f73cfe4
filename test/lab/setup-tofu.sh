#!/bin/sh
# Builds OpenTofu for the lab, from the Go module proxy, and keeps it: for machines that cannot download its releases.
#
# Run by `npm run setup:tofu`, and not by `npm run setup`: the build takes eight minutes of two cores and 4 GB of disk.
# The module is checked against the sum below, and its own go.sum has the sums of all that it is made of. Where `tofu`
# is on the PATH or was built before, nothing is done. Tests that need it are listed as not run where it is not.
#
# Usage:  setup-tofu.sh [--only-look]     --only-look: build nothing
# Prints: the program's file
# Exit:   0 it is there; 1 it is not (the reason is on standard error)

set -eu
export LC_ALL=C

module=github.com/opentofu/opentofu
version=1.12.6
sum=h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=

# Also in test/lab/prerequisites.ts.
if [ "$(id -u)" = 0 ]; then cache=/var/cache/ssh-only-lab; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/ssh-only-lab; fi
program=$cache/tofu-$version/tofu

main() {
  found=$(command -v tofu) || found=$program
  [ ! -x "$found" ] || there "$found"
  [ "${1:-}" != --only-look ] || lack "OpenTofu is not here. To build it (eight minutes): npm run setup:tofu"
  command -v go >/dev/null 2>&1 || lack "Building OpenTofu needs Go. Install Go, or OpenTofu itself."
  mkdir -p "$cache"
  exec 9>"$cache/tofu.lock"
  flock 9
  [ ! -x "$program" ] || there "$program"

  scratch=$cache/tofu-$version.new
  trap 'rm -rf --one-file-system "$scratch"' EXIT
  trap 'exit 1' HUP INT TERM
  rm -rf --one-file-system "$scratch"
  mkdir "$scratch"
  printf 'Building OpenTofu %s, which takes some minutes.\n' "$version" >&2
  build >"$cache/tofu.log" 2>&1 9>&- || {
    tail -n 20 "$cache/tofu.log" >&2
    lack "OpenTofu $version could not be built."
  }
  mkdir -p "$(dirname "$program")"
  mv "$scratch/tofu" "$program"
  rm -f "$cache/tofu.log"
  there "$program"
}

# Built as its own main module: its go.mod has a `replace`, which counts there only.
build() {
  answer=$(go mod download -json "$module@v$version") || return 1
  case $answer in
    *"\"$sum\""*) ;;
    *)
      printf '%s\nThe module is not the one with the sum %s.\n' "$answer" "$sum"
      return 1
      ;;
  esac
  folder=$(printf '%s\n' "$answer" | sed -n 's/^.*"Dir": "\(.*\)",\{0,1\}$/\1/p')
  cp -R "$folder" "$scratch/source" && chmod -R u+w "$scratch/source" || return 1
  (cd "$scratch/source" && CGO_ENABLED=0 nice -n 15 go build -mod=readonly -trimpath -p "${TOFU_BUILD_JOBS:-2}" \
    -ldflags "-s -w -X '$module/version.dev=no'" -o ../tofu ./cmd/tofu) || return 1
  "$scratch/tofu" version
}

there() {
  printf '%s\n' "$1"
  exit 0
}

lack() {
  printf '%s\n' "$@" >&2
  exit 1
}

main "$@"
