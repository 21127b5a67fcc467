"""A database for one run: what psql is asked, and what becomes of one that is Ready's only in part."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from ready.applications import scratch_database
from ready.applications.scratch_database import DatabaseError, ForeignDatabaseError, ScratchDatabase
from ready.common.labels import LABEL_STACK
from ready.docker import execute
from ready.docker.execute import Ran

STACK = {
    "name": "s",
    "services": {
        "postgresql": {"container": "s-postgresql", "accounts": {"admin": {"login": "a"}, "app": {"login": "b"}}}
    },
}


class Server:
    """Databases by name with their comments, behind what psql is given."""

    def __init__(self) -> None:
        self.comments: dict[str, str] = {}
        self.refuses = ""
        self.commands: list[list[str]] = []

    def run(self, container: Any, command: Sequence[str]) -> Ran:
        """Do what psql does."""
        self.commands.append(list(command))
        said = ""
        for statement in (word for before, word in pairwise(command) if before == "-c"):
            if self.refuses and statement.startswith(self.refuses):
                return Ran(3, b"ERROR: refused", b"")
            if statement.startswith("CREATE"):
                self.comments["x"] = ""
            elif statement.startswith("COMMENT"):
                self.comments["x"] = scratch_database.MARK
            elif statement.startswith("DROP"):
                self.comments.pop("x", None)
            elif statement.startswith("SELECT") and "x" in self.comments:
                said = "t" if self.comments["x"] == scratch_database.MARK else "f"
        return Ran(0, said.encode(), b"")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a server, and put it where psql is run."""
    its = Server()
    monkeypatch.setattr(execute, "run", its.run)
    running = SimpleNamespace(status="running", labels={LABEL_STACK: "s"})
    monkeypatch.setattr(scratch_database, "find_container", lambda *_: running)
    return its


def database() -> ScratchDatabase:
    """Return the database x."""
    client: Any = None
    return ScratchDatabase(client, STACK, "x")


def test_made_and_dropped(server: Server) -> None:
    """What another run left is dropped first, and said."""
    assert (database().make(), database().make(), database().drop(), database().drop()) == (False, True, True, False)
    assert server.comments == {}


def test_somebody_elses_is_left_alone(server: Server) -> None:
    """By its comment."""
    server.comments["x"] = "mine"
    for step in (database().make, database().drop):
        with pytest.raises(ForeignDatabaseError, match="Nothing was changed"):
            step()
    assert server.comments == {"x": "mine"}


def test_one_that_could_not_be_marked_is_dropped(server: Server) -> None:
    """Else the next run would take it for somebody's."""
    server.refuses = "COMMENT"
    with pytest.raises(DatabaseError, match="refused"):
        database().make()
    assert server.comments == {}


def test_one_that_could_not_be_made_is_not_dropped(server: Server) -> None:
    """It may be somebody's who made it meanwhile."""
    server.refuses = "CREATE"
    with pytest.raises(DatabaseError, match="refused"):
        database().make()
    assert not any("DROP" in word for command in server.commands for word in command)


def test_a_server_that_hangs_is_not_waited_for(server: Server) -> None:
    """It takes connections as long as its kernel does, and says nothing."""
    database().make()
    assert all("PGCONNECT_TIMEOUT=10" in command for command in server.commands)
