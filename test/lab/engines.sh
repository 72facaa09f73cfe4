#!/bin/sh
# The core tests of a lab on each combination of an engine and a kind of resource; each prints what it runs on, with versions.
#
# Usage: engines.sh [TEST...]   test files of test/e2e, without .test.ts; by default core, rollback, fleet, drift and stacks
# The environment may have SSH_ONLY_LAB_PROVIDERS, a folder with real providers in the layout of a filesystem mirror.
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- core rollback fleet drift stacks
pattern="test/e2e/($(echo "$*" | tr ' ' '|'))\\.test\\.ts"
test/lab/setup-go.sh tofu --only-look >/dev/null
failed=
for engine in terraform tofu; do
  for tracker in null_resource terraform_data; do
    printf '\n%s with %s\n' "$engine" "$tracker" >&2
    SSH_ONLY_LAB_TERRAFORM=$engine SSH_ONLY_LAB_TRACKER=$tracker npx jest "$pattern" --selectProjects lab --runInBand ||
      failed="$failed $engine/$tracker"
  done
done
[ -z "$failed" ] || {
  printf 'Failed:%s\n' "$failed" >&2
  exit 1
}
