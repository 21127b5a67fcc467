"""The encrypted secrets of a host: never made anew, never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.vault import SecretsError, SecretStore

SERVICES: dict[str, Any] = {"redis": {"accounts": {"admin": {}, "app": {}}}, "chromadb": {"accounts": {}}}


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """Return an empty store with a place for its key."""
    return SecretStore.open(tmp_path / "ready_secrets.vault", tmp_path / "key")


def again(store: SecretStore) -> SecretStore:
    """Return the store as the next run opens it."""
    return SecretStore.open(store.path, store.key_file)


def test_made_once(store: SecretStore) -> None:
    """Missing passwords are made, encrypted and private; a second run makes none."""
    assert store.make_missing("a", SERVICES) == [("redis", "admin"), ("redis", "app")]
    assert store.path.read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert {path.stat().st_mode & 0o777 for path in (store.path, store.key_file)} == {0o600}
    first = again(store)
    assert first.make_missing("a", SERVICES) == []
    assert len(set(first.passwords("a", "redis").values())) == 2
    assert all(len(password) == 32 for password in first.passwords("a", "redis").values())
    assert first.faults("a") == []


def test_replaced_passwords_are_kept(store: SecretStore) -> None:
    """A wrong one may be given, twice: the right one is still there, and given back it is not kept twice."""
    assert store.replace("a", "backup", "repository", "the right one")
    for wrong in ("wrong", "wrong again"):
        assert store.replace("a", "backup", "repository", wrong)
        assert not store.replace("a", "backup", "repository", wrong)
    store.save()
    entry = again(store).data["stacks"]["a"]["backup"]["repository"]
    assert entry == {"password": "wrong again", "replaced": ["the right one", "wrong"]}
    assert store.replace("a", "backup", "repository", "the right one")
    assert store.data["stacks"]["a"]["backup"]["repository"]["replaced"] == ["wrong", "wrong again"]


def test_missing_or_wrong_key_makes_nothing_anew(store: SecretStore) -> None:
    """The message says so and the file stays as it was."""
    store.make_missing("a", SERVICES)
    encrypted = store.path.read_bytes()
    store.key_file.rename(store.key_file.with_name("elsewhere"))
    with pytest.raises(SecretsError, match="the vault key is missing"):
        again(store)
    store.key_file.write_text("another key")
    store.key_file.chmod(0o600)
    with pytest.raises(SecretsError, match="can't be decrypted"):
        again(store)
    store.key_file.chmod(0o644)
    with pytest.raises(SecretsError, match="mode 0644, expected 0600"):
        again(store)
    assert store.path.read_bytes() == encrypted


def test_rotation_keeps_the_previous(store: SecretStore) -> None:
    """A crash between the file and the store can be finished."""
    store.make_missing("a", SERVICES)
    old = store.passwords("a", "redis")
    store.rotate("a", {"redis": {}})
    found = again(store)
    assert found.previous("a", "redis") == old
    assert not set(found.passwords("a", "redis").values()) & set(old.values())


def test_documented_and_odd_passwords_are_refused(store: SecretStore) -> None:
    """By the account's name, without printing them."""
    store.make_missing("a", SERVICES)
    store.data["stacks"]["a"]["redis"]["app"]["password"] = "production_password"
    store.data["stacks"]["a"]["redis"]["admin"]["password"] = "with/slash-and-more"
    text = "\n".join(store.faults("a"))
    assert "redis's account app" in text
    assert "redis's account admin" in text
    assert "production_password" not in text
    assert "with/slash" not in text


def test_recovery_keeps_other_stacks(store: SecretStore) -> None:
    """With a lost key the file is put aside; two stacks recovered one after the other are both there."""
    for stack in ("a", "b"):
        store.make_missing(stack, SERVICES)
    found = {stack: {"redis": store.passwords(stack, "redis")} for stack in ("a", "b")}
    store.key_file.unlink()
    aside = SecretStore(store.path, store.key_file).recovered("a", found["a"], "now")
    assert aside
    assert aside.exists()
    assert SecretStore(store.path, store.key_file).recovered("b", found["b"], "later") is None
    for stack in ("a", "b"):
        assert again(store).passwords(stack, "redis") == found[stack]["redis"]
