"""The encrypted secrets of a host: never made again, never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.secrets.secrets_file import SecretsError
from ready.secrets.vault import SecretStore
from ready.stack.definitions import load_definitions

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
    assert first.refused("a", SERVICES) == []


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
    store.rotate("a", {"redis": {}}, {"redis": old})
    found = again(store)
    assert found.previous("a", "redis") == old
    assert not set(found.passwords("a", "redis").values()) & set(old.values())


def test_rotation_leaves_the_key_between_containers(store: SecretStore) -> None:
    """A new one would restart the service behind its gateway, and refuse who asks meanwhile; no client has it."""
    services: dict[str, Any] = {"ai": {"accounts": {"app": {}, "server": {}}, "key_overlap": 600}}
    store.make_missing("a", services)
    old = store.passwords("a", "ai")
    assert store.rotate("a", services, {"ai": old}) == [("ai", "app")]
    assert again(store).passwords("a", "ai")["server"] == old["server"]
    assert set(again(store).rotated("a", "ai")) == {"app"}


def test_rotation_replaces_a_refused_key_between_containers(store: SecretStore) -> None:
    """It stopped half-way, and said that rotation would replace it."""
    services: dict[str, Any] = {"ai": {"accounts": {"app": {}, "server": {}}, "key_overlap": 600}}
    store.make_missing("a", services)
    store.data["stacks"]["a"]["ai"]["server"]["password"] = "test_password"
    assert store.refused("a", services) != []
    assert store.rotate("a", services, {}) == [("ai", "app"), ("ai", "server")]
    assert again(store).refused("a", services) == []


def test_overlap_begins_when_the_host_takes_the_new_key(store: SecretStore) -> None:
    """Not when it was saved: a rotation that `up` finished the next day gave clients no time at all."""
    services: dict[str, Any] = {"ai": {"accounts": {"app": {}, "monitor": {}}, "key_overlap": 600}}
    store.make_missing("a", services)
    old = store.passwords("a", "ai")
    assert not store.take_over("a", "ai", old, 5000), "nothing was rotated"
    store.rotate("a", services, {"ai": old})
    new = store.passwords("a", "ai")
    for entry in store.data["stacks"]["a"]["ai"].values():
        entry["rotated"] = 1000
    assert not store.take_over("a", "ai", new, 5000), "the host has them"
    assert not store.take_over("a", "ai", {}, 5000), "nothing is on the host"
    assert store.take_over("a", "ai", {"app": old["app"], "monitor": new["monitor"]}, 5000)
    assert store.rotated("a", "ai") == {"app": 5000, "monitor": 1000}


def test_one_key_of_two_accounts(store: SecretStore) -> None:
    """A gateway could not tell them apart: the limit of one of them was that of both."""
    services: dict[str, Any] = {"ai": {"accounts": {"app": {}, "throttle": {}}, "key_overlap": 600}}
    store.make_missing("a", services | {"redis": {"accounts": {"app": {}, "monitor": {}}}})
    assert store.shared("a", services) == []
    for name, account in (("ai", "app"), ("ai", "throttle"), ("redis", "app"), ("redis", "monitor")):
        store.data["stacks"]["a"][name][account]["password"] = "one-password-of-mine"
    (message,) = store.shared("a", services | {"redis": {}})
    assert "found one password of ai's accounts app, throttle, expected one for each" in message
    assert "one-password-of-mine" not in message
    store.rotate("a", services, {})
    assert store.shared("a", services) == []


def test_rotation_after_one_that_ended_before_the_host(store: SecretStore) -> None:
    """The password that the store has is kept, not one that no store ever had."""
    store.make_missing("a", SERVICES)
    old = store.passwords("a", "redis")
    for _ in range(2):
        store.rotate("a", {"redis": {}}, {"redis": old})
    assert again(store).previous("a", "redis") == old


def test_rotation_that_may_have_ended_between_host_and_store(store: SecretStore) -> None:
    """Where a store changes its password only for somebody who knows it, only `up` can tell which of the two it is."""
    services: dict[str, Any] = {
        "neo4j": {"accounts": {"admin": {}}, "reconcile": load_definitions()["neo4j"]["reconcile"]}
    }
    store.make_missing("a", services)
    held = {"neo4j": store.passwords("a", "neo4j")}
    assert store.unfinished("a", services, held, []) == [], "never rotated"
    store.rotate("a", services, held)
    assert store.unfinished("a", services, held, []) == [], "the host has the old one, and so the store"
    held = {"neo4j": store.passwords("a", "neo4j")}
    assert store.unfinished("a", services, held, []) == ["neo4j"]
    assert store.unfinished("a", services, held, ["neo4j"]) == []
    assert store.unfinished("a", services, {}, []) == [], "nothing is on the host"


def test_recovery_leaves_a_slip_in_the_file_alone(store: SecretStore) -> None:
    """The key fits, so nothing is lost: the other stacks' secrets stay where they are."""
    store.make_missing("a", SERVICES)
    store.data["stacks"]["b"] = "text"
    store.save()
    encrypted = store.path.read_bytes()
    with pytest.raises(SecretsError, match="found text, expected a mapping of services"):
        SecretStore(store.path, store.key_file).recovered("a", {"redis": {"app": "x" * 32}}, "now")
    assert store.path.read_bytes() == encrypted


def test_key_that_is_none_is_told(store: SecretStore) -> None:
    """An empty key file is no key."""
    store.make_missing("a", SERVICES)
    store.key_file.write_text("\n")
    with pytest.raises(SecretsError, match=r"the vault key .* can't be read: Invalid vault password"):
        again(store)


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
