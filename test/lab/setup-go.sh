#!/bin/sh
# Builds a program that tests run, from the Go module proxy, and keeps it: for machines that cannot download its releases.
#
# Run by `npm run setup:tofu` and `npm run setup:conftest`, and not by `npm run setup`: the build takes minutes of two cores,
# and 4 GB of disk. The module is checked against the sum below, and its own go.sum has the sums of all that it is made of.
# Where the program is on the PATH or was built before, nothing is done. Tests that need it are listed as not run where it is
# not.
#
# Usage:  setup-go.sh tofu|conftest [--only-look]     --only-look: build nothing
# Prints: the program's file
# Exit:   0 it is there; 1 it is not (the reason is on standard error)

set -eu
export LC_ALL=C

# The versions are also in test/lab/prerequisites.ts.
name=${1:-}
case $name in
  tofu)
    module=github.com/opentofu/opentofu version=1.12.6 package=./cmd/tofu time='eight minutes'
    sum=h1:0VT4P8pMmGcCUnQ9DJrJ+Qg2d35Vzm4FFd/9+H7oF98=
    flags="-X '$module/version.dev=no'"
    ;;
  conftest)
    module=github.com/open-policy-agent/conftest version=0.71.1 package=. time='four minutes'
    sum=h1:M6MogKBsr76V7WVTgGgyGvKUsDtzFA3gaOrl7ciyqvQ=
    flags=
    ;;
  *)
    echo 'Usage: setup-go.sh tofu|conftest [--only-look]' >&2
    exit 1
    ;;
esac

if [ "$(id -u)" = 0 ]; then cache=/var/cache/ssh-only-lab; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/ssh-only-lab; fi
program=$cache/$name-$version/$name

main() {
  found=$(command -v "$name") || found=$program
  [ ! -x "$found" ] || there "$found"
  [ "${1:-}" != --only-look ] || lack "$name is not here. To build it ($time): npm run setup:$name"
  command -v go >/dev/null 2>&1 || lack "Building $name needs Go. Install Go, or $name itself."
  mkdir -p "$cache"
  exec 9>"$cache/$name.lock"
  flock 9
  [ ! -x "$program" ] || there "$program"

  scratch=$cache/$name-$version.new
  trap 'rm -rf --one-file-system "$scratch"' EXIT
  trap 'exit 1' HUP INT TERM
  rm -rf --one-file-system "$scratch"
  mkdir "$scratch"
  printf 'Building %s %s, which takes about %s.\n' "$name" "$version" "$time" >&2
  build >"$cache/$name.log" 2>&1 9>&- || {
    tail -n 20 "$cache/$name.log" >&2
    lack "$name $version could not be built."
  }
  mkdir -p "$(dirname "$program")"
  mv "$scratch/$name" "$program"
  rm -f "$cache/$name.log"
  there "$program"
}

# Built as its own main module, so that its go.sum counts, and a `replace` in its go.mod.
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
  (cd "$scratch/source" && CGO_ENABLED=0 nice -n 15 go build -mod=readonly -trimpath -p "${GO_BUILD_JOBS:-2}" \
    -ldflags "-s -w $flags" -o "../$name" "$package") || return 1
  "$scratch/$name" --version
}

there() {
  printf '%s\n' "$1"
  exit 0
}

lack() {
  printf '%s\n' "$@" >&2
  exit 1
}

shift
main "$@"
