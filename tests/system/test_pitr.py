"""Point-in-time recovery of PostgreSQL: rows with their times, its container killed and its data gone, and back again.

One stack of PostgreSQL alone; the tests go on from each other, in this order.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any, LiteralString

import docker
import pytest
from ready.backups.manifest import BackupError
from ready.backups.run import prove_set, restore_set
from ready.backups.workspace import WORK, Workspace
from ready.checks.runner import CheckRunner
from ready.common.clock import timestamp
from ready.security.verdicts import judge_security

from tests.cleanup import remove
from tests.names import own
from tests.system.backups import evidence, forget_host, leftovers, runner, scheduled, succeeds, with_backups
from tests.system.conftest import Ready, pause

NAME = own("sys-pitr")
WAL = f"{NAME}-wal"


@dataclass
class Story:
    """What happened so far: the stack, and when each row was committed."""

    ready: Ready
    times: dict[str, datetime] = field(default_factory=dict)

    def write(self, name: str) -> None:
        """Commit a row; its time is the server's, after the commit."""
        with self.ready.stack.postgresql() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS event (name text PRIMARY KEY)")
            connection.execute("INSERT INTO event VALUES (%s)", [name])
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row
        self.times[name] = row[0]

    def rows(self) -> list[str]:
        """Return the rows that are there."""
        with self.ready.stack.postgresql() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM event ORDER BY name")]

    def lose(self) -> datetime:
        """Kill PostgreSQL's container and remove it and its data; return when that was."""
        container = self.ready.stack.container("postgresql")
        container.kill("SIGKILL")
        lost = datetime.now(timezone.utc)
        container.remove(force=True, v=True)
        docker.from_env().volumes.get(f"{NAME}_postgres_data").remove()
        return lost

    def await_heartbeat(self) -> None:
        """Wait until somebody has committed, and what it was has been received; nobody here writes."""
        with self.ready.stack.postgresql("admin") as connection:

            def ask(query: LiteralString, *values: Any) -> Any:
                row = connection.execute(query, values).fetchone()
                assert row
                return row[0]

            deadline = time.monotonic() + 60
            before = ask("SELECT pg_snapshot_xmax(pg_current_snapshot())")
            while ask("SELECT pg_snapshot_xmax(pg_current_snapshot())") == before:
                assert time.monotonic() < deadline, "nothing was committed in an idle database"
                time.sleep(0.2)
            end = ask("SELECT pg_current_wal_lsn()")
            while ask("SELECT coalesce(min(flush_lsn) < %s::pg_lsn, true) FROM pg_stat_replication", end):
                assert time.monotonic() < deadline, "the receiver has not got the heartbeat"
                time.sleep(0.2)


def iso(moment: datetime) -> str:
    """Return a time as a user writes it."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def refused(to: str, wanted: str | None = None) -> str:
    """Return why a restore is refused."""
    with pytest.raises(BackupError) as caught:
        restore_set(NAME, wanted, ["postgresql"], "localhost", safety=False, to=to)
    return str(caught.value)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Return a stack that has made its first set, with a row before it, and two after it."""
    # Without its timer: that WAL is saved is for the tests to say.
    directory = tmp_path_factory.mktemp("pitr")
    variables = {"backup_pitr": True, "backup_pitr_schedule": "never", "backup_metrics_directory": str(directory)}
    with with_backups(directory, NAME, ["postgresql"], **variables) as ready:
        story = Story(ready)
        story.write("1 before the set")
        with ready.stack.postgresql("admin") as connection:
            connection.execute("CREATE DATABASE closed CONNECTION LIMIT 3 ALLOW_CONNECTIONS false")
        ready.run("backup")
        story.write("2 wanted")
        story.write("3 not wanted")
        yield story


def test_it_is_part_of_the_stack(story: Story) -> None:
    """Nothing is left to do; its container is hardened; its account can stream and read no table."""
    ready = story.ready
    identities = ready.stack.identities()
    assert ready.run("up", "--check").changed == 0
    assert ready.stack.identities() == identities
    stack = Workspace.of(NAME).stack
    part = judge_security(stack, CheckRunner(stack, 5.0).security()["found"], date.today())
    mine = {check["id"]: check["verdict"] for check in part.results["checks"] if check["service"] == "wal"}
    assert set(mine.values()) <= {"pass", "waived", "not_applicable"}, mine
    assert [name for name, verdict in mine.items() if verdict == "waived"] == ["5.15"]
    with ready.stack.postgresql("admin") as connection:
        row = connection.execute(
            "SELECT rolreplication, pg_has_role(rolname, 'pg_read_all_data', 'member') "
            "FROM pg_roles WHERE rolname = 'ready_backup'"
        ).fetchone()
    assert row == (True, False)


def test_bad_times_are_refused(story: Story) -> None:
    """Each with what can be had, before anything is changed."""
    identities = story.ready.stack.identities()
    early = datetime.now(timezone.utc) - timedelta(days=1)
    assert "is before the oldest base backup, which is of" in refused(iso(early))
    assert "is still to come" in refused(iso(datetime.now(timezone.utc) + timedelta(hours=1)))
    assert "expected a time with its zone" in refused("2026-11-25 01:02:03")
    assert "found --set as well" in refused("latest", "20261125T012523Z-b323")
    assert story.ready.stack.identities() == identities
    assert leftovers(NAME) == []


def test_drill(story: Story) -> None:
    """It replays everything there is: the newest commit is no older than a minute, in an idle database, too."""
    story.await_heartbeat()
    found = prove_set(NAME, None)["recovery"]
    print(f"RPO {found['rpo_seconds']} s on this host, {found['repository_rpo_seconds']} s without it")
    assert found["verdict"] == "pass", found
    assert found["rpo_seconds"] <= 60
    assert found["things"] >= 3
    assert leftovers(NAME) == []


def outcome(story: Story) -> tuple[str, int]:
    """Return the verdict and the metric that the last saving of WAL left."""
    last = json.loads((WORK / NAME / "last_wal.json").read_text())
    text = (story.ready.directory / f"ready_wal_{NAME}.prom").read_text()
    failed = re.search(r"^ready_wal_last_run_failed\{.*\} (\d)$", text, re.MULTILINE)
    assert failed, text
    return last["verdict"], int(failed[1])


def test_wal_is_saved(story: Story) -> None:
    """What a timer does in between, loud when it fails: from then on the repository has what was committed before."""
    receiver = docker.from_env().containers.get(WAL)
    pause(receiver)
    try:
        code, said = scheduled(NAME, "wal")
    finally:
        receiver.unpause()
    assert code == 2, said
    assert f"the receiver of its WAL, {WAL}, paused, expected it to run" in said
    assert outcome(story) == ("fail", 1)
    done = runner(NAME, "wal")
    assert done.returncode == 0, done.stderr
    assert outcome(story) == ("pass", 0)


def test_to_a_time_between_two_rows(story: Story) -> None:
    """The container is killed and its data are gone: what was committed before the time is there, and nothing after."""
    story.write("4 last")
    story.lose()
    story.ready.run("up")
    wanted = story.times["2 wanted"]
    story.ready.run("restore", "--only", "postgresql", "--to", iso(wanted), "--yes")
    found = evidence(story.ready, "restore")["results"]
    assert story.rows() == ["1 before the set", "2 wanted"]
    with story.ready.stack.postgresql("admin") as connection:
        closed = connection.execute("SELECT datallowconn, datconnlimit FROM pg_database WHERE datname = 'closed'")
        assert closed.fetchone() == (False, 3), "it was read in scratch, and is closed as it was"
    assert found["verdict"] == "pass", found
    assert found["recovery"]["reached"] <= timestamp(wanted)
    story.ready.stack.write()
    story.ready.stack.check()
    assert leftovers(NAME) == []


def test_to_the_latest(story: Story) -> None:
    """Of the same history, whose end was known by nobody but the receiver: nothing that was committed is lost."""
    ready = story.ready
    succeeds(NAME, "backup")  # a base backup of the history that the restore has begun
    stop, lost = time.monotonic() + 2, 0
    with ready.stack.postgresql() as connection:
        connection.execute("CREATE TABLE tick (at timestamptz)")
        while time.monotonic() < stop:
            connection.execute("INSERT INTO tick VALUES (clock_timestamp())")
            lost += 1
            time.sleep(0.02)
    killed = story.lose()
    ready.run("up")
    restore_set(NAME, None, ["postgresql"], "localhost", safety=False, to="latest")
    with ready.stack.postgresql() as connection:
        row = connection.execute("SELECT count(*), max(at) FROM tick").fetchone()
    assert row
    loss = (killed - row[1]).total_seconds()
    print(f"killed after {lost} commits: {lost - row[0]} lost, the newest one left is {loss:.2f} s older than the kill")
    assert loss <= 60
    assert story.rows() == ["1 before the set", "2 wanted"]


def test_from_the_repository_alone(story: Story) -> None:
    """Where the receiver's volume is lost as well, what was saved last is still there."""
    ready = story.ready
    succeeds(NAME, "backup")
    story.write("5 saved")
    succeeds(NAME, "wal")
    remove(NAME)
    forget_host(NAME)
    ready.run("restore", "--only", "postgresql", "--to", "latest", "--yes")  # it brings the stack up first
    assert story.rows() == ["1 before the set", "2 wanted", "5 saved"]


def test_switched_off(story: Story) -> None:
    """Its container, its password and its slot go; what it has received stays until `destroy --volumes`."""
    story.ready.set(backup_pitr=False)
    story.ready.run("up")
    assert WAL not in story.ready.stack.identities()
    names = {volume.name for volume in docker.from_env().volumes.list(filters={"label": f"io.ready.stack={NAME}"})}
    assert f"{NAME}_wal" in names
    assert f"{NAME}_wal_config" not in names
    with story.ready.stack.postgresql("admin") as connection:
        assert connection.execute("SELECT slot_name FROM pg_replication_slots").fetchall() == []
    story.ready.run("destroy", "--volumes", "--yes")
    assert docker.from_env().volumes.list(filters={"label": f"io.ready.stack={NAME}"}) == []
