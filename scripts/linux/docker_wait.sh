# ready: docker_wait v1
# Waits until Docker answers in this distro, a minute at most, and 20 seconds more where a question hangs: Docker Desktop links
# its socket and its command a little after its engine is up. Says nothing: whoever looks next sees what there is. Changes nothing.
tries=0
end=$(($(date +%s) + 60))
until timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge "${READY_TRIES:-30}" ] || [ "$(date +%s)" -ge "$end" ]; then exit 1; fi
    sleep "${READY_PAUSE:-2}"
done
exit 0
