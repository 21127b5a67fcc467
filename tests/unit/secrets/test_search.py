"""A secret is found in every form, and told of without being shown."""

from __future__ import annotations

import base64
import html
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ready.host import installed
from ready.secrets import controller_search
from ready.secrets.certificates import make_authority
from ready.secrets.redaction import redacted_line
from ready.secrets.search import Search, secret_forms
from ready.secrets.vault import AUTHORITY, SecretStore
from ready.security.secret_search import search_files

SECRET = "Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU"
AWKWARD = "a+b/c=d~e:f!g*h i"
STACK: dict[str, Any] = {
    "services": {"redis": {"accounts": {"app": {"login": "kailash_app"}, "admin": {"login": "admin"}}}}
}


@pytest.fixture
def search() -> Search:
    """Return a search for one account's password."""
    return Search(STACK, {"redis": {"app": SECRET}})


@pytest.mark.parametrize("secret", [SECRET, AWKWARD])
@pytest.mark.parametrize("lead", range(7))
@pytest.mark.parametrize("tail", range(4))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_wherever_it_begins(secret: str, lead: int, tail: int, encode: Any) -> None:
    """What stands before and after it in what was encoded does not hide it."""
    found = encode(os.urandom(lead) + secret.encode() + os.urandom(tail))
    assert Search(STACK, {"redis": {"app": secret}}).text(b"x" + found + b"y", "here")


@pytest.mark.parametrize("text", [f"a{AWKWARD}b", quote(AWKWARD, safe=""), f"postgres://u:{quote(AWKWARD, safe='')}@h"])
def test_plain_and_url_encoded(text: str) -> None:
    """As it is, and as a DSN has it."""
    assert Search(STACK, {"redis": {"app": AWKWARD}}).text(text, "here")


QUOTED = 'it\'s a "q" <b>\u2039ü\u203a\\n&'


@pytest.mark.parametrize(
    "text",
    [
        repr(QUOTED),
        ascii(QUOTED),
        json.dumps(QUOTED),
        json.dumps(QUOTED, ensure_ascii=False),
        html.escape(QUOTED),
        html.escape(QUOTED, quote=False),
        html.escape(QUOTED).replace("&#x27;", "&apos;"),
        QUOTED.replace("'", "''"),
    ],
)
def test_escaped(text: str) -> None:
    """As Python, JSON, XML and PowerShell quote it: what a library says of a logon may hold it so."""
    assert Search(STACK, {"redis": {"app": QUOTED}}).text(text, "here")
    told = redacted_line(f"logon with {text} failed", [QUOTED])
    assert "***" in told
    assert "q" not in told.replace("***", "")


def test_message_names_account_form_and_place(search: Search) -> None:
    """It holds no part of the secret."""
    basic = base64.b64encode(f"kailash_app:{SECRET}".encode()).decode()
    assert search.text(f"password={SECRET}", "docker inspect x") == [
        "the password of redis's app (plain) in docker inspect x"
    ]
    (line,) = search.text(f"Authorization: Basic {basic}", "the log")
    assert line.startswith("the password of redis's app (base64")
    assert SECRET[:6] not in line
    assert basic[:12] not in line
    assert search.text(SECRET.encode("utf-16-le"), "x") == ["the password of redis's app (utf-16) in x"]


def test_private_keys_are_found_and_certificates_are_none() -> None:
    """In a file of its own, in JSON, in base64; the certificate holds the same public key and is no secret."""
    made = make_authority("ready", datetime.now(timezone.utc))
    search = Search(STACK, {}, {"ca": made.key})
    assert search.secrets == 1
    for text in (made.key, json.dumps({"key": made.key}), made.key.replace("\n", " ")):
        assert search.text(text, "x") == ["the private key of ca (plain) in x"]
    assert search.text(base64.b64encode(made.key.encode()), "x") == ["the private key of ca (base64) in x"]
    assert search.text(made.certificate, "x") == []
    assert Search(STACK, {}, {"ca": make_authority("ready", datetime.now(timezone.utc)).key}).text(made.key, "x") == []


def test_the_description_for_the_probes_is_searched(
    tmp_path: Path, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for where it lies."""
    monkeypatch.setattr(installed, "STACKS", tmp_path / "stacks")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "ready.json").write_text(SECRET)
    found = search_files({"name": "ready"}, search)["files"]
    assert found["found"] == [f"the password of redis's app (plain) in {tmp_path / 'stacks' / 'ready.json'}"]


def test_what_the_controller_writes_is_searched_for_all_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repository's key and the private keys among them."""
    store = SecretStore(tmp_path / "secrets", tmp_path / "key")
    store.data["stacks"]["ready"] = {"backup": {"repository": {"password": SECRET}}}
    made = make_authority("ready", datetime.now(timezone.utc))
    store.keep_pair("ready", AUTHORITY, made)
    monkeypatch.setattr(controller_search, "open_store", lambda *_: store)
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "a.json").write_text(f"{SECRET} {json.dumps(made.key)}")
    stack = {"name": "ready", "services": {}, "evidence_dir": str(tmp_path)}
    found = controller_search.search_controller(stack, {}, lambda value: value)["found"]
    assert sorted(line.partition(" (plain)")[0] for line in found) == [
        "the password of backup's repository",
        "the private key of the authority",
    ]


def test_nothing_is_found_where_nothing_is(search: Search) -> None:
    """Neither in other text, nor in half of the secret, nor in its hash."""
    assert search.text(f"{SECRET[:20]} {SECRET[12:]} {SECRET.lower()}", "x") == []
    assert Search(STACK, {}).text(SECRET, "x") == []
    assert (search.secrets, Search(STACK, {}).secrets) == (1, 0)


def test_forms_are_long_enough_to_mean_something() -> None:
    """A short form would be found by chance."""
    assert min(map(len, secret_forms(SECRET, "app"))) > 30


def test_files_are_read_to_the_bottom(tmp_path: Path, search: Search) -> None:
    """In directories, beside files that can't be text and links that lead nowhere."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.json").write_bytes(b"\xff\xfe" + SECRET.encode())
    (tmp_path / "a" / "good.json").write_text("{}")
    (tmp_path / "a" / "link").symlink_to("nowhere")
    lines, read = search.files([tmp_path / "a", tmp_path / "absent"])
    assert lines == [f"the password of redis's app (plain) in {tmp_path / 'a' / 'b' / 'x.json'}"]
    assert read == 2
