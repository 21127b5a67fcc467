# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""haproxy:2.6's contract, line by line (docs/images.md)."""

from __future__ import annotations

import urllib.request

import pytest
from docker.models.containers import Container

from tests.images.lab import Lab, port, process, sh, until

CONFIG = """\
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend contract
  bind :8443
  http-request return status 200 content-type text/plain string "contract"
"""


def answer(container: Container) -> bytes:
    """Ask the frontend."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port(container, 8443)}/", timeout=5) as found:
        return bytes(found.read())


@pytest.fixture(scope="module")
def server(lab: Lab) -> tuple[Container, str]:
    """Return a hardened server with a separate configuration file."""
    config = lab.volume("gateway", {"haproxy.cfg": (CONFIG, 0o440)}, "99:99")
    container = lab.start("gateway", ["haproxy", "-f", "/conf/haproxy.cfg"], volumes=[f"{config}:/conf:ro"])
    until(lambda: answer(container) == b"contract", container)
    return container, config


def test_gateway_hardened(server: tuple[Container, str]) -> None:
    """Runs as 99:99, without capabilities or new privileges, on a read-only root; haproxy is PID 1."""
    status = process(server[0])
    assert (status["Name"], status["Uid"].split()[0], status["Gid"].split()[0]) == ("haproxy", "99", "99")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert "Read-only" in sh(server[0], "touch /x 2>&1 || true")


def test_gateway_master_and_worker(server: tuple[Container, str]) -> None:
    """A master in the foreground and its worker."""
    assert sh(server[0], "tr '\\0' ' ' </proc/1/cmdline").startswith("haproxy -W -db -f ")
    assert len(sh(server[0], "grep -l '^haproxy$' /proc/[0-9]*/comm").split()) >= 2


def test_gateway_arguments(lab: Lab, server: tuple[Container, str]) -> None:
    """Options alone mean haproxy."""
    code, output = lab.once("gateway", ["-c", "-f", "/conf/haproxy.cfg"], volumes=[f"{server[1]}:/conf:ro"])
    assert (code, "Configuration file is valid" in output) == (0, True)


def test_gateway_default_configuration(lab: Lab, server: tuple[Container, str]) -> None:
    """Without a command /usr/local/etc/haproxy/haproxy.cfg is read."""
    container = lab.start("gateway", volumes=[f"{server[1]}:/usr/local/etc/haproxy:ro"])
    assert until(lambda: answer(container) == b"contract", container)


def test_gateway_other_command(lab: Lab) -> None:
    """Any other command is run as it is."""
    code, output = lab.once("gateway", ["bash", "-c", "haproxy -v"])
    assert (code, output.startswith("HAProxy version 2.6.")) == (0, True)


def test_gateway_signals(server: tuple[Container, str]) -> None:
    """SIGUSR1 ends it at once when nobody is connected, with 0, and it starts again."""
    server[0].stop(timeout=10)
    assert server[0].wait()["StatusCode"] == 0
    server[0].start()
    assert until(lambda: answer(server[0]) == b"contract", server[0], 15)
