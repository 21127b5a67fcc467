"""Real upgrades with data: each store forth, those that fail back, those that are killed, and what is refused."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound
from ready.backups.run import list_sets
from ready.backups.settings import place_of, runner_of
from ready.backups.work import WORK

from tests.names import own
from tests.stack import Stack
from tests.system.backups import with_backups
from tests.system.conftest import Ready, own_stack
from tests.system.upgrades import (
    READ,
    SEED_IT,
    await_phase,
    broken_image,
    engine,
    evidence,
    forget,
    kept,
    kill_when,
    leftovers,
    mend_images,
    read_redis,
    seed_redis,
    serves,
)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Redis 7 with data, for all tests that do not need another store; they build on each other."""
    name = own("sys-upgrade-redis")
    forget(name)
    mend_images()
    with own_stack(tmp_path_factory.mktemp("upgrade"), name, ["redis"]) as ready:
        ready.run("up")
        seed_redis(ready.stack)
        ready.set(redis_version="8")
        yield ready
    forget(name)


def is_as_before(ready: Ready, before: Any) -> None:
    """Assert that Redis 7 is back with all its data, and that nothing of the upgrade is left."""
    assert read_redis(ready.stack) == before
    assert serves(ready, "7.0.15")
    assert engine(ready.stack, "redis") == "7.0.15"
    assert kept(ready.stack) == []
    assert leftovers(ready.stack) == []


def test_up_keeps_versions_and_says_so(redis: Ready) -> None:
    """With another version wanted `up` changes nothing, and names the verb that does."""
    before = redis.stack.identities()
    result = redis.run("up")
    assert "redis keeps 7.0.15, 8 is wanted" in result.text
    assert "./ready upgrade" in result.text
    assert redis.stack.identities() == before
    table = redis.run("versions").text
    assert "8 (swap or migrate_forward)" in table
    assert "2028-06" in table


def test_check_mode_shows_the_plan(redis: Ready) -> None:
    """--check says what would be moved, and moves nothing."""
    before = redis.stack.identities()
    result = redis.run("upgrade", "--check")
    assert "redis: 7.0.15 -> 8 (row redis-7-8" in result.text
    assert "WARNING: no backup set of redis is made first: no backup repository is configured." in result.text
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
        for path in (place_of(redis.stack.name), WORK / redis.stack.name):
            shutil.rmtree(path, ignore_errors=True)
        runner_of(redis.stack.name).unlink(missing_ok=True)
    assert "First: a backup set of redis" in result.text
    assert "no backup set could be made and proven, so no upgrade was begun: restic" in result.text
    assert redis.stack.identities() == before
    assert leftovers(redis.stack) == []


#: Passes in the trial, where the host is called localhost, and does something else once it serves.
LATER = '[ "$(hostname)" = localhost ] && exec docker-entrypoint.sh "$@"; '
#: Does nothing, and ends when it is told to: as the first process it would not by itself.
IDLE = "trap exit TERM; sleep 600 & wait"
#: Redis behind a proxy that holds every request up for 15 ms; it listens on the usual port.
SLOW = """docker-entrypoint.sh "$@" --port 6380 & exec perl -MIO::Socket::INET -e '
$l = IO::Socket::INET->new(Listen => 99, LocalPort => 6379, ReuseAddr => 1) or die;
$SIG{TERM} = sub { kill TERM => -1; exit }; $SIG{CHLD} = "IGNORE";
while (1) { $c = $l->accept or next; next if fork; $SIG{TERM} = "DEFAULT";
  $s = IO::Socket::INET->new("127.0.0.1:6380") or exit;
  if (fork) { while (sysread $c, $b, 65536) { select undef, undef, undef, 0.015; syswrite $s, $b } }
  else { while (sysread $s, $b, 65536) { syswrite $c, $b } }
  shutdown $s, 2; shutdown $c, 2; exit }'"""


@pytest.mark.parametrize(
    ("entrypoint", "variables", "reason"),
    [
        (IDLE, {"upgrade_deadline": 5.0}, "after 5 s with the moved data, expected healthy"),
        (LATER + IDLE, {"redis_health": {"deadline": 12}}, "expected healthy"),  # the old one has as long
        (
            LATER + SLOW,
            {"redis_objectives": {"latency_p95_ms": 5}, "upgrade_latency_samples": 100},
            "the gate latency failed: latency of cache_hit: p95",
        ),
    ],
    ids=["in the trial", "once it serves", "too slow"],
)
def test_a_failed_upgrade_is_rolled_back(redis: Ready, entrypoint: str, variables: dict[str, Any], reason: str) -> None:
    """The old version is back, with all data, and nothing is left."""
    before = read_redis(redis.stack)
    redis.set(**variables)
    with broken_image(entrypoint):
        result = redis.run("upgrade", "--service", "redis", code=2)
    redis.set(**dict.fromkeys(variables))
    assert "rolled back to 7.0.15, with all its data" in result.text
    assert reason in result.text
    is_as_before(redis, before)
    written = evidence(redis)
    assert written["verdict"] == "fail"
    assert written["results"]["services"]["redis"]["outcome"] == "rolled_back"


def test_an_interrupted_upgrade_is_given_up(redis: Ready) -> None:
    """Killed when clients have written to the new version: --back returns to the data from before, and stays there."""
    before = read_redis(redis.stack)
    kill_when(redis, "ready", "upgrade", "--service", "redis", also=lambda: serves(redis, "8.0.2"))
    redis.stack.redis().set("since", "lost")
    assert "an upgrade of redis to 8 that was interrupted" in redis.run("up", code=2).text
    result = redis.run("upgrade", "--back")
    assert "given up: 7.0.15 again" in result.text
    assert redis.stack.redis().get("since") is None
    is_as_before(redis, before)
    written = evidence(redis)
    assert (written["verdict"], written["results"]["services"]["redis"]["outcome"]) == ("not_applicable", "given_up")
    assert "found no upgrade of the stack" in redis.run("upgrade", "--back", code=2).text
    assert serves(redis, "7.0.15")


def test_killed_before_the_data_were_moved(redis: Ready) -> None:
    """After SIGKILL a plain re-run puts the old version back and goes on."""
    before = read_redis(redis.stack)
    kill_when(redis, "kept", "upgrade", "--service", "redis")
    result = redis.run("upgrade", "--service", "redis")
    assert "no backup set from before: no backup repository is configured" in result.text
    assert read_redis(redis.stack) == before
    assert engine(redis.stack, "redis") == "8.0.2"
    assert leftovers(redis.stack) == []
    its = evidence(redis)["results"]["services"]["redis"]
    assert its["backup"]["set"] is None
    assert its["latency"]["operations"]["cache_hit"]["n"] == 200


def test_downgrade_is_refused_by_its_row(redis: Ready) -> None:
    """Back to an older line: preflight says which row of the matrix forbids it; nothing is touched."""
    before = redis.stack.identities()
    redis.set(redis_version=None)
    for verb in ("up", "upgrade"):
        result = redis.run(verb, code=2)
        assert "row redis-8-7: an older Redis does not load the RDB version of a newer one" in result.text
    assert redis.stack.identities() == before
    redis.set(redis_version="8")


def test_afterwards(redis: Ready) -> None:
    """The upgraded stack is whole, `up` finds nothing to do, and what was kept is named."""
    redis.run("check")
    assert redis.run("up").changed == 0
    assert f"kept: volume {redis.stack.name}_redis_data_before_8" in redis.run("status").text
    # Only listed: prune removes images that no container uses, also those that other stacks of this host may need.
    listed = redis.run("prune", "--kept", "--check").text
    assert all(f"volume {name}: the data from before an upgrade" in listed for name in kept(redis.stack))


#: Service -> its line from before, the wanted one, the version that this is, and how its data get there.
MOVES = {
    "postgresql": (None, "17", "17.", "dump_restore"),
    "neo4j": (None, "5.26", "5.26.", "migrate_forward"),
    "chromadb": ("1.0.21", "1.5.9", "1.5.9", "migrate_forward"),
}


def fails(ready: Ready, *services: str, dying: bool = False) -> str:
    """Run an upgrade that fails, and return its words; `dying` kills a new container that has got the moved data."""
    process = ready.popen("upgrade", "--without-backup", "--service", ",".join(services))
    if dying:
        await_phase(ready, process, "ready", also=lambda: runs(ready.stack, services[0]))
        ready.stack.container(services[0]).kill()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2, out + err
    return " ".join((out + err).split())


def runs(stack: Stack, service: str) -> bool:
    """Return whether the service's container is there and runs; while the data are moved there is none."""
    try:
        return bool(stack.container(service).status == "running")
    except NotFound:
        return False


def test_upgrades_with_data(tmp_path: Path) -> None:
    """Every datum is the same afterwards, the old data are kept, and backup sets from before are in the repository.

    First each is rolled back, with its data moved already: the engines of two are not well within a moment, ChromaDB's
    container dies once it has the migrated data. Then that one is killed when all is moved, maybe before its container
    starts: the next run carries it through first.
    """
    name = own("sys-upgrade")
    forget(name)
    with with_backups(tmp_path, name, list(MOVES), chromadb_version=MOVES["chromadb"][0]) as ready:
        for service in MOVES:
            SEED_IT[service](ready.stack)
        before = {service: READ[service](ready.stack) for service in MOVES}
        ready.set(**{f"{service}_version": line for service, (_, line, _, _) in MOVES.items()})
        engines = {service: engine(ready.stack, service) for service in MOVES}
        containers = ready.stack.identities()
        ready.set(upgrade_deadline=0.01)
        told = {"postgresql": fails(ready, "postgresql", "neo4j")}
        assert ready.stack.identities()[f"{name}-neo4j"] == containers[f"{name}-neo4j"], "the first that fails ends it"
        told["neo4j"] = fails(ready, "neo4j")
        ready.set(upgrade_deadline=None)
        told["chromadb"] = fails(ready, "chromadb", dying=True)
        for service in MOVES:
            assert set(re.findall(r"(\w+): rolled back to", told[service])) == {service}
            assert f"{service}: rolled back to {engines[service]}, with all its data: " in told[service]
            assert READ[service](ready.stack) == before[service]
            assert engine(ready.stack, service) == engines[service]
        assert kept(ready.stack) == leftovers(ready.stack) == []
        kill_when(ready, "ready", "upgrade", "--service", "chromadb")
        ready.run("upgrade")
        assert leftovers(ready.stack) == []
        written = evidence(ready)
        assert written["verdict"] == "pass"
        sets = {item["id"]: item for item in list_sets(name)["sets"]}
        for service, (_, line, version, how) in MOVES.items():
            assert READ[service](ready.stack) == before[service]
            assert engine(ready.stack, service).startswith(version)
            volume = ready.stack.resolved["services"][service]["volumes"][0]["name"]
            assert f"{volume}_before_{line}" in kept(ready.stack)
            its = written["results"]["services"][service]
            assert its["how"] == how
            assert its["latency"]["verdict"] in ("pass", "insufficient_data")
            assert service in sets[its["backup"]["set"]]["services"]
            assert sets[its["backup"]["set"]]["safety"]
        assert len(sets) == 2
    forget(name)
