# The end of every script that Terraform uploads, behind its settings (SSH_ONLY_VERB and the words after it) and unrecorded.sh. It
# runs as the login user, becomes root, and starts the host program: for lock the one in the settings, otherwise the installed one.

# An empty or relative entry of the login's must not be searched before these.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

if [ "${1-}" != as-root ]; then
  # Terraform made this file writable for everybody.
  chmod 0700 "$0"
  # Terraform leaves an empty file of this name behind, some time later; or this file, if it dies.
  (
    trap '' HUP
    # Those of a day ago that were never started, or that lost power.
    find "${0%/*}" -maxdepth 1 -name '.ssh-only-firewall-*.sh' -mmin +1440 -exec rm -f {} + || :
    tries=0
    while [ -s "$0" ] && [ "$tries" -lt 100 ]; do
      sleep 3
      tries=$((tries + 1))
    done
    rm -f "$0"
  ) </dev/null >/dev/null 2>&1 &
  if [ "$(id -u)" -eq 0 ]; then
    set -- as-root "${SSH_CONNECTION-}" root
  elif command -v sudo >/dev/null 2>&1 && sudo -n /bin/sh -c : 2>/dev/null; then
    # Read by this user: root may not be able to, in a home on NFS.
    # shellcheck disable=SC2024
    sudo -n /bin/sh -s as-root "${SSH_CONNECTION-}" "$(id -un)" <"$0"
    exit
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    echo "ssh-only-firewall: sudo lets the user $(id -un) run commands without a password, but not /bin/sh: add '$(id -un) ALL=(ALL) NOPASSWD: /bin/sh' as the last line of sudoers. The host was not changed." >&2
    exit 3
  else
    echo "ssh-only-firewall: The user $(id -un) is not root and has no password-less sudo: log in as root, or add '$(id -un) ALL=(ALL) NOPASSWD: ALL' to sudoers. The host was not changed." >&2
    exit 3
  fi
fi

# One compound command: the shell has read it all before standard input, which may be this script, is closed.
{
  exec </dev/null
  # shellcheck disable=SC2034 # read by the host program
  SSH_ONLY_FROM=$2 SSH_ONLY_LOGIN=$3
  case $SSH_ONLY_VERB in
    lock)
      # They read what follows in their own ways, or wait for ever.
      odd=${KSH_VERSION-}${ZSH_VERSION-}
      if [ -n "$odd" ]; then
        echo "ssh-only-firewall: /bin/sh is a shell that this program does not run under ($odd): make it dash, bash or busybox. The host was not changed." >&2
        exit 4
      fi
      set -- lock
      eval "$SSH_ONLY_PROGRAM"
      ;;
    *)
      state=/var/lib/ssh-only-firewall
      find_distrust $state
      if [ -n "$distrust" ]; then
        echo "ssh-only-firewall: $distrust. The host was not changed." >&2
        exit 1
      fi
      if ! find_program; then
        case $SSH_ONLY_VERB in
          unlock* | confirm-unlock*)
            if [ -e $state/confirmed ]; then
              echo "ssh-only-firewall: The host program in $state is damaged, and this host is locked: deploy to it, which repairs the program, and destroy again. The host was not changed." >&2
              exit 10
            fi
            if unrecorded_rules_are_live; then
              echo 'ssh-only-firewall: Rules of this program are live, and the program is gone: somebody has loaded a saved copy of them. Deploy to this host and destroy again, which removes them. The host was not changed.' >&2
              exit 10
            fi
            echo 'ssh-only-firewall: This host is open: there is nothing to unlock. The host was not changed.'
            exit 0
            ;;
        esac
        if [ -e $state/host.sh ]; then
          echo "ssh-only-firewall: The host program in $state is damaged, for example by a power cut: deploy again. The host was not changed." >&2
          exit 10
        fi
        echo 'ssh-only-firewall: The host program is not installed: this host was never locked, or was unlocked since. The host was not changed.' >&2
        exit 9
      fi
      export SSH_ONLY_FROM
      case $SSH_ONLY_VERB in
        # A program of an earlier version opens the host at once.
        unlock*) grep -q confirm-unlock "$program" || SSH_ONLY_VERB=${SSH_ONLY_VERB% *} ;;
      esac
      # shellcheck disable=SC2086 # a verb and its identifiers
      exec /bin/sh "$program" $SSH_ONLY_VERB
      ;;
  esac
  exit
}
