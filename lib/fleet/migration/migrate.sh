# Moves hosts from one Terraform state to another. Nothing runs on a host, and no host is opened.
#
# Nobody may apply while it runs. A host comes into its new state before it leaves the old one, and what is read anew each
# time decides what is left to do: when it stops with an error, mend what that says, and run it again.
#
# In front of this stand, as quoted constants:
#   STACKS    a line for each stack: its name, and a configuration that finds its state
#   MOVES     a line for each host: its name, the stack that it leaves, the stack that it goes to
#   COMMAND   how this package is run
# The environment may have:
#   TERRAFORM_BINARY_NAME   the program; if unset or empty, terraform, or tofu where the states are OpenTofu's or only tofu is there
#   TF_ENCRYPTION           how OpenTofu encrypts the states, or the key for that
#   SSH_ONLY_FIREWALL       another command than COMMAND
# Exit code: 0 when all is moved, else that of the step that failed.
set -eu
umask 077
unset TF_DATA_DIR
terraform=${TERRAFORM_BINARY_NAME-}
command=${SSH_ONLY_FIREWALL:-$COMMAND}

is_encrypted() { [ -n "${TF_ENCRYPTION-}" ] || printf '%s\n' "$STACKS" | grep -q '"encryption"'; }

find_program() {
  if is_encrypted || grep -qs '"tofu init"' cdktf.out/stacks/*/.terraform.lock.hcl; then
    terraform=tofu
  elif ! command -v terraform >/dev/null 2>&1 && command -v tofu >/dev/null 2>&1; then
    terraform=tofu
  else
    terraform=terraform
  fi
}

say() { printf '%s\n' "$*"; }

in_stack() {
  in_stack_name=$1
  shift
  "$terraform" "-chdir=$folder/$in_stack_name" "$@" </dev/null
}

# Where each state is: Terraform needs no more of the configuration to read and write it.
prepare() {
  printf '%s\n' "$STACKS" | while read -r stack configuration; do
    mkdir "$folder/$stack"
    printf '%s\n' "$configuration" >"$folder/$stack/main.tf.json"
    in_stack "$stack" init -input=false -no-color >"$folder/$stack/init.log"
  done
}

# One step for all stacks: arrive, or leave. Terraform refuses to write a state that somebody else has changed meanwhile.
step() {
  for stack in $names; do
    in_stack "$stack" state pull >"$folder/$stack/$1.tfstate"
  done
  # Several words.
  # shellcheck disable=SC2086
  $command move-hosts "$1" "$folder"
  for stack in $names; do
    if [ -e "$folder/$stack/$1-moved.tfstate" ]; then
      in_stack "$stack" state push "$1-moved.tfstate"
    fi
  done
}

[ -n "$terraform" ] || find_program
folder=$(mktemp -d "$PWD/moved-hosts.XXXXXX")
names=$(printf '%s\n' "$STACKS" | cut -d ' ' -f 1)
printf '%s\n' "$MOVES" >"$folder/moves"
say "The states as they are now are kept in $folder."
# What state pull prints is plain.
! is_encrypted || say "These copies are NOT encrypted: remove the directory once every plan is as it should be."
prepare
step arrive
step leave
say "Moved. Now synthesize, and plan every stack: no hold and no lockdown may be created, replaced or destroyed."
