# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine works: not that it is installed, but that containers run in it."""

from __future__ import annotations

import json
from typing import Any

# An image of sh and cat with their libraries: no registry is asked.
RUN = """
set -e
if ! docker image inspect probe >/dev/null 2>&1; then
  root=$(mktemp -d)
  for file in /bin/sh /bin/cat; do cp --parents -L $file $(ldd $file | grep -o '/[^ ]*') $root; done
  tar -C $root -c . | docker import - probe >/dev/null
fi
docker volume create data >/dev/null
docker run --rm -v data:/data -m 64m probe sh -c 'echo $((6 * 7)) > /data/answer'
docker run --rm -v data:/data probe cat /data/answer
"""


def test_a_container_writes_to_a_volume_and_another_reads_it(host: Any) -> None:
    """Storage driver, cgroups and volumes work."""
    done = host.run(RUN)
    assert done.succeeded, done.stderr
    assert done.stdout.strip() == "42"


def test_the_sdk_reaches_the_daemon(host: Any) -> None:
    """The modules of community.docker and Ready's own can work here."""
    done = host.run("/usr/bin/python3 -c 'import docker; print(docker.from_env().version()[\"Version\"])'")
    assert done.succeeded, done.stderr
    assert done.stdout.strip()


def test_logs_are_bounded(host: Any) -> None:
    """daemon.json was written before the daemon was started, and the daemon follows it."""
    daemon = json.loads(host.file("/etc/docker/daemon.json").content_string)
    assert daemon == {"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}
    name = host.run("docker create --name ready-logs probe true >/dev/null 2>&1; docker inspect ready-logs").stdout
    host.run("docker rm -f ready-logs")
    assert json.loads(name)[0]["HostConfig"]["LogConfig"]["Config"] == daemon["log-opts"]


def test_the_service_script_knows_the_daemon(host: Any) -> None:
    """A daemon that was started directly has the pid file that the script looks for."""
    pid = host.file("/var/run/docker-ssd.pid").content_string.strip()
    assert host.file(f"/proc/{pid}/comm").content_string.strip() == "dockerd"


def test_the_daemon_has_its_proxy(host: Any) -> None:
    """In its own environment, from a file that only root reads; Docker itself masks the password."""
    file = host.file("/etc/docker/ready-proxy.env")
    assert (file.user, file.mode) == ("root", 0o600)
    pid = host.file("/var/run/docker-ssd.pid").content_string.strip()
    environment = host.run(f"tr '\\0' '\\n' </proc/{pid}/environ").stdout.splitlines()
    url = "http://ready:s3cret@proxy.invalid:3128"
    assert {f"HTTP_PROXY={url}", f"HTTPS_PROXY={url}", "NO_PROXY=localhost,127.0.0.1,::1"} <= set(environment)
    said = host.run("docker info --format '{{.HTTPSProxy}} {{.NoProxy}}'").stdout.strip()
    assert said == "http://xxxxx:xxxxx@proxy.invalid:3128 localhost,127.0.0.1,::1"
    assert "s3cret" not in host.file("/etc/docker/daemon.json").content_string
