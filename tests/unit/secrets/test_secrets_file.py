"""What the secrets file may hold: messages name places and keys, never the text."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
from ready.secrets.secrets_file import SecretsError, load, password_fault
from ready.secrets.vault import SecretStore

SECRET = "Hunter2-is-my-own-secret"
PATH = Path("ready_secrets.vault")
SERVICES: dict[str, Any] = {
    "redis": {"accounts": {"admin": {}, "app": {}}},
    "postgresql": {"accounts": {"admin": {}, "app": {}}},
}


def around(entry: str) -> bytes:
    """Return a secrets file, with an entry of redis's app account as somebody typed it."""
    return f"version: 1\nstacks:\n  ready:\n    redis:\n      app: {entry}\n".encode()


def refusal(data: bytes) -> str:
    """Return all that Ansible would print about the exception, its chain included; the secret is not in it."""
    with pytest.raises(SecretsError) as caught:
        load(data, PATH)
    printed = "".join(traceback.format_exception(caught.value, limit=0))
    assert SECRET not in printed
    assert caught.value.__cause__ is caught.value.__context__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "place"),
    {
        "open quote": (around(f'{{password: "{SECRET}}}'), "line 5, column 23"),
        "tab": (around(f"\n\t\tpassword: {SECRET}"), "line 6, column 1"),
        "alias": (around(f"{{password: *{SECRET}}}"), "line 5, column 23"),
        "tag": (around(f"{{password: !{SECRET} x}}"), "line 5, column 23"),
        "reserved": (around(f"{{password: @{SECRET}}}"), "line 5, column 23"),
        "percent": (around(f"{{password: %{SECRET}}}"), "line 5, column 23"),
        "two colons": (around(f"password: x: {SECRET}"), "line 5, column 20"),
        "control character": (around(f'{{password: "{SECRET}\a"}}'), "line 5, column 48"),
        "not UTF-8": (around("{password: ").rstrip() + SECRET.encode() + b"\xff}\n", "line 5, column 46"),
        "no date": (around(f"{{password: 2026-13-45, previous: {SECRET}}}"), ""),
        "no number": (around(f"{{password: !!int {SECRET}}}"), ""),
    }.values(),
)
def test_slips_are_told_by_their_place(data: bytes, place: str) -> None:
    """File, line and column; a parser's own words quote the line, an alias, a tag."""
    message = refusal(data)
    assert message.startswith(f"{PATH}: {place} found " if place else f"{PATH}: found ")
    assert "Nothing was changed. Next: correct it with ansible-vault edit" in message


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{password: 123456789012}", "stacks.ready.redis.app.password: found a number, expected text in quotes"),
        ("{password: 2026-10-11}", "stacks.ready.redis.app.password: found a date, expected text in quotes"),
        ("{password: true}", "stacks.ready.redis.app.password: found true or false, expected text in quotes"),
        ("{password: }", "stacks.ready.redis.app.password: found nothing, expected text"),
        (f"{{passwort: {SECRET}}}", "stacks.ready.redis.app: found an unknown key (did you mean password?)"),
        (f"{{{SECRET}}}", "stacks.ready.redis.app: found an unknown key, expected password"),
        (SECRET, "stacks.ready.redis.app: found text, expected {password: …}"),
        (f"[{SECRET}]", "stacks.ready.redis.app: found a list, expected {password: …}"),
        ("{}", "stacks.ready.redis.app: found no password"),
        (f"{{password: [{SECRET}]}}", "stacks.ready.redis.app.password: found a list, expected text"),
        (f"{{password: {SECRET}, previous: 7}}", "stacks.ready.redis.app.previous: found a number"),
        (f"{{password: {SECRET}, replaced: {SECRET}}}", "stacks.ready.redis.app.replaced: found text, expected a list"),
        (f"{{password: {SECRET}, rotated: {SECRET}}}", "stacks.ready.redis.app.rotated: found text, expected seconds"),
        (f"{{password: {SECRET}, rotated: true}}", "stacks.ready.redis.app.rotated: found true or false, expected"),
    ],
)
def test_entries_have_a_shape(entry: str, expected: str) -> None:
    """Each of these ended in an AttributeError, or later in a store."""
    assert expected in refusal(around(entry))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"stacks: {{ready: {{redis: {SECRET}}}}}", "stacks.ready.redis: found text, expected a mapping of accounts"),
        (f"stacks: {{ready: {SECRET}}}", "stacks.ready: found text, expected a mapping of services"),
        (f"stacks: {{}}\nowner: {SECRET}", "found the unknown key owner (did you mean owners?)"),
        (f"stacks: {{}}\nowners: {SECRET}", "owners: found text, expected a mapping of stacks"),
        ("stacks: {}\nowners: {ready: 1}", "owners.ready: found a number, expected the id in quotes"),
        (f"stacks: {{}}\ntls: {SECRET}", "tls: found text"),
        (f"stacks: {{}}\ntls: {{ready: {{redis: {SECRET}}}}}", "tls.ready.redis: expected a certificate and its key"),
        (f"stack: {{ready: {SECRET}}}", "found no version 1 secrets inside"),
    ],
)
def test_other_parts_have_a_shape(text: str, expected: str) -> None:
    """Stacks, services, owners, certificates."""
    assert expected in refusal(f"version: 1\n{text}\n".encode())


def test_whole_file_passes() -> None:
    """All that Ready itself writes."""
    data = around('{password: "123456789012", previous: b, replaced: [c]}') + b"owners: {ready: '1'}\ntls: {}\n"
    assert load(data, PATH)["stacks"]["ready"]["redis"]["app"]["password"] == "123456789012"


@pytest.mark.parametrize(
    "password",
    ["test_password", "TEST-PASSWORD", "production_password", "changeme", "postgres", "neo4j", "password",
     "Change_Me_Please", "mysecretpassword", "your-password-here", "ready_monitor"],
)  # fmt: skip
def test_published_passwords_are_refused(password: str) -> None:
    """Whatever their case and separators: they are what is tried first."""
    assert password_fault("redis", "app", password) == "stands in public documentation: refused"
    assert password_fault("backup", "repository", password) == "stands in public documentation: refused"


@pytest.mark.parametrize("password", ["with/slash-and-more", "short", "x" * 257, "with a space in it", "ümlautümlaut"])
def test_what_a_service_can_not_take_is_refused(password: str) -> None:
    """By account's name alone; the repository's key is what an older repository has."""
    assert "12 characters" in password_fault("redis", "app", password)
    assert password_fault("backup", "repository", password) == ""
    assert password_fault("backup", "repository", "two\nlines") != ""


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """Return a store with all passwords."""
    store = SecretStore.open(tmp_path / "ready_secrets.vault", tmp_path / "key")
    store.make_missing("a", SERVICES)
    return store


def test_refusals_name_the_account_and_not_the_password(store: SecretStore) -> None:
    """Whose it is, in which file, and what to do."""
    assert store.refused("a", SERVICES) == store.slips("a", SERVICES) == []
    store.data["stacks"]["a"]["redis"]["app"]["password"] = "test_password"
    (message,) = store.refused("a", SERVICES)
    assert store.refused("a", ["postgresql"]) == [], "another service's, or one that is about to be replaced"
    assert message.startswith(f"the password of redis's account app in {store.path} stands in public documentation")
    assert "Next: ./ready secrets rotate" in message
    assert "test_password" not in message


def test_renamed_logins_are_no_slips(store: SecretStore) -> None:
    """A further login of PostgreSQL keeps its password in the file when it leaves the inventory."""
    services: dict[str, Any] = {"postgresql": {"accounts": {"admin": {}, "app": {}, "tenant2": {}, "apps": {}}}}
    store.data["stacks"]["a"]["postgresql"]["tenant1"] = {"password": "x" * 12}
    assert store.slips("a", services) == []


def test_misspelt_names_are_told(store: SecretStore) -> None:
    """A new password would be made beside the one that was given; what left the inventory is no slip."""
    stacks = store.data["stacks"]["a"]
    stacks["reddis"] = stacks.pop("redis")
    stacks["postgresql"]["ap"] = stacks["postgresql"].pop("app")
    stacks["chromadb"] = {"app": {"password": "x" * 12}}
    messages = store.slips("a", SERVICES)
    assert [message.partition("found ")[2].partition(". Nothing")[0] for message in messages] == [
        "stacks.a.reddis, expected redis",
        "stacks.a.postgresql.ap, expected app",
    ]
