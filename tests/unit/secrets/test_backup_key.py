"""Which key the repository of a stack gets: one that opens the sets that are there is never replaced by a new one."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ready.secrets.secrets_file import REPOSITORY, SecretsError
from ready.secrets.vault import SecretStore

from action_plugins.backup_settings import ActionModule


class Action(ActionModule):
    """The action, on a host that answers a read of its key so."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self._task = type("Task", (), {"check_mode": False})()
        self._connection = SimpleNamespace(_play_context=SimpleNamespace(no_log=False))

    def _execute_module(self, name: str, args: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert self._connection._play_context.no_log, "ssh prints the key with -vvv"
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
    action = Action(answer)
    assert action._key(store, "s", "", {})
    assert not action._connection._play_context.no_log
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


@pytest.mark.parametrize("key", [b"changeme\n", b"Hunter2-key\xff\n", b"Hunter2-key\nsecond line\n"])
def test_key_that_can_not_be_one_is_refused(store: SecretStore, tmp_path: Path, key: bytes) -> None:
    """Before it is stored, and without showing it."""
    path = tmp_path / "given"
    path.write_bytes(key)
    path.chmod(0o600)
    with pytest.raises(SecretsError, match="Nothing was changed") as caught:
        Action({})._key(store, "s", str(path), {})
    assert not {"changeme", "Hunter2"} & set(str(caught.value).replace("-", " ").split())
    assert key_of(store) is None


def test_older_repository_keeps_its_key(store: SecretStore, tmp_path: Path) -> None:
    """Whatever characters it has: no later run refuses it."""
    path = tmp_path / "given"
    path.write_text("a key / with spaces\n")
    path.chmod(0o600)
    assert Action({})._key(store, "s", str(path), {})
    assert store.refused("s", ["redis"]) == []
