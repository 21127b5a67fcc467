"""Names that a set has, against those that the inventory asks for."""

from __future__ import annotations

from typing import Any

import pytest
from ready.backups import drill
from ready.backups.expected_names import missing_names
from ready.backups.manifest import BackupError

ACCOUNTS = {"admin": {"login": "postgres"}, "app": {"login": "kailash_app"}}
STACK: dict[str, Any] = {
    "name": "s",
    "services": {
        "postgresql": {"database": "shop", "accounts": ACCOUNTS},
        "neo4j": {"accounts": {"admin": {"login": "neo4j"}}},
        "redis": {"accounts": {"app": {"login": "app"}}},
    },
}
NAMES = {"databases": ["postgres", "shop"], "roles": ["kailash_app", "postgres"]}


def a_manifest(postgresql: dict[str, Any] = NAMES, users: tuple[str, ...] = ("neo4j",)) -> dict[str, Any]:
    """Return a manifest whose parts have these names."""
    parts = {
        "postgresql": {"content": {"names": postgresql}},
        "neo4j": {"content": {"names": {"users": list(users)}}},
        "redis": {"content": {"names": {}}},
    }
    return {"id": "set1", "parts": parts}


def test_a_set_that_fits() -> None:
    """Nothing is said, nor of services that the set has no part of; that is reported elsewhere."""
    assert missing_names(a_manifest(), STACK, list(STACK["services"])) == []
    assert missing_names({"id": "set1", "parts": {}}, STACK, ["postgresql"]) == []


def test_what_differs_is_named() -> None:
    """Database and logins, with the variable that names them and what the set has; of chosen services alone."""
    other = {"databases": ["postgres", "store"], "roles": ["old_app", "postgres"]}
    (message,) = missing_names(a_manifest(other), STACK, ["postgresql", "redis"])
    assert "set set1" in message
    assert "the database shop (postgresql_database); the set has postgres, store" in message
    assert "the login kailash_app of the account app (postgresql_accounts); the set has old_app, postgres" in message
    assert "Next: put the set's names into the inventory" in message
    assert missing_names(a_manifest(other), STACK, ["neo4j"]) == []
    assert "the login neo4j of the account admin" in missing_names(a_manifest(users=("root",)), STACK, ["neo4j"])[0]


def test_a_further_account_is_made_by_a_restore() -> None:
    """So a set of before is no worse without it."""
    postgresql = {"database": "shop", "accounts": ACCOUNTS | {"reports": {"login": "reports"}}}
    stack = {**STACK, "services": {"postgresql": postgresql}}
    assert missing_names(a_manifest(), stack, ["postgresql"]) == []


def test_refused_before_any_scratch_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drill, as a restore, says so first: the scratch side is never asked for a service."""
    monkeypatch.setattr(
        drill, "running_images", lambda *_: {"neo4j": {"engine_version": "5.12", "data_format": "block"}}
    )
    manifest = a_manifest(users=("root",))
    manifest["parts"]["neo4j"] |= {
        "image": {"engine_version": "5.12", "data_format": "block", "source": "build"},
        "physical": True,
    }
    client: Any = None
    scratch: Any = type("Scratch", (), {"stack": STACK})()
    with pytest.raises(BackupError, match="the login neo4j of the account admin"):
        drill.prove_all(client, scratch, manifest, None, ["neo4j"])  # type: ignore[arg-type]
