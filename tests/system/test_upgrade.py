"""Upgrades of Redis: what is refused, those that fail and go back, and those that are killed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import docker
import pytest
from ready.common.finding import Finding
from ready.docker.state import read_state
from ready.upgrades import compatibility

from tests.names import own
from tests.system.backups import forget_host
from tests.system.conftest import PATIENT, QUICK, Ready, own_stack
from tests.system.upgrades import (
    broken_image,
    engine,
    evidence,
    forget,
    kept,
    kill_when,
    leftovers,
    read_redis,
    redis_version,
    seed_redis,
)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Redis 7 with data, for all tests that do not need another store; they build on each other."""
    name = own("sys-upgrade-redis")
    forget(name)
    with own_stack(tmp_path_factory.mktemp("upgrade"), name, ["redis"], QUICK | PATIENT) as ready:
        ready.run("up")
        seed_redis(ready.stack)
        ready.set(redis_version="8")
        yield ready
    forget(name)


@pytest.fixture(scope="module")
def old(redis: Ready) -> str:
    """Return the version that Redis 7 is."""
    version = redis_version(redis.stack)
    assert version.startswith("7.")
    return version


def is_as_before(ready: Ready, before: Any, version: str) -> None:
    """Assert that Redis 7 is back with all its data, and that nothing of the upgrade is left."""
    assert read_redis(ready.stack) == before
    assert redis_version(ready.stack) == version
    assert engine(ready.stack, "redis") == version
    assert kept(ready.stack) == []
    assert leftovers(ready.stack) == []


def said_by_preflight(ready: Ready, line: str) -> Finding:
    """Return what the preflight of every verb finds about versions when that line is wanted."""
    wanted = replace(ready.stack, variables=ready.stack.variables | {"redis_version": line})
    stack = wanted.resolved
    state = read_state(docker.from_env(), stack["name"], stack["network"], stack["services"].values())
    return compatibility.check(stack, state, compatibility.load())


def test_up_keeps_versions_and_says_so(redis: Ready, old: str) -> None:
    """With another version wanted `up` changes nothing, and names the verb that does."""
    before = redis.stack.identities()
    result = redis.run("up")
    assert f"redis keeps {old}, 8 is wanted" in result.text, result.text
    assert "./ready upgrade" in result.text
    assert redis.stack.identities() == before
    table = redis.run("versions").text
    assert "8 (swap or migrate_forward)" in table, table
    assert "2028-06" in table, table


def test_check_mode_shows_the_plan(redis: Ready, old: str) -> None:
    """--check says what would be moved, and moves nothing."""
    before = redis.stack.identities()
    result = redis.run("upgrade", "--check")
    assert f"redis: {old} -> 8 (row redis-7-8" in result.text, result.text
    warning = "WARNING: no backup set of redis is made first: no backup repository is configured."
    assert warning in result.text, result.text
    assert redis.stack.identities() == before
    assert leftovers(redis.stack) == []


def test_no_upgrade_without_a_backup_set(redis: Ready) -> None:
    """Where a repository is configured and no set can be made, nothing is begun."""
    before = redis.stack.identities()
    redis.set(backup_repository="/proc/no-repository")
    try:
        result = redis.run("upgrade", code=2)
    finally:
        redis.set(backup_repository=None)
        forget_host(redis.stack.name)
    assert "First: a backup set of redis" in result.text, result.text
    assert "no backup set could be made and proven, so no upgrade was begun: restic" in result.text, result.text
    assert redis.stack.identities() == before
    assert leftovers(redis.stack) == []


#: Passes in the trial, where the host is called localhost, and does something else once it serves.
LATER = '[ "$(hostname)" = localhost ] && exec docker-entrypoint.sh "$@"; '
#: Does nothing, and ends when it is told to: as the first process it would not by itself.
IDLE = "trap exit TERM; sleep 600 & wait"
#: Redis behind a proxy that holds every request up for 60 ms; it listens on the usual port. It is so slow that many
#: requests outlast a moment in which the processors are taken away from this machine.
SLOW = """docker-entrypoint.sh "$@" --port 6380 & exec perl -MIO::Socket::INET -e '
$l = IO::Socket::INET->new(Listen => 99, LocalPort => 6379, ReuseAddr => 1) or die;
$SIG{TERM} = sub { kill TERM => -1; exit }; $SIG{CHLD} = "IGNORE";
while (1) { $c = $l->accept or next; next if fork; $SIG{TERM} = "DEFAULT";
  $s = IO::Socket::INET->new("127.0.0.1:6380") or exit;
  if (fork) { while (sysread $c, $b, 65536) { select undef, undef, undef, 0.06; syswrite $s, $b } }
  else { while (sysread $s, $b, 65536) { syswrite $c, $b } }
  shutdown $s, 2; shutdown $c, 2; exit }'"""


@pytest.mark.parametrize(
    ("entrypoint", "variables", "reason"),
    [
        (IDLE, {"upgrade_deadline": 2.0}, r"after \d+ s with the moved data, expected healthy"),
        # It ends, again and again: how long one that hangs is waited for would count for the old one as well.
        (LATER + "exit 3", {}, "expected healthy"),
        (
            LATER + SLOW,
            {"redis_objectives": {"latency_p95_ms": 20}, "upgrade_latency_samples": 100},
            "the gate latency failed: latency of cache_hit: p95",
        ),
    ],
    ids=["in the trial", "once it serves", "too slow"],
)
def test_a_failed_upgrade_is_rolled_back(
    redis: Ready, old: str, entrypoint: str, variables: dict[str, Any], reason: str
) -> None:
    """The old version is back, with all data, and nothing is left."""
    before = read_redis(redis.stack)
    with broken_image(redis.stack.name, entrypoint) as image:
        redis.set(redis_image=image, **variables)
        result = redis.run("upgrade", "--service", "redis", code=2)
    redis.set(redis_image=None, **{key: PATIENT.get(key) for key in variables})
    assert f"rolled back to {old}, with all its data" in result.text, result.text
    assert re.search(reason, result.text), result.text
    is_as_before(redis, before, old)
    written = evidence(redis)
    assert written["verdict"] == "fail"
    assert written["results"]["services"]["redis"]["outcome"] == "rolled_back"


def test_an_interrupted_upgrade_is_given_up(redis: Ready, old: str) -> None:
    """Killed when clients have written to the new version: --back returns to the data from before, and stays there."""
    before = read_redis(redis.stack)
    kill_when(redis, "ready", "upgrade", "--service", "redis", also=lambda: redis_version(redis.stack).startswith("8."))
    redis.stack.redis().set("since", "lost")
    check = said_by_preflight(redis, "8")
    assert (check.verdict, check.found) == ("fail", "an upgrade of redis to 8 that was interrupted")
    result = redis.run("upgrade", "--back")
    assert f"given up: {old} again" in result.text, result.text
    assert redis.stack.redis().get("since") is None
    is_as_before(redis, before, old)
    written = evidence(redis)
    assert (written["verdict"], written["results"]["services"]["redis"]["outcome"]) == ("not_applicable", "given_up")
    result = redis.run("upgrade", "--back", code=2)
    assert "found no upgrade of the stack" in result.text, result.text
    assert redis_version(redis.stack) == old


def test_killed_before_the_data_were_moved(redis: Ready) -> None:
    """After SIGKILL a plain re-run puts the old version back and goes on."""
    before = read_redis(redis.stack)
    kill_when(redis, "kept", "upgrade", "--service", "redis")
    result = redis.run("upgrade", "--service", "redis")
    assert "no backup set from before: no backup repository is configured" in result.text, result.text
    assert read_redis(redis.stack) == before
    assert redis_version(redis.stack).startswith("8.")
    assert engine(redis.stack, "redis") == redis_version(redis.stack)
    assert leftovers(redis.stack) == []
    its = evidence(redis)["results"]["services"]["redis"]
    assert its["backup"]["set"] is None
    assert its["latency"]["operations"]["cache_hit"]["n"] == 200


def test_downgrade_is_refused_by_its_row(redis: Ready) -> None:
    """Back to an older line: preflight says which row of the matrix forbids it; nothing is touched."""
    before, row = redis.stack.identities(), "row redis-8-7: an older Redis does not load the RDB version of a newer one"
    redis.set(redis_version=None)
    result = redis.run("upgrade", code=2)
    assert row in result.text, result.text
    check = said_by_preflight(redis, "7")
    assert check.verdict == "fail"
    assert row in check.next
    assert redis.stack.identities() == before
    redis.set(redis_version="8")


def test_afterwards(redis: Ready) -> None:
    """For `up` the upgraded stack is as it should be, and what was kept is named."""
    result = redis.run("up")
    assert result.changed == 0, result.text
    shown = redis.run("status").text
    assert f"kept: volume {redis.stack.name}_redis_data_before_8" in shown, shown
    # Only listed: prune removes images that no container uses, also those that other stacks of this host may need.
    listed = redis.run("prune", "--kept", "--check").text
    assert all(f"volume {name}: the data from before an upgrade" in listed for name in kept(redis.stack)), listed
