# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading a host: parsers on recorded output, and one look at the machine that the test runs on."""

from __future__ import annotations

import socket
import sys
import time

import pytest
from ready.host import engine_probe
from ready.host import facts as host_facts

NETSTAT = """
Active Connections

  Proto  Local Address          Foreign Address        State           PID
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       1220
  TCP    0.0.0.0:5432           0.0.0.0:0              LISTENING       6312
  TCP    127.0.0.1:49720        127.0.0.1:49721        ESTABLISHED     4712
  TCP    [::]:445               [::]:0                 LISTENING       4
  TCP    [::1]:6379             [::]:0                 LISTENING       9932
  UDP    0.0.0.0:123            *:*                                    1500
"""
NETSTAT_GERMAN = (
    "  Proto  Lokale Adresse  Remoteadresse  Status  PID\r\n  TCP    0.0.0.0:7687  0.0.0.0:0  ABHÖREN  77\r\n"
)


def test_windows_listeners() -> None:
    """Established connections and UDP are left out; brackets go."""
    rows = {(row["address"], row["port"], row["pid"]) for row in host_facts.parse_netstat(NETSTAT)}
    assert rows == {("0.0.0.0", 135, 1220), ("0.0.0.0", 5432, 6312), ("::", 445, 4), ("::1", 6379, 9932)}  # noqa: S104


@pytest.mark.parametrize("encoding", ["cp437", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_windows_listeners_in_another_language_and_encoding(encoding: str) -> None:
    """LISTENING is translated, and the code page depends on the console."""
    text = host_facts.decode_windows(NETSTAT_GERMAN.encode(encoding))
    assert "ABHÖREN" in text
    assert host_facts.parse_netstat(text) == [{"address": "0.0.0.0", "port": 7687, "pid": 77}]  # noqa: S104


def test_tasklist() -> None:
    """A memory column with a comma in it does not disturb, nor does a line that is no CSV."""
    text = '"System","4","Services","0","144 K"\r\n"postgres.exe","6312","Services","0","12,345 K"\r\nINFO: x\r\n'
    assert host_facts.parse_tasklist(text) == {4: "System", 6312: "postgres.exe"}


def test_os_release_and_memory() -> None:
    """Values may be quoted or not."""
    release = host_facts.parse_os_release('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    assert release == {"id": "debian", "version_id": "12", "pretty_name": "Debian GNU/Linux 12 (bookworm)"}
    memory = host_facts.parse_meminfo(
        "MemTotal:   2000 kB\nMemFree:  10 kB\nMemAvailable:    1000 kB\nHugePages_Free: 0\n"
    )
    assert memory == {"total": 2000 * 1024, "available": 1000 * 1024}


@pytest.mark.parametrize(
    ("kernel", "version"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", 2),
        ("4.19.128-microsoft-standard", 2),
        ("4.4.0-19041-Microsoft", 1),
        ("6.1.0-31-amd64", 0),
    ],
)
def test_wsl(kernel: str, version: int) -> None:
    """WSL tells itself by the kernel's name."""
    assert host_facts.wsl_facts(kernel, {})["version"] == version


def test_proxy_without_its_password() -> None:
    """What goes into evidence has no password."""
    assert host_facts.mask_proxy("http://me:hunter2@proxy:3128") == "http://***@proxy:3128"
    assert host_facts.mask_proxy("http://proxy:3128") == "http://proxy:3128"


def test_this_machine() -> None:
    """A port that this process listens on is found with its name and pid, quickly."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        started = time.monotonic()
        facts = host_facts.gather([port])
        elapsed = time.monotonic() - started
    mine = next(row for row in facts["listening"] if row["port"] == port)
    assert mine["address"] == "127.0.0.1"
    assert mine["pid"] is not None
    assert mine["process"]
    assert facts["python"]["executable"] == sys.executable
    assert facts["memory"]["total"] >= facts["memory"]["available"] > 0
    assert elapsed < 10  # 0.03 s usually; the bound is for a busy machine


def test_no_docker_is_a_fact() -> None:
    """A daemon that does not answer, or is of an unknown kind, raises nothing."""
    silent = engine_probe.probe({"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert (silent["reachable"], silent["host_from_env"], silent["reason"]) == (
        False,
        True,
        "No such file or directory",
    )
    assert not engine_probe.probe({"DOCKER_HOST": "ssh://somewhere"})["reachable"]
    assert engine_probe.probe({"DOCKER_HOST": ""})["host"] == engine_probe.DEFAULT_HOST


def test_docker_answers() -> None:
    """Rootless, Desktop, swarm and published ports are read from recorded answers."""
    info = {
        "OperatingSystem": "Docker Desktop",
        "Name": "docker-desktop",
        "DockerRootDir": "/var/lib/docker",
        "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
        "Swarm": {"LocalNodeState": "active"},
    }
    ports = [{"PrivatePort": 5432, "PublicPort": 5433, "Type": "tcp", "IP": "127.0.0.1"}, {"PrivatePort": 80}]
    containers = [{"Names": ["/db"], "Labels": {"io.ready.stack": "a"}, "Ports": ports}]
    facts = engine_probe.engine_facts({"Version": "28.0.1", "ApiVersion": "1.48"}, info, containers)
    assert (facts["desktop"], facts["rootless"], facts["swarm"]) == (True, True, True)
    assert facts["published"] == [{"port": 5433, "container": "db", "stack": "a"}]
