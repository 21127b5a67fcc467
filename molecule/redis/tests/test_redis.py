"""Redis through redis-py, as an application and as somebody who should not get in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.hardening import assert_hardened
from tests.stack import ONCE, molecule_stack

STACK = molecule_stack(["redis"])


def test_data() -> None:
    """A key is written and read; the append-only file is on."""
    STACK.write("redis")
    STACK.check("redis")
    assert STACK.redis("monitor").info("persistence")["aof_enabled"] == 1


@pytest.mark.parametrize(
    "dangerous",
    [
        lambda client: client.flushall(),
        lambda client: client.config_get("requirepass"),
        lambda client: client.execute_command("REPLICAOF", "NO", "ONE"),
        lambda client: client.shutdown(),
        lambda client: client.acl_list(),
        lambda client: client.execute_command("KEYS", "*"),
        lambda client: client.slowlog_get(),
        lambda client: client.client_list(),
    ],
    ids=["flushall", "config", "replicaof", "shutdown", "acl", "keys", "slowlog", "client list"],
)
def test_app_has_no_dangerous_command(dangerous: Callable[[redis.Redis], object]) -> None:
    """What could lose or leak everything is refused."""
    with pytest.raises(redis.exceptions.NoPermissionError):
        dangerous(STACK.redis())


def test_app_may_do_what_clients_do_by_themselves() -> None:
    """When they connect, and where a library leaves sorting to the server; `molecule clients` has the clients."""
    client = STACK.redis()
    assert client.info()["maxmemory_policy"] == "noeviction"
    client.delete("ready_sorted")
    client.rpush("ready_sorted", 3, 1, 2)
    assert client.sort("ready_sorted") == client.sort_ro("ready_sorted") == ["1", "2", "3"]
    client.delete("ready_sorted")


def test_monitor_reads_no_key() -> None:
    """The monitor sees INFO, not data."""
    assert STACK.redis("monitor").info("memory")["maxmemory"] == int(256 * 0.7) * 2**20
    with pytest.raises(redis.exceptions.NoPermissionError):
        STACK.redis("monitor").get("ready_test")
    with pytest.raises(redis.exceptions.NoPermissionError):
        STACK.redis("monitor").slowlog_get(1)


def test_backup_saves_and_writes_nothing() -> None:
    """The backup account may start a dump, not write."""
    assert STACK.redis("backup").bgsave()
    with pytest.raises(redis.exceptions.NoPermissionError):
        STACK.redis("backup").set("x", "y")


def test_nobody_without_a_password() -> None:
    """Neither the default user nor a wrong password gets in."""
    port = STACK.variables["redis_port"]
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(port=port, retry=ONCE).ping()
    for user, password in (("default", "production_password"), ("kailash_app", "wrong"), ("admin", "")):
        with pytest.raises((redis.exceptions.AuthenticationError, redis.exceptions.ResponseError)):
            redis.Redis(port=port, username=user, password=password, retry=ONCE).ping()


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "redis")
