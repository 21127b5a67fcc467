# Ends what is left of commands whose connection was lost. Runs as root in the distro, by /bin/sh.
#   $1     seconds that they get to end by themselves
#   $2...  their tokens, which their processes carry as READY_WSL=<token>.<session>.<shell> (module_utils/ready/windows/wsl_protocol.py)
# Prints "ended" when nothing is left by then, else "stopped".
# A process that began a session of its own, as Ansible's async wrapper does, is meant to outlive its connection.

# Prints the session that a process is in.
session_of() {
  read -r line 2>/dev/null <"/proc/$1/stat" || return
  # shellcheck disable=SC2086
  set -- ${line##*) }
  echo "$4"
}

# Prints the processes that carry a token in the session it was given in, the shell that began them, and what descends
# from them, whatever its user and session: sudo clears the environment.
find_all() {
  found=' '
  for token; do
    for file in $(grep -laF -- "READY_WSL=$token." /proc/[0-9]*/environ 2>/dev/null); do
      process=${file#/proc/}
      process=${process%/environ}
      mark=$(tr '\0' '\n' 2>/dev/null <"$file" | grep -F "READY_WSL=$token.")
      shell=${mark##*.}
      session=${mark%.*}
      session=${session##*.}
      [ "$(session_of "$process")" = "$session" ] && found="$found$process "
      [ "$(session_of "$shell")" = "$session" ] && found="$found$shell "
    done
  done
  [ "$found" = ' ' ] && return
  more=yes
  while [ "$more" ]; do
    more=
    for file in /proc/[0-9]*/stat; do
      read -r line 2>/dev/null <"$file" || continue
      process=${line%% *}
      # shellcheck disable=SC2086
      set -- ${line##*) }
      case $found in *" $process "*) continue ;; esac
      case $found in *" $2 "*) found="$found$process " more=yes ;; esac
    done
  done
  echo "$found"
}

# Prints those of the processes that still run; a zombie does not.
running() {
  for process; do
    read -r line 2>/dev/null <"/proc/$process/stat" || continue
    case ${line##*) } in Z*) ;; *) echo "$process" ;; esac
  done
}

seconds=$1
shift
while [ "$seconds" -gt 0 ] && [ "$(find_all "$@")" ]; do
  sleep 1
  seconds=$((seconds - 1))
done
left=$(find_all "$@")
if [ -z "$left" ]; then
  echo ended
  exit 0
fi
for signal in TERM KILL KILL; do
  # shellcheck disable=SC2086
  kill -s "$signal" $left 2>/dev/null
  for _ in 1 2 3 4 5; do
    # shellcheck disable=SC2086
    left=$(running $left)
    [ "$left" ] || break
    sleep 1
  done
  left=$(find_all "$@") # what they began meanwhile
  [ "$left" ] || break
done
echo stopped
