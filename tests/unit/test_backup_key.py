"""Which key the repository of a stack gets: one that opens the sets that are there is never replaced by a new one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ready.vault import REPOSITORY, SecretsError, SecretStore

from action_plugins.backup_settings import ActionModule


class Action(ActionModule):
    """The action, on a host that answers a read of its key so."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self._task = type("Task", (), {"check_mode": False})()

    def _execute_module(self, name: str, args: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert (name, args) == ("ansible.builtin.slurp", {"src": "/etc/ready/backup/s/key"})
        return self.answer


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """Return an empty store."""
    return SecretStore.open(tmp_path / "secrets", tmp_path / "vault-key")


def key_of(store: SecretStore) -> str | None:
    """Return the key that the store has."""
    service, account = REPOSITORY
    return store.passwords("s", service).get(account)


def test_key_of_the_host_is_kept(store: SecretStore) -> None:
    """Secrets that were recovered hold none: the host's opens the sets."""
    answer = {"content": base64.b64encode(b"the old key\n").decode()}
    assert Action(answer)._key(store, "s", "", {})
    assert key_of(store) == "the old key"
    assert not Action({"failed": True, "msg": "not asked"})._key(store, "s", "", {})


def test_new_key_where_there_is_none(store: SecretStore) -> None:
    """Neither in the store nor on the host."""
    assert Action({"failed": True, "msg": "file not found: /etc/ready/backup/s/key"})._key(store, "s", "", {})
    assert len(str(key_of(store))) > 20


def test_no_key_is_made_where_the_hosts_can_not_be_read(store: SecretStore) -> None:
    """It may be there."""
    with pytest.raises(SecretsError, match="unreachable"):
        Action({"failed": True, "msg": "unreachable"})._key(store, "s", "", {})
    assert key_of(store) is None
