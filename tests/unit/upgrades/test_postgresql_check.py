"""What is said before PostgreSQL's data move to another release line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups.manifest import BackupError
from ready.backups.postgresql import closed_databases, lost_databases, schema_proof
from ready.backups.postgresql.databases import Database
from ready.backups.postgresql.expressions import Evaluation
from ready.upgrades import service_upgrade


def an_upgrade(monkeypatch: pytest.MonkeyPatch, live: Evaluation) -> service_upgrade.ServiceUpgrade:
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
    monkeypatch.setattr(lost_databases, "refuse_loss", lambda *_: None)
    monkeypatch.setattr(closed_databases, "read_databases", lambda *_: found)

    def answer(_container: object, where: str, _script: str) -> tuple[str, str]:
        assert "closed" not in where
        return "", ""

    monkeypatch.setattr(schema_proof, "_script", answer)
    monkeypatch.setattr(schema_proof, "parse_evaluation", lambda *_: live)
    stack = {"name": "s", "services": {"postgresql": service}}
    return service_upgrade.ServiceUpgrade(client, stack, {"service": "postgresql", "how": "dump_restore"}, 1.0)


def test_what_is_not_proved_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may fail in the middle of the move: nobody shall think that it was looked at."""
    lines = an_upgrade(monkeypatch, Evaluation(unproven=["view slow: timeout"])).check([])
    assert lines == ["app: view slow: timeout", "closed: it is closed, so nothing of it was evaluated"]


def test_faults_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is changed."""
    with pytest.raises(BackupError, match=r"nothing was changed: .*index i"):
        an_upgrade(monkeypatch, Evaluation(faults=["index i: why"])).check([])
