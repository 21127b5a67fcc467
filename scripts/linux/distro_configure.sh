# ready: distro_configure v1
# Makes a WSL distro what its orders say, each a line of words on standard input:
#   user NAME                     an account with sudo, without a password
#   file MODE PATH BASE64         a file, written beside and moved; left alone when it is so already
#   remove PATH                   a file of ours goes
#   certificates                  the system's list of CAs anew
# Prints a line for everything that was changed. Runs as root.
# It comes through `set -f;IFS=;eval $(…)`, because no quotes can pass; both are undone here.
unset IFS
set +f
set -eu
while read -r order first second third; do
    case $order in
    user)
        id "$first" > /dev/null 2>&1 && continue
        useradd --create-home --shell /bin/bash "$first"
        ! getent group sudo > /dev/null || usermod --append --groups sudo "$first"
        echo "user $first"
        ;;
    file)
        mkdir -p "$(dirname "$second")"
        new=$(mktemp "$(dirname "$second")/.ready.XXXXXX")
        printf %s "$third" | base64 -d > "$new"
        chmod "$first" "$new"
        if cmp -s "$new" "$second" && [ "$(stat -c %a "$second")" = "${first#0}" ]; then
            rm "$new"
        else
            mv "$new" "$second"
            echo "file $second"
        fi
        ;;
    remove)
        [ -e "$first" ] || continue
        rm -f "$first"
        echo "remove $first"
        ;;
    certificates) command -v update-ca-certificates > /dev/null && update-ca-certificates > /dev/null && echo certificates ;;
    '') ;;
    *) echo "unknown order $order" >&2; exit 64 ;;
    esac
done
