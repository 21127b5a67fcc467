# ready: distro_state v1
# Prints what Ready decides about a WSL distro by: a line per value, its name and its text in base64. Changes nothing.
# Runs as root by `sh`, in a distro that may have nothing but coreutils.
say() { printf '%s %s\n' "$1" "$(base64 | tr -d '\n')"; }
quick() { timeout 20 "$@" 2>/dev/null; }
say os_release < /etc/os-release
uname -r | say kernel
[ -f /etc/wsl.conf ] && say wsl_conf < /etc/wsl.conf
[ -f /etc/ready/distro.json ] && say marker < /etc/ready/distro.json
getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 {print $1 ":" $3}' | say users
getent group sudo | cut -d: -f4 | say sudoers
# A command may come before systemd has its socket: then it is asked again, for ten seconds at most. An answer is never wrong
# that names a state; "offline" alone is, where wsl.conf wants systemd.
wants() { grep -Eiq '^[[:space:]]*systemd[[:space:]]*=[[:space:]]*true' /etc/wsl.conf 2>/dev/null; }
systemd=$(quick systemctl is-system-running)
tries=0
end=$(($(date +%s) + 10))
while command -v systemctl >/dev/null && [ "$tries" -lt 20 ] && [ "$(date +%s)" -lt "$end" ]; do
    case $systemd in
        '' | unknown) ;;
        offline) wants || break ;;
        *) break ;;
    esac
    tries=$((tries + 1))
    sleep 0.5
    systemd=$(quick systemctl is-system-running)
done
echo "$systemd" | say systemd
quick wslinfo --networking-mode | say networking_mode
ip -4 route show default 2>/dev/null | say routes
ip -4 -o addr show scope global 2>/dev/null | say interfaces
ip route show default 2>/dev/null | awk '{print $3; exit}' | say gateway
date +%s.%N | say time
df -B1 --output=avail / | tail -n 1 | tr -d ' ' | say disk_free
awk '/^MemTotal/ {printf "%.0f\n", $2 * 1024}' /proc/meminfo | say memory
for file in /etc/profile.d/ready-proxy.sh /etc/apt/apt.conf.d/95ready-proxy /etc/ready/windows-proxy.env \
    /etc/sudoers.d/ready; do
    [ -f "$file" ] && sha256sum "$file"
done | say files
for file in /usr/local/share/ca-certificates/ready-*.crt; do
    [ -f "$file" ] && sha256sum "$file"
done | say certificates
[ -S /var/run/docker.sock ] && echo yes | say docker_socket
link=$(command -v docker || true)
[ -z "$link" ] && [ -L /usr/bin/docker ] && link=/usr/bin/docker
if [ -n "$link" ]; then
    { [ -e "$link" ] && echo file || echo dangling; } | say docker_command
    readlink "$link" | say docker_target
fi
server=
[ -n "$link" ] && [ -e "$link" ] && server=$(quick docker version --format '{{.Server.Version}}')
[ -n "$server" ] && echo "$server" | say docker_server
# The clock of a container, of ours where one runs, between two looks at the distro's own: whole seconds.
if [ -n "$server" ]; then
    container=$(timeout 5 docker ps --quiet --filter status=running --filter label=io.ready.stack 2>/dev/null | head -n 1)
    [ -n "$container" ] || container=$(timeout 5 docker ps --quiet --filter status=running 2>/dev/null | head -n 1)
    first=$(date +%s)
    now=$([ -n "$container" ] && timeout 5 docker exec "$container" date +%s 2>/dev/null)
    [ -n "$now" ] && echo "$first $now $(date +%s)" | say container_time
fi
quick dpkg-query -W -f '${Package} ${db:Status-Status}\n' docker.io docker-ce | awk '$2 == "installed" {print $1}' | say docker_packages
exit 0
