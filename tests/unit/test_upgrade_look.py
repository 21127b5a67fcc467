"""What is said before PostgreSQL's data move to another release line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready import upgrading
from ready.backups import losses, opened, pgproof
from ready.backups.manifest import BackupError
from ready.backups.pgdatabases import Database
from ready.backups.pgexpressions import Evaluated


def an_upgrade(monkeypatch: pytest.MonkeyPatch, live: Evaluated) -> upgrading.Upgrade:
    """Return the move of a server with an open and a closed database, of which that was evaluated."""
    found = [
        Database("app", False, True, -1),
        Database("closed", False, False, -1),
        Database("template0", True, False, -1),
    ]
    client: Any = SimpleNamespace(
        containers=SimpleNamespace(list=lambda **_: [SimpleNamespace(name="s-postgresql", status="running")])
    )
    service = {"name": "postgresql", "container": "s-postgresql", "accounts": {"admin": {"login": "admin"}}}
    monkeypatch.setattr(losses, "refuse", lambda *_: None)
    monkeypatch.setattr(opened, "read", lambda *_: found)
    monkeypatch.setattr(pgproof, "evaluate", lambda _container, _service, names: live if names == ["app"] else None)
    stack = {"name": "s", "services": {"postgresql": service}}
    return upgrading.Upgrade(client, stack, {"service": "postgresql", "how": "dump_restore"}, 1.0)


def test_what_is_not_proved_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may fail in the middle of the move: nobody shall think that it was looked at."""
    lines = an_upgrade(monkeypatch, Evaluated(unproven=["app: view slow: timeout"])).look([])
    assert lines == ["app: view slow: timeout", "closed: it is closed, so nothing of it was evaluated"]


def test_faults_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is changed."""
    with pytest.raises(BackupError, match=r"nothing was changed: .*index i"):
        an_upgrade(monkeypatch, Evaluated(faults=["app: index i: why"])).look([])
