# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""redis:7-alpine's contract, line by line (docs/images.md)."""

from __future__ import annotations

import pytest
import redis
from docker.models.containers import Container

from tests.images.lab import Lab, port, process, sh, until
from tests.stack import ONCE

PASSWORD = "contract-password-1"


@pytest.fixture(scope="module")
def server(lab: Lab) -> tuple[Container, str]:
    """Return a hardened server with a separate configuration file."""
    conf = f"dir /data\nappendonly yes\nuser default off\nuser app on >{PASSWORD} ~* &* +@all\n"
    config = lab.volume("redis", {"redis.conf": (conf, 0o440)}, "999:1000")
    data = lab.volume("redis")
    container = lab.start(
        "redis", ["redis-server", "/conf/redis.conf"], volumes=[f"{config}:/conf:ro", f"{data}:/data"]
    )
    until(lambda: login(container).ping(), container)
    return container, config


def login(container: Container) -> redis.Redis:
    """Return a client with the account of the configuration."""
    return redis.Redis(port=port(container, 6379), username="app", password=PASSWORD, socket_timeout=5, retry=ONCE)


def test_redis_hardened(server: tuple[Container, str]) -> None:
    """Runs as 999:1000, without capabilities or new privileges, on a read-only root; redis-server is PID 1."""
    status = process(server[0])
    assert (status["Name"], status["Uid"].split()[0], status["Gid"].split()[0]) == ("redis-server", "999", "1000")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert "Read-only" in sh(server[0], "touch /x 2>&1 || true")


def test_redis_port(server: tuple[Container, str]) -> None:
    """Answers on 6379, and to its password only."""
    assert login(server[0]).ping() is True
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port(server[0], 6379), retry=ONCE).ping()


def test_redis_umask(server: tuple[Container, str]) -> None:
    """Files in /data are for the owner alone."""
    assert sh(server[0], "stat -c %a /data/appendonlydir") == "700"


def test_redis_data_and_signals(server: tuple[Container, str]) -> None:
    """SIGTERM saves and ends with 0; /data has everything after a restart."""
    container = server[0]
    login(container).set("kept", "yes")
    container.stop(timeout=30)
    assert container.wait()["StatusCode"] == 0
    assert b"Received SIGTERM" in container.logs(tail=30)
    container.start()
    assert until(lambda: login(container).get("kept"), container) == b"yes"


@pytest.mark.parametrize("command", [["--port", "7777"], ["/conf/redis.conf", "--port", "7777"]])
def test_redis_arguments(lab: Lab, server: tuple[Container, str], command: list[str]) -> None:
    """Options alone, or a *.conf alone, mean redis-server."""
    container = lab.start("redis", command, volumes=[f"{server[1]}:/conf:ro"])
    until(lambda: b"Ready to accept connections" in container.logs(), container)
    assert "*:7777" in sh(container, "tr '\\0' ' ' </proc/1/cmdline")


def test_redis_other_command(lab: Lab) -> None:
    """Any other command is run as it is."""
    code, output = lab.once("redis", ["redis-cli", "--version"])
    assert (code, output.split()[0]) == (0, "redis-cli")


def test_redis_root_steps_down(lab: Lab) -> None:
    """Started as root, it gives /data to redis and steps down."""
    container = lab.start("redis", hardened=False, user="0")
    until(lambda: b"Ready to accept connections" in container.logs(), container)
    assert process(container)["Uid"].split()[0] == "999"
    assert sh(container, "stat -c %u /data", user="0") == "999"
